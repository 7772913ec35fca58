//! What a run has to say, held against the truth and against the invariants of every run.

use memprof_model::internal::Histogram;
use memprof_model::run::{Call, FunctionProfile, HeapFigures, Outcome, Quantiles, Run};

use super::truth::{Heap, LINES, Moved, SITES, Truth};
use crate::thread::suspended::SuspendedCalls;

/// By how much a peak can be too high: pages that came and went several times between two readings look like
/// pages that stayed, as far as the kernel's counters could lag (see `reading/peak.rs`).
const PEAK_ERROR: u64 = 4 * 31 * 4096;

/// A run in which nothing is in progress.
pub(super) fn ended(run: &Run, truth: &Truth) -> Result<(), String> {
    for site in 0..SITES {
        let name = format!("model::{}", ["a", "b", "c"][site]);
        let called = truth.sites[site].calls > 0;
        let Some(function) = run.functions.iter().find(|function| function.name == name) else {
            equal(&name, "is in the run", false, called)?;
            continue;
        };
        counted(function, truth, site)?;
        calls(function, &truth.sites[site].ended)?;
        sums(function, &[])?;
        possible(function, truth, site)?;
        if truth.is_close {
            rss(function, truth, site)?;
        }
    }
    process(run)
}

/// A run in which calls are in progress, and these are suspended.
pub(super) fn in_progress(
    run: &Run,
    truth: &Truth,
    suspended: &SuspendedCalls,
) -> Result<(), String> {
    for (id, name) in ["model::a", "model::b", "model::c"].iter().enumerate() {
        if let Some(function) = run.functions.iter().find(|function| function.name == *name) {
            sums(function, &suspended.of_site(id))?;
            running(function, &truth.in_progress(id))?;
        }
    }
    process(run)
}

/// What needs no reading is exact.
fn counted(function: &FunctionProfile, truth: &Truth, site: usize) -> Result<(), String> {
    let (name, is) = (&function.name, &truth.sites[site]);
    equal(name, "calls", function.calls, is.calls)?;
    equal(name, "panics", function.panics, is.panics)?;
    if site == SITES - 1 {
        let with_size: u64 = function.sizes.iter().map(|size| size.calls).sum();
        let returned = is.calls - is.panics - is.cancelled;
        equal(name, "calls with a size", with_size, returned)?;
    }
    let heap = function.heap.as_ref().ok_or("the heap is counted")?;
    equal(name, "heap", figures(heap), is.heap)?;
    equal(name, "heap peak", heap.peak, is.heap_peak)?;
    for (at, line) in function.lines.iter().enumerate() {
        let name = &format!("{name} line {at}");
        equal(name, "hits", line.hits, is.lines[at].hits)?;
        let heap = line.heap.as_ref().ok_or("the heap is counted")?;
        equal(name, "heap", figures(heap), is.lines[at].heap)?;
        let elsewhere = line.workers.as_ref();
        let hits = elsewhere.map_or(0, |workers| workers.hits);
        equal(name, "hits elsewhere", hits, is.elsewhere[at].hits)?;
        if let Some(heap) = elsewhere.and_then(|workers| workers.heap.as_ref()) {
            equal(name, "heap elsewhere", figures(heap), is.elsewhere[at].heap)?;
        }
    }
    Ok(())
}

/// No function and no line has more of what came or went than came or went while it ran. What several lines share
/// is divided by what they did on the heap: so much may be wrong of a line.
fn possible(function: &FunctionProfile, truth: &Truth, site: usize) -> Result<(), String> {
    let (name, is) = (&function.name, &truth.sites[site]);
    within(name, function.net_rss, is.moved, 0)?;
    for (at, line) in function.lines.iter().enumerate() {
        let is = &is.lines[at];
        let heap = is.heap.allocated.max(is.heap.freed) + 31 * is.heap.allocations;
        within(
            &format!("{name} line {at}"),
            line.net_rss,
            is.moved,
            heap as i64,
        )?;
    }
    Ok(())
}

/// The calls that are kept did on the heap what one of the calls did that have `ended`, the highest of them is
/// kept, and they are spread as the kept ones show.
fn calls(function: &FunctionProfile, ended: &[(Heap, u64)]) -> Result<(), String> {
    let name = &function.name;
    let mut known = ended.to_vec();
    known.sort_unstable();
    for call in &function.call_records {
        let heap = call.heap.ok_or("the heap is counted")?;
        let found = known.binary_search(&(figures(&heap), heap.peak));
        equal(name, &format!("heap of {call:?}"), found.is_ok(), true)?;
    }
    let highest = function.highest_call().map(Call::height);
    let peaks = ended.iter().map(|(_, peak)| *peak);
    equal(name, "highest call", highest, peaks.clone().max())?;
    let Some(spread) = function.spread else {
        return equal(name, "calls", ended.len(), 1);
    };
    let allocated = ended.iter().map(|(heap, _)| heap.allocated);
    equal(
        name,
        "allocated by a call",
        spread.allocated,
        quantiles(allocated),
    )?;
    equal(name, "heap peaks", spread.heap_peak, quantiles(peaks))
}

