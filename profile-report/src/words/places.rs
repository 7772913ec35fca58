//! Names the lines where something happened: one, or several between which nothing was read.

use memprof_model::run::FunctionProfile;

use crate::facts::groups::lines_in_words;
use crate::text::visible::{truncate, visible};

/// The most columns of source that a sentence quotes.
const QUOTE: usize = 48;

/// A line's text as sentences quote it.
pub(super) fn quoted(source: &str) -> String {
    truncate(&visible(source.trim()), QUOTE)
}

/// `line 12`; `lines 12 to 15` where the line's changes were read together with those of its group.
pub(crate) fn place(profile: &FunctionProfile, number: u32) -> String {
    let line = profile.lines.iter().find(|line| line.line == number);
    match line.and_then(|line| line.group) {
        Some(group) => group_lines(profile, group),
        None => format!("line {number}"),
    }
}

/// The lines of a group.
pub(super) fn group_lines(profile: &FunctionProfile, group: usize) -> String {
    let lines = profile.lines.iter();
    let lines = lines.filter(|line| line.group == Some(group));
    let numbers: Vec<u32> = lines.map(|line| line.line).collect();
    lines_in_words(&numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_line_of_a_group_is_named_with_the_others() {
        let profile = fixture::grouped().functions.remove(0);
        assert_eq!(place(&profile, 31), "line 31");
        assert_eq!(place(&profile, 34), "lines 33 to 35");
    }
}
