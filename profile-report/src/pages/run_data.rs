//! What the run page's script draws: the process's samples and the calls, as JSON inside the page.

use memprof_model::run::{FunctionProfile, Run};
use serde::Serialize;

use super::chart_data::{Columns, columns, embedded};
use crate::chart::{children, lanes};
use crate::error::ReportError;
use crate::facts::names::Names;
use crate::facts::shown_call::unlisted;
use crate::text::units::count;
use crate::text::visible::{truncate, visible};

/// Stretches for a function that has no lane of its own: enough to light up.
const STRETCHES: usize = 24;
/// Columns of a lane's label.
const LABEL: usize = 40;

/// Times are nanoseconds of the run, sizes bytes.
#[derive(Serialize)]
struct RunData {
    end: u64,
    peak: u64,
    baseline: u64,
    series: Columns,
    /// Processes with a curve of their own, where the run was watched from outside.
    children: Vec<Child>,
    functions: Vec<Function>,
}

#[derive(Serialize)]
struct Child {
    peak: u64,
    series: Columns,
}

#[derive(Serialize)]
struct Function {
    label: String,
    /// Whether its calls are drawn below the chart, one by one.
    lane: bool,
    /// Start and end of each listed call, or of stretches that hold several.
    calls: Vec<[u64; 2]>,
    /// The stretch in which calls were made that are not listed, and how many were made in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<String>,
}

/// The JSON for the page of `run`, safe inside a `<script>` element; `functions` are in the order of
/// the page's table.
pub(super) fn run_data<'a>(
    run: &Run,
    functions: impl Iterator<Item = &'a FunctionProfile>,
) -> Result<String, ReportError> {
    let names = Names::of_run(run);
    let lanes = lanes(run);
    let has_lane = |f| lanes.iter().any(|lane| std::ptr::eq(*lane, f));
    let last = run.series.last().map_or(0, |sample| sample.t_ns);
    embedded(&RunData {
        end: run.duration_ns.max(last).max(1),
        peak: run.process.peak_rss,
        baseline: run.process.baseline_rss,
        series: columns(&run.series),
        children: children(run)
            .iter()
            .map(|child| Child {
                peak: child.peak_rss,
                series: columns(&child.series),
            })
            .collect(),
        functions: functions
            .map(|f| function(f, names.of(f), has_lane(f)))
            .collect(),
    })
}

fn function(profile: &FunctionProfile, name: &str, lane: bool) -> Function {
    let calls = profile.read_calls();
    let calls: Vec<_> = calls.map(|call| [call.start_ns, call.end_ns]).collect();
    let unlisted = unlisted(profile);
    Function {
        label: truncate(&visible(name), LABEL),
        lane,
        calls: if lane {
            calls
        } else {
            at_most(STRETCHES, calls)
        },
        more: unlisted.map(|stretch| [stretch.from_ns, stretch.to_ns]),
        times: unlisted.map(|_| count(profile.calls)),
    }
}

/// The stretches that `calls`, ordered by their start, take: at most `most`, by closing the
/// narrowest gaps.
fn at_most(most: usize, calls: Vec<[u64; 2]>) -> Vec<[u64; 2]> {
    let gap = |a: u64, b: u64| b.saturating_sub(a);
    let mut ends = calls.iter().scan(0, |end, call| {
        let before = *end;
        *end = call[1].max(before);
        Some(gap(before, call[0]))
    });
    ends.next();
    let mut gaps: Vec<_> = ends.collect();
    gaps.sort_unstable();
    // The widest gaps stay: one fewer than there are stretches.
    let closed = match gaps.len().checked_sub(most) {
        Some(narrow) => gaps.get(narrow).copied().unwrap_or(0),
        None => 0,
    };
    let mut stretches: Vec<[u64; 2]> = Vec::new();
    for call in calls {
        match stretches.last_mut() {
            Some(last) if gap(last[1], call[0]) <= closed => last[1] = last[1].max(call[1]),
            _ => stretches.push(call),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;

    #[test]
    fn bounded_whatever_the_run() {
        for (name, run) in fixture::all() {
            let data = run_data(&run, run.functions.iter()).unwrap();
            assert!(data.len() < 300_000, "{name}: {}", data.len());
        }
    }

    proptest! {
        #[test]
        fn stretches_are_few_in_order_and_hold_every_call(mut starts in prop::collection::vec((0u64..10_000, 0u64..50), 0..200)) {
            starts.sort_unstable();
            let calls: Vec<_> = starts.into_iter().map(|(start, length)| [start, start + length]).collect();
            let stretches = at_most(24, calls.clone());
            prop_assert!(stretches.len() <= 24);
            prop_assert!(stretches.is_sorted_by(|a, b| a[1] < b[0]));
            for call in calls {
                prop_assert!(stretches.iter().any(|s| s[0] <= call[0] && call[1] <= s[1]));
            }
        }
    }
}
