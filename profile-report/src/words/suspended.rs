//! In words: where the suspended calls of a function stand, and what they hold.

use memprof_model::run::{FunctionProfile, Line};

use crate::text::units::{mib_unit, signed_mib};
use crate::text::visible::{source_line, truncate, visible};

/// The most lines that are named.
const SHOWN: usize = 4;
/// The most columns of a source line.
const SOURCE: usize = 48;

/// Where they stand, most calls first; `None` where no call is suspended.
pub(crate) fn suspended(profile: &FunctionProfile) -> Option<String> {
    if profile.suspended == 0 {
        return None;
    }
    let mut lines: Vec<&Line> = profile.lines.iter().collect();
    lines.retain(|line| line.suspended > 0);
    lines.sort_by_key(|line| (std::cmp::Reverse(line.suspended), line.line));
    let more = lines.len().saturating_sub(SHOWN);
    let mut places: Vec<String> = lines.into_iter().take(SHOWN).map(place).collect();
    if more > 0 {
        places.push(format!("… and at {more} more lines"));
    }
    let held = held(profile.suspended_heap);
    let places = match places.is_empty() {
        true => String::new(),
        false => format!(": {}", places.join(", ")),
    };
    Some(format!("{}{held}{places}", profile.suspended))
}

fn place(line: &Line) -> String {
    let source = source_line(line.source.trim());
    let source = match truncate(&visible(&source), SOURCE) {
        source if source.is_empty() => source,
        source => format!(", `{source}`"),
    };
    format!("{} at line {}{source}", line.suspended, line.line)
}

/// What suspended calls have of the heap.
fn held(heap: i64) -> String {
    match heap {
        0 => String::new(),
        1.. => format!(", holding {} of heap", mib_unit(heap.unsigned_abs())),
        _ => format!(", with a change of the heap of {} MiB", signed_mib(heap)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn suspended_calls_are_told_by_line_the_line_of_most_first() {
        let mut profile = fixture::inverse().functions.remove(0);
        assert_eq!(suspended(&profile), None);
        (profile.suspended, profile.suspended_heap) = (5, 17 << 20);
        profile.lines[1].suspended = 2;
        profile.lines[2].suspended = 3;
        let [one, two] = [1, 2].map(|at| {
            let line = &profile.lines[at];
            (line.line, truncate(line.source.trim(), SOURCE))
        });
        assert_eq!(
            suspended(&profile),
            Some(format!(
                "5, holding 17.00 MiB of heap: 3 at line {}, `{}`, 2 at line {}, `{}`",
                two.0, two.1, one.0, one.1
            ))
        );
    }

    #[test]
    fn suspended_calls_without_lines_are_a_number_and_what_they_gave_back_is_told() {
        let mut profile = fixture::inverse().functions.remove(0);
        profile.suspended = 2;
        assert_eq!(suspended(&profile).as_deref(), Some("2"));
        profile.suspended_heap = -(3 << 20);
        let told = suspended(&profile);
        assert_eq!(
            told.as_deref(),
            Some("2, with a change of the heap of -3.000 MiB")
        );
    }

    #[test]
    fn suspended_calls_at_many_lines_name_the_first_ones() {
        let mut profile = fixture::inverse().functions.remove(0);
        profile.suspended = 6;
        for line in profile.lines.iter_mut().take(6) {
            line.suspended = 1;
        }
        let told = suspended(&profile).expect("suspended");
        assert!(told.ends_with(", … and at 2 more lines"), "{told}");
    }
}
