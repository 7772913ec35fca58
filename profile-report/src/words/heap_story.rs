//! Says in words why RSS and heap bytes differ, of a function and of its lines; silent where they agree.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, Line, Run};

use super::origins_story;
use crate::facts::rss_and_heap::{Change, Seen, Verdict, Why, judge, others_matter};
use crate::text::units::{mib_unit, signed_mib};

/// How to get heap figures, for reports that have none.
pub(crate) const HOW_TO_COUNT: &str = "not counted; for heap columns, have the program depend on memprof with features = [\"counting\"]";

/// The most lines of a function that are remarked on.
const LINES: usize = 3;

/// Sentences about all calls of `profile`, for its story.
pub(crate) fn sentences(run: &Run, profile: &FunctionProfile) -> Vec<String> {
    let mut told = differences(run, profile);
    told.extend(origins_story::still_alive(run, profile));
    told
}

fn differences(run: &Run, profile: &FunctionProfile) -> Vec<String> {
    let Some(change) = Change::of_calls(profile).filter(|_| profile.calls > 0) else {
        return Vec::new();
    };
    let seen = Seen::in_samples(run, profile);
    let verdicts = judge(&change).into_iter();
    let mut told: Vec<_> = verdicts
        .map(|verdict| sentence(profile, verdict, seen))
        .collect();
    if others_matter(&change) {
        told.push(others(profile));
    }
    told
}

fn sentence(profile: &FunctionProfile, verdict: Verdict, seen: Seen) -> String {
    let size = mib_unit(verdict.bytes);
    // What callers freed between two calls is spare for the next: one call's share is what counts.
    let of_a_call = verdict.bytes / profile.calls.max(1);
    let unsure = doubt(
        seen.may_be_spare(of_a_call),
        ", or lies in memory that was resident already",
    );
    match verdict.why {
        Why::Live => {
            let growth = profile.net_rss.unsigned_abs();
            let part = if growth - growth / 16 <= verdict.bytes {
                "That is".to_owned()
            } else {
                format!("{size} of that are")
            };
            format!("{part} live heap: allocated meanwhile and not freed.")
        }
        Why::Kept if seen.may_be_untouched(verdict.bytes) => format!(
            "RSS did not fall with {size} of freed heap: kept by the allocator for what is allocated next, or never touched."
        ),
        Why::Kept => format!(
            "{size} of freed heap stayed resident: kept by the allocator for what is allocated next, no leak."
        ),
        Why::Rounding => {
            format!("{size} are what the allocator adds to its blocks, most of all to small ones.")
        }
        Why::Unasked => format!(
            "{size} came without an allocation: heap from before that was touched only now, stacks, mapped files, or another allocator."
        ),
        Why::Untouched => {
            format!("RSS did not follow {size} of live heap: it is not touched yet{unsure}.")
        }
        Why::Returned => format!(
            "RSS fell by {size} more than the heap: the allocator gave back what it had kept, or something else was unmapped."
        ),
        Why::PassingUntouched => format!(
            "The heap rose by {size} more than RSS did: so much was not touched before it was freed{unsure}."
        ),
    }
}

