//! Says in words why RSS and heap bytes differ, of a function and of its lines; silent where they agree, and where the
//! figures do not prove it.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, Line, Run};

use crate::facts::rss_and_heap::{Change, Verdict, Why, judge};
use crate::facts::seen::Seen;
use crate::text::units::{count, mib_unit, signed_mib};

/// How to get heap figures, for reports that have none.
pub(crate) const HOW_TO_COUNT: &str = "not counted; for heap columns, have the program depend on memprof with features = [\"counting\"]";

/// The most lines of a function that are remarked on.
const LINES: usize = 3;

/// Sentences about all calls of `profile`, for its story.
pub(super) fn sentences(profile: &FunctionProfile, seen: &Seen) -> Vec<String> {
    let verdicts = Change::of_calls(profile).map(|change| judge(&change, seen));
    let verdicts = verdicts.unwrap_or_default().into_iter();
    verdicts
        .map(|verdict| sentence(profile, verdict, seen))
        .collect()
}

/// A verdict is said where RSS and heap can be compared ([`Change::of_calls`]). No amount is more than what was
/// allocated or freed, than the samples allow ([`judge`]), and than the process can have had.
fn sentence(profile: &FunctionProfile, verdict: Verdict, seen: &Seen) -> String {
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

/// The same in a few words, for the terminal; `None` where there is nothing to say. A verdict is said as in a story.
pub(crate) fn in_short(run: &Run, profile: &FunctionProfile) -> Option<String> {
    let seen = Seen::in_samples(run, profile);
    let verdicts = Change::of_calls(profile).map(|change| judge(&change, &seen));
    let verdicts = verdicts.unwrap_or_default().into_iter();
    let told: Vec<_> = verdicts.filter_map(short).collect();
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

/// Remarks on the lines whose heap and RSS moved farthest apart, in source order. A remark is said where both are the
/// line's own ([`Change::of_line`]), with the bounds of [`judge`].
pub(crate) fn remarks(run: &Run, profile: &FunctionProfile) -> Vec<Remark> {
    let seen = Seen::in_samples(run, profile);
    let calls = Change::of_calls(profile).map(|change| judge(&change, &seen));
    let lines = profile.lines.iter();
    let mut judged: Vec<JudgedLine<'_>> = lines
        .filter_map(|line| judge_line(profile, line, calls.as_deref().unwrap_or_default(), &seen))
        .collect();
    judged.sort_by_key(|judged| Reverse(judged.verdict.bytes));
    judged.truncate(LINES);
    judged.sort_by_key(|judged| judged.line.line);
    let only_touched = calls.is_some_and(|calls| calls.iter().all(|v| v.why != Why::Unasked));
    let remark = |judged: JudgedLine<'_>| Remark {
        line: judged.line.line,
        text: format!(
            "{}: {}",
            figures(judged.line),
            judged.reason(&seen, only_touched)
        ),
    };
    judged.into_iter().map(remark).collect()
}

/// What explains the difference of RSS and heap on a line.
struct JudgedLine<'line> {
    line: &'line Line,
    verdict: Verdict,
    /// Whether the verdict is on a mean hit, not on the sum of all.
    is_mean: bool,
}

/// What explains most of the difference on `line`, if it matters. A line that runs often and uses the
/// same memory again and again adds up to a difference that never existed at once: then a single hit
/// must matter, or `calls` must have ended with it. Where the sum cannot have been there at once, the mean
/// hit is judged.
fn judge_line<'line>(
    profile: &FunctionProfile,
    line: &'line Line,
    calls: &[Verdict],
    seen: &Seen,
) -> Option<JudgedLine<'line>> {
    let change = Change::of_line(profile, line)?;
    let is_mean = !change.was_at_once(seen);
    let change = if is_mean { change.mean() } else { change };
    let apart = judge(&change, seen).into_iter();
    let apart = apart.filter(|v| v.why != Why::Live);
    let verdict = apart.max_by_key(|verdict| verdict.bytes)?;
    let judged = JudgedLine {
        line,
        verdict,
        is_mean,
    };
    let same = calls.iter().find(|all| all.why == verdict.why);
    let at_once = judged.of_a_hit().max(same.map_or(0, |all| all.bytes));
    (at_once >= change.least()).then_some(judged)
}

fn figures(line: &Line) -> String {
    let hits = match line.hits {
        1 => String::new(),
        hits => format!(" over {} hits", count(hits)),
    };
    format!(
        "heap {} MiB, RSS {} MiB{hits}",
        signed_mib(line.heap.map_or(0, |heap| heap.net)),
        signed_mib(line.net_rss)
    )
}

impl JudgedLine<'_> {
    fn of_a_hit(&self) -> u64 {
        match self.is_mean {
            true => self.verdict.bytes,
            false => self.verdict.bytes / self.line.hits.max(1),
        }
    }

    /// `only_touched`: whether the function as a whole is known not to have grown without an allocation.
    fn reason(&self, seen: &Seen, only_touched: bool) -> String {
        let size = mib_unit(self.verdict.bytes);
        let unsure = doubt(
            seen.may_be_spare(self.of_a_hit()),
            ", or placed in memory that was resident already",
        );
        let untouched = seen.may_be_untouched(self.of_a_hit());
        let untouched = doubt(untouched, ", or had not been touched");
        let reason = match self.verdict.why {
            Why::Live => format!("{size} live"),
            Why::Kept => format!("{size} of what was freed stayed with the allocator{untouched}"),
            Why::Rounding => format!("{size} added to its blocks by the allocator"),
            Why::Unasked if only_touched => {
                format!("{size} had been allocated before and were touched here")
            }
            Why::Unasked => {
                format!("{size} without an allocation: touched only now, stacks, or mapped files")
            }
            Why::Untouched => format!("{size} not touched here{unsure}"),
            Why::Returned => format!("{size} given back that were free before"),
            Why::PassingUntouched => {
                format!("{size} not touched before they were freed{unsure}")
            }
        };
        let mean = if self.is_mean {
            " (a hit on average)"
        } else {
            ""
        };
        format!("{reason}{mean}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn told(run: &Run) -> String {
        let profile = &run.functions[0];
        let remarks = remarks(run, profile).into_iter();
        let seen = Seen::in_samples(run, profile);
        let mut text = sentences(profile, &seen).join("\n");
        for remark in remarks {
            text.push_str(&format!("\nline {}: {}", remark.line, remark.text));
        }
        text + &format!("\nshort: {:?}", in_short(run, profile))
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
                let seen = Seen::in_samples(&run, profile);
                assert_eq!(sentences(profile, &seen), Vec::<String>::new(), "{name}");
                assert!(remarks(&run, profile).is_empty() && in_short(&run, profile).is_none());
            }
        }
    }
}