fn quantiles(values: impl Iterator<Item = u64>) -> Option<Quantiles> {
    let mut histogram = Histogram::default();
    values.for_each(|value| histogram.add(value));
    histogram.quantiles()
}

/// Calls in progress did so far what one of those did that are `in_progress`.
fn running(function: &FunctionProfile, in_progress: &[Heap]) -> Result<(), String> {
    let calls = function.call_records.iter();
    for call in calls.filter(|call| call.outcome == Outcome::Running) {
        let heap = call.heap.ok_or("the heap is counted")?;
        let found = in_progress.contains(&figures(&heap));
        equal(&function.name, &format!("heap of {call:?}"), found, true)?;
    }
    Ok(())
}

fn within(name: &str, net: i64, moved: Moved, more: i64) -> Result<(), String> {
    match (-moved.went - more..=moved.came + more).contains(&net) {
        true => Ok(()),
        false => Err(format!(
            "{name}: net is {net}, and no more than {moved:?} moved meanwhile"
        )),
    }
}

/// While every reading is due RSS is known line by line.
fn rss(function: &FunctionProfile, truth: &Truth, site: usize) -> Result<(), String> {
    let (name, is) = (&function.name, &truth.sites[site]);
    equal(name, "net", function.net_rss, is.net)?;
    peak(name, function.peak_rss, is.peak)?;
    for at in 0..LINES {
        let (line, is) = (&function.lines[at], &is.lines[at]);
        let name = &format!("{name} line {at}");
        equal(name, "net", line.net_rss, is.net)?;
        peak(name, line.peak_rss, is.peak)?;
    }
    Ok(())
}

fn peak(name: &str, peak: u64, is: u64) -> Result<(), String> {
    match peak >= is && peak <= is + PEAK_ERROR {
        true => Ok(()),
        false => Err(format!("{name}: peak is {peak}, and should be {is}")),
    }
}

/// The invariants that hold in every run, whatever was read. The function's totals leave out the calls that
/// are `suspended`; its lines do not.
fn sums(function: &FunctionProfile, suspended: &[Call]) -> Result<(), String> {
    let name = &function.name;
    let lines = || function.lines.iter();
    let net: i64 = suspended.iter().map(|call| call.net_rss).sum();
    let together: i64 = function.groups.iter().map(|group| group.net_rss).sum();
    equal(
        name,
        "sum of nets",
        lines().map(|line| line.net_rss).sum::<i64>() + together,
        function.net_rss + net,
    )?;
    let time = |call: &Call| call.end_ns - call.start_ns - call.suspended_ns;
    equal(
        name,
        "sum of times",
        lines().map(|line| line.time_ns).sum::<u64>(),
        function.time_ns + suspended.iter().map(time).sum::<u64>(),
    )?;
    let records = &function.call_records;
    equal(
        name,
        "records",
        records.len() as u64 + function.calls_omitted,
        function.calls,
    )?;
    for call in records {
        let change = call.exit_rss as i64 - call.entry_rss as i64;
        equal(
            name,
            "net + suspended",
            call.net_rss + call.suspended_rss,
            change,
        )?;
        let in_totals = !suspended.contains(call);
        if (call.peak_rss as i64) < call.net_rss || in_totals && call.peak_rss > function.peak_rss {
            return Err(format!(
                "{name}: {call:?} beside a peak of {}",
                function.peak_rss
            ));
        }
    }
    Ok(())
}

/// The process is at least as high as each of its functions.
fn process(run: &Run) -> Result<(), String> {
    for function in &run.functions {
        if function.max_rss > run.process.peak_rss {
            return Err(format!("{} is higher than the process", function.name));
        }
    }
    Ok(())
}

fn figures(heap: &HeapFigures) -> Heap {
    Heap {
        allocated: heap.allocated,
        freed: heap.freed,
        allocations: heap.allocations,
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(
    name: &str,
    what: &str,
    is: T,
    should: T,
) -> Result<(), String> {
    match is == should {
        true => Ok(()),
        false => Err(format!(
            "{name}: {what} is {is:?}, and should be {should:?}"
        )),
    }
}
