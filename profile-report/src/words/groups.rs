//! Says in words what lines that were read together did.

use crate::facts::groups::{Bracket, Brackets, lines_in_words};
use crate::text::units::{mib_unit, signed_mib};

/// A sentence for each of the brackets that changed most, at most so many, and one for the rest.
pub(crate) fn together(brackets: &Brackets<'_>, most: usize) -> Vec<String> {
    let mut all: Vec<&Bracket<'_>> = brackets.all.iter().collect();
    all.sort_by_key(|bracket| std::cmp::Reverse(bracket.group.net_rss.unsigned_abs()));
    let more = all.len().saturating_sub(most);
    all.truncate(most);
    all.sort_by_key(|bracket| bracket.lines.first().copied());
    let mut told: Vec<_> = all.into_iter().map(of_bracket).collect();
    if more > 0 {
        told.push(format!("… and {more} more such groups that changed less."));
    }
    told
}

/// `"Lines 3 to 5 together: net +29.00 MiB, peak 0.750 MiB."`
fn of_bracket(bracket: &Bracket<'_>) -> String {
    let lines = lines_in_words(&bracket.lines);
    format!(
        "L{} together: net {} MiB, peak {}.",
        lines.strip_prefix('l').unwrap_or(&lines),
        signed_mib(bracket.group.net_rss),
        mib_unit(bracket.group.peak_rss)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::rows::rows;
    use crate::fixture;

    #[test]
    fn the_groups_that_changed_most_are_told() {
        let mut profile = fixture::grouped().functions.remove(0);
        let mut small = profile.groups[0];
        (small.net_rss, small.peak_rss) = (-4096, 0);
        profile.groups.push(small);
        for line in &mut profile.lines[5..7] {
            line.group = Some(1);
        }
        let rows = rows(&profile);
        let brackets = Brackets::new(&profile, &rows);
        assert_eq!(
            together(&brackets, 2),
            [
                "Lines 33 to 35 together: net +29.00 MiB, peak 0.750 MiB.",
                "Lines 36, 37 together: net -0.004 MiB, peak 0 MiB."
            ]
        );
        assert_eq!(
            together(&brackets, 1)[1],
            "… and 1 more such groups that changed less."
        );
    }
}
