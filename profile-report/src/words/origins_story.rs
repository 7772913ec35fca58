//! Says in words which lines' blocks are still alive at the end: leaks by origin.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, Line, Origins, Run};

use super::findings::alive_when;
use crate::facts::seen::Seen;
use crate::text::units::{count, mib_unit};

/// The most lines that are named.
const LINES: usize = 3;

/// A sentence about what `profile` allocated and nobody freed; `None` if that is nothing, or not known.
///
/// The bytes and blocks are the sums over its lines. Said if blocks were followed, and if so much heap can have been
/// alive: an estimate from a sample of the blocks may be above that.
pub(super) fn still_alive(run: &Run, profile: &FunctionProfile, seen: &Seen) -> Option<String> {
    let followed = run.origins?;
    let mut lines: Vec<(&Line, Origins)> = profile
        .lines
        .iter()
        .filter_map(|line| Some((line, line.origins?)))
        .filter(|(_, origins)| origins.alive_blocks > 0)
        .collect();
    lines.sort_by_key(|(_, origins)| Reverse(origins.alive_bytes));
    let sum = |of: fn(&Origins) -> u64| {
        let of_lines = lines.iter().map(|(_, origins)| of(origins));
        of_lines.fold(0_u64, u64::saturating_add)
    };
    let (bytes, blocks) = (sum(|o| o.alive_bytes), sum(|o| o.alive_blocks));
    let is_possible = followed.one_in <= 1 || seen.can_have_lived(bytes);
    if lines.is_empty() || !is_possible {
        return None;
    }
    let about = if followed.one_in > 1 { "about " } else { "" };
    let named: Vec<String> = lines.iter().take(LINES).map(named).collect();
    let rest = if lines.len() > LINES { ", …" } else { "" };
    Some(format!(
        "Still {}: {about}{} in {} allocated here, {}{rest}.{}",
        alive_when(run.outcome),
        mib_unit(bytes),
        blocks_of(blocks),
        named.join(", "),
        estimate(followed.one_in),
    ))
}

fn named((line, origins): &(&Line, Origins)) -> String {
    let size = mib_unit(origins.alive_bytes);
    let blocks = blocks_of(origins.alive_blocks);
    format!("{size} in {blocks} by line {}", line.line)
}

fn blocks_of(blocks: u64) -> String {
    match blocks {
        1 => "1 block".to_owned(),
        blocks => format!("{} blocks", count(blocks)),
    }
}

fn estimate(one_in: u64) -> String {
    match one_in {
        1 => String::new(),
        one_in => format!(" Of the small blocks one in {one_in} was followed and stands for all."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use memprof_model::data;
    use memprof_model::run::{Followed, RunOutcome};

    fn run(alive: &[(u64, u64)], one_in: u64) -> Run {
        let mut run = fixture::heap();
        run.origins = Some(data!(Followed {
            one_in,
            all_from: 65_536,
            lost: 0,
        }));
        let lines = &mut run.functions[0].lines;
        for (line, &(alive_bytes, alive_blocks)) in lines.iter_mut().zip(alive) {
            line.line = 10;
            line.origins = Some(data!(Origins {
                alive_bytes,
                alive_blocks,
                ..Origins::default()
            }));
        }
        run
    }

    fn told(run: &Run) -> Option<String> {
        let profile = &run.functions[0];
        still_alive(run, profile, &Seen::in_samples(run, profile))
    }

    #[test]
    fn the_lines_with_most_come_first() {
        assert_eq!(
            told(&run(&[(1 << 20, 1), (3 << 20, 2_000)], 1)).unwrap(),
            "Still alive at the end: 4.000 MiB in 2001 blocks allocated here, \
             3.000 MiB in 2000 blocks by line 10, 1.000 MiB in 1 block by line 10."
        );
    }

    #[test]
    fn what_was_sampled_is_said_to_be() {
        let told = told(&run(&[(1 << 20, 64)], 8)).unwrap();
        assert!(told.contains("about 1.000 MiB"), "{told}");
        assert!(
            told.ends_with("one in 8 was followed and stands for all."),
            "{told}"
        );
    }

    /// An estimate that is above all heap that was ever there is none.
    #[test]
    fn no_more_is_alive_than_there_ever_was() {
        let mut run = run(&[(300 << 20, 64)], 8);
        assert_eq!(told(&run), None);
        run.origins = run.origins.map(|followed| {
            data!(Followed {
                one_in: 1,
                ..followed
            })
        });
        assert!(told(&run).is_some(), "this one is exact");
    }

    #[test]
    fn a_run_that_was_killed_tells_of_when_it_was_last_heard_of() {
        let mut run = run(&[(1 << 20, 1)], 1);
        run.outcome = RunOutcome::Recovered;
        let told = told(&run).unwrap();
        assert!(
            told.starts_with("Still alive when last heard of: "),
            "{told}"
        );
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(told(&run(&[(0, 0)], 1)), None);
        assert_eq!(told(&fixture::heap()), None);
    }
}
