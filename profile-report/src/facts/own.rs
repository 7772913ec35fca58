//! What a function or a line did itself: without what annotated functions did that it called.

use std::collections::HashMap;

use memprof_model::run::{Call, FunctionProfile, HeapFigures, Line, LineGroup, PeakAt, Run};

/// Whether heap figures were counted in the run.
pub(crate) fn counts_heap(run: &Run) -> bool {
    run.functions.iter().any(|f| f.heap.is_some())
}

/// The heap figures of the function itself. A run of before there were such figures has the inclusive ones.
pub(crate) fn own_heap(function: &FunctionProfile) -> Option<HeapFigures> {
    function.self_heap.or(function.heap)
}

/// The heap figures of the line itself.
pub(crate) fn own_line_heap(line: &Line) -> Option<HeapFigures> {
    line.self_heap.or(line.heap)
}

/// What a line had on the heap by itself: what it allocated and did not free over all hits, or had at once in one.
pub(crate) fn had_itself(line: &Line) -> u64 {
    let own = own_line_heap(line).unwrap_or_default();
    let peak = line.heap.map_or(0, |heap| heap.peak);
    let kept = own.net.max(0).unsigned_abs();
    kept.max(own.allocated.min(peak))
}

/// Bytes and blocks that were allocated and not freed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alive {
    pub(crate) bytes: u64,
    pub(crate) blocks: u64,
}

/// What the function's lines allocated and nobody freed; `None` where blocks are not followed.
pub(crate) fn alive(function: &FunctionProfile) -> Option<Alive> {
    let lines = function.lines.iter().filter_map(|line| line.origins);
    let of_lines = lines.map(|origins| Alive {
        bytes: origins.alive_bytes,
        blocks: origins.alive_blocks,
    });
    of_lines.reduce(|sum, more| Alive {
        bytes: sum.bytes.saturating_add(more.bytes),
        blocks: sum.blocks.saturating_add(more.blocks),
    })
}

/// Live heap bytes of the process when the run ended or was taken, where counted: no function can have more
/// alive.
pub(crate) fn live_at_end(run: &Run) -> Option<u64> {
    run.series.last()?.heap
}

/// Whether RSS of the function itself is told apart from that of its callees. Runs of before did not.
pub(crate) fn has_own_rss(run: &Run) -> bool {
    run.functions.iter().any(|f| f.self_net_rss != 0)
}

/// The group that `line` belongs to.
pub(crate) fn group_of<'a>(function: &'a FunctionProfile, line: &Line) -> Option<&'a LineGroup> {
    function.groups.get(line.group?)
}

/// Of each function the part of its highest peak of RSS that no annotated callee took: where the peak was reached
/// in a call that the function made, what that call had risen by is the callee's, and so is what calls before it had
/// kept. A callee's call that has no record takes nothing away.
pub(crate) fn own_peaks_rss(run: &Run) -> Vec<u64> {
    let mut calls = Calls::new();
    for (i, function) in run.functions.iter().enumerate() {
        for call in function.read_calls() {
            let beside = calls.entry((call.thread, call.depth)).or_default();
            beside.push((i, call));
        }
    }
    for beside in calls.values_mut() {
        beside.sort_by_key(|(_, call)| call.start_ns);
    }
    let own = |(i, function): (usize, &FunctionProfile)| {
        let taken = taken_by_callees(&calls, i, function).unwrap_or(0);
        let taken = u64::try_from(taken).unwrap_or(0);
        function.peak_rss.saturating_sub(taken)
    };
    run.functions.iter().enumerate().map(own).collect()
}

/// The calls of each thread and depth, in order of their start, each with the place of its function.
type Calls<'a> = HashMap<(u64, u32), Vec<(usize, &'a Call)>>;

/// What callees had taken when the function at place `own` reached its peak.
fn taken_by_callees(calls: &Calls<'_>, own: usize, function: &FunctionProfile) -> Option<i64> {
    let at = function.peak_at?;
    let outer = function.call_records.get(function.series_call?)?;
    let (mut taken, mut callees) = (0_i64, Vec::new());
    for depth in outer.depth.checked_add(1)?.. {
        let Some(beside) = calls.get(&(outer.thread, depth)) else {
            break;
        };
        let first = beside.partition_point(|(_, call)| call.start_ns < outer.start_ns);
        let after = beside.partition_point(|(_, call)| call.start_ns <= at.from_ns);
        let inside = beside.get(first..after).unwrap_or_default();
        // What a call of its own took is the function's itself, and a callee's call has what calls inside of it took.
        let others = inside
            .iter()
            .filter(|(of, call)| *of != own && !is_inside(call, &callees));
        let others: Vec<&Call> = others.map(|(_, call)| *call).collect();
        let amounts = others.iter().map(|call| taken_by(call, at));
        taken = amounts.fold(taken, i64::saturating_add);
        callees.extend(others.iter().map(|call| (call.start_ns, call.end_ns)));
        callees.sort_unstable();
    }
    Some(taken)
}

/// Whether a call of one of `callees`, which are ordered and not inside of each other, made it.
fn is_inside(call: &Call, callees: &[(u64, u64)]) -> bool {
    let before = callees.partition_point(|(start, _)| *start <= call.start_ns);
    let around = before.checked_sub(1).and_then(|last| callees.get(last));
    around.is_some_and(|(_, end)| *end >= call.end_ns)
}

/// What a callee's call had taken at its caller's peak: what it kept, or had risen by if it was not over yet.
fn taken_by(call: &Call, at: PeakAt) -> i64 {
    if call.end_ns <= at.from_ns {
        return call.net_rss;
    }
    let rise = at.rss.saturating_sub(call.entry_rss).min(call.peak_rss);
    i64::try_from(rise).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const MIB: u64 = 1 << 20;

    #[test]
    fn of_a_peak_that_callees_reached_the_caller_has_nothing() {
        // Of three calls each keeps 10 MiB; the third reaches its 90 MiB with 20 of them there.
        let run = fixture::nested();
        let peaks: Vec<_> = run.functions.iter().map(|f| f.peak_rss / MIB).collect();
        assert_eq!(peaks, [110, 90]);
        assert_eq!(own_peaks_rss(&run), [0, 90 * MIB]);
    }

    #[test]
    fn another_threads_peak_takes_nothing_away() {
        let mut run = fixture::nested();
        for call in &mut run.functions[1].call_records {
            call.thread = 2;
        }
        assert_eq!(own_peaks_rss(&run), [110 * MIB, 90 * MIB]);
    }

    #[test]
    fn what_is_alive_is_summed_over_the_lines() {
        let run = fixture::leaking();
        let of = |label| alive(run.functions.iter().find(|f| f.label == label).unwrap());
        let (bytes, blocks) = (28_940_304, 98_177);
        assert_eq!(of("intern"), Some(Alive { bytes, blocks }));
        assert_eq!(of("parse").unwrap().blocks, 0);
        assert_eq!(alive(&fixture::heap().functions[0]), None);
    }
}