/// `words` if there is a doubt.
fn doubt(is: bool, words: &'static str) -> &'static str {
    if is { words } else { "" }
}

fn others(profile: &FunctionProfile) -> String {
    let heap = profile.heap_elsewhere.unwrap_or_default();
    let freed = match heap.freed {
        0 => "nothing".to_owned(),
        bytes => mib_unit(bytes),
    };
    format!(
        "Other threads allocated {} meanwhile and freed {freed}, whatever for: that is in no line’s own heap figures.",
        mib_unit(heap.allocated)
    )
}

/// The same in a few words, for the terminal; `None` where there is nothing to say.
pub(crate) fn in_short(profile: &FunctionProfile) -> Option<String> {
    let change = Change::of_calls(profile)?;
    let verdicts = judge(&change).into_iter();
    let mut told: Vec<_> = verdicts.filter_map(short).collect();
    if others_matter(&change) {
        let heap = profile.heap_elsewhere.unwrap_or_default();
        told.push(format!(
            "other threads allocated {}",
            mib_unit(heap.allocated)
        ));
    }
    (!told.is_empty()).then(|| told.join("; "))
}

fn short(verdict: Verdict) -> Option<String> {
    let size = mib_unit(verdict.bytes);
    Some(match verdict.why {
        Why::Live => return None,
        Why::Kept => format!("{size} freed, kept by the allocator"),
        Why::Rounding => format!("{size} added to blocks by the allocator"),
        Why::Unasked => format!("{size} of RSS without heap"),
        Why::Untouched => format!("{size} of heap without RSS"),
        Why::Returned => format!("{size} given back that was free before"),
        Why::PassingUntouched => format!("{size} of heap not touched"),
    })
}

/// A remark on a line.
pub(crate) struct Remark {
    /// The line's number.
    pub(crate) line: u32,
    /// What to say about it.
    pub(crate) text: String,
}

/// Remarks on the lines whose heap and RSS moved farthest apart, in source order.
pub(crate) fn remarks(run: &Run, profile: &FunctionProfile) -> Vec<Remark> {
    let Some(calls) = Change::of_calls(profile) else {
        return Vec::new();
    };
    let calls = judge(&calls);
    let lines = profile.lines.iter();
    let mut judged: Vec<_> = lines.filter_map(|line| judge_line(line, &calls)).collect();
    judged.sort_by_key(|(_, _, verdict)| Reverse(verdict.bytes));
    judged.truncate(LINES);
    judged.sort_by_key(|(line, _, _)| line.line);
    let unasked = calls.iter().any(|verdict| verdict.why == Why::Unasked);
    let seen = Seen::in_samples(run, profile);
    let remark = |(line, change, verdict): (&Line, Change, Verdict)| Remark {
        line: line.line,
        text: format!(
            "{}: {}",
            figures(line, &change),
            reason(verdict, line.hits, seen, unasked)
        ),
    };
    judged.into_iter().map(remark).collect()
}

/// What explains most of the difference on `line`, if it matters. A line that runs often and uses the
/// same memory again and again adds up to a difference that never existed at once: then a single hit
/// must matter, or `calls` must have ended with it.
fn judge_line<'line>(
    line: &'line Line,
    calls: &[Verdict],
) -> Option<(&'line Line, Change, Verdict)> {
    let change = Change::of_line(line)?;
    let apart = judge(&change).into_iter().filter(|v| v.why != Why::Live);
    let verdict = apart.max_by_key(|verdict| verdict.bytes)?;
    let of_a_hit = verdict.bytes / line.hits.max(1);
    let same = calls.iter().find(|all| all.why == verdict.why);
    let at_once = of_a_hit.max(same.map_or(0, |all| all.bytes));
    (at_once >= change.least()).then_some((line, change, verdict))
}

fn figures(line: &Line, change: &Change) -> String {
    let whose = if change.heap() == line.heap.map_or(0, |heap| heap.net) {
        ""
    } else {
        " with other threads"
    };
    let hits = match line.hits {
        1 => String::new(),
        hits => format!(" over {hits} hits"),
    };
    format!(
        "heap{whose} {} MiB, RSS {} MiB{hits}",
        signed_mib(change.heap()),
        signed_mib(line.net_rss)
    )
}

/// `unasked`: whether the function as a whole grew without an allocation.
fn reason(verdict: Verdict, hits: u64, seen: Seen, unasked: bool) -> String {
    let size = mib_unit(verdict.bytes);
    let of_a_hit = verdict.bytes / hits.max(1);
    let unsure = doubt(
        seen.may_be_spare(of_a_hit),
        ", or placed in memory that was resident already",
    );
    let untouched = doubt(seen.may_be_untouched(of_a_hit), ", or had not been touched");
    match verdict.why {
        Why::Live => format!("{size} live"),
        Why::Kept => format!("{size} of what was freed stayed with the allocator{untouched}"),
        Why::Rounding => format!("{size} added to its blocks by the allocator"),
        Why::Unasked if unasked => {
            format!("{size} without an allocation: touched only now, stacks, or mapped files")
        }
        Why::Unasked => format!("{size} had been allocated before and were touched here"),
        Why::Untouched => format!("{size} not touched here{unsure}"),
        Why::Returned => format!("{size} given back that were free before"),
        Why::PassingUntouched => format!("{size} not touched before they were freed{unsure}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn told(run: &Run) -> String {
        let profile = &run.functions[0];
        let remarks = remarks(run, profile).into_iter();
        let mut text = sentences(run, profile).join("\n");
        for remark in remarks {
            text.push_str(&format!("\nline {}: {}", remark.line, remark.text));
        }
        text + &format!("\nshort: {:?}", in_short(profile))
    }

    #[test]
    fn kept_untouched_and_other_threads_in_words() {
        insta::assert_snapshot!(told(&fixture::apart()));
    }

    #[test]
    fn where_heap_and_rss_agree_nothing_is_said() {
        let run = fixture::heap();
        for profile in &run.functions {
            assert!(
                remarks(&run, profile)
                    .iter()
                    .all(|remark| !remark.text.contains("allocator")),
            );
        }
    }

    #[test]
    fn without_heap_figures_nothing_is_said() {
        for (name, run) in fixture::all().into_iter().filter(|(_, run)| !run.heap) {
            for profile in &run.functions {
                assert_eq!(sentences(&run, profile), Vec::<String>::new(), "{name}");
                assert!(remarks(&run, profile).is_empty() && in_short(profile).is_none());
            }
        }
    }
}
