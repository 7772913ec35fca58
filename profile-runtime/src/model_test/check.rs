//! What a run has to say, held against the truth and against the invariants of every run.

use memprof_model::internal::Histogram;
use memprof_model::run::{self, FunctionProfile, HeapFigures, Quantiles, Run};

use super::truth::{Call, Heap, LINES, Moved, Rise, SITES, Truth};

/// By how much a peak can be too high: pages that came and went several times between two readings look like
/// pages that stayed, as far as the kernel's counters could lag (see `reading/peak.rs`).
const PEAK_ERROR: u64 = 4 * 31 * 4096;

/// The run holds what is so, also of calls in progress: those count as if they ended now.
pub(super) fn agrees(run: &Run, truth: &Truth) -> Result<(), String> {
    for site in 0..SITES {
        let name = format!("model::{}", ["a", "b", "c"][site]);
        let called = truth.sites[site].calls > 0;
        let Some(function) = run.functions.iter().find(|function| function.name == name) else {
            equal(&name, "is in the run", false, called)?;
            continue;
        };
        let in_progress = calls(truth, site).count() as u64;
        let ended = truth.ended();
        counted(function, &ended, site, in_progress)?;
        suspended(function, truth, site)?;
        sums(function)?;
        possible(function, &ended, site)?;
        kept(function, &truth.sites[site].ended, &ended.sites[site].ended)?;
        if truth.is_close {
            rss(function, &ended, site)?;
        }
    }
    process(run)
}

/// The calls in progress of the site with this number: first the suspended ones.
fn calls(truth: &Truth, site: usize) -> impl Iterator<Item = &Call> {
    let running = truth.threads.iter().flatten();
    let calls = truth.suspended.iter().chain(running);
    calls.filter(move |call| call.is_function_of(site))
}

/// What is suspended is known, with the line at which it stands.
fn suspended(function: &FunctionProfile, truth: &Truth, site: usize) -> Result<(), String> {
    let at = |line: Option<usize>| {
        let calls = truth.suspended.iter().filter(move |call| call.site == site);
        let calls = calls.filter(|call| line.is_none() || call.line == line);
        calls.fold((0, 0), |(calls, heap), call| {
            (calls + 1, heap + call.heap_live)
        })
    };
    let name = &function.name;
    let is = (function.suspended, function.suspended_heap);
    equal(name, "suspended", is, at(None))?;
    for (number, line) in function.lines.iter().enumerate() {
        let name = format!("{name} line {number}");
        let is = (line.suspended, line.suspended_heap);
        equal(&name, "suspended", is, at(Some(number)))?;
    }
    Ok(())
}

/// What needs no reading is exact.
fn counted(
    function: &FunctionProfile,
    truth: &Truth,
    site: usize,
    in_progress: u64,
) -> Result<(), String> {
    let (name, is) = (&function.name, &truth.sites[site]);
    equal(name, "calls", function.calls, is.calls)?;
    equal(name, "panics", function.panics, is.panics)?;
    if site == SITES - 1 {
        let with_size: u64 = function.sizes.iter().map(|size| size.calls).sum();
        let returned = is.calls - is.panics - is.cancelled - in_progress;
        equal(name, "calls with a size", with_size, returned)?;
    }
    let heap = function.heap.as_ref().ok_or("the heap is counted")?;
    equal(name, "heap", figures(heap), is.heap)?;
    equal(name, "heap peak", heap.peak, is.heap_peak)?;
    own(
        name,
        function.self_heap.as_ref(),
        is.self_heap,
        is.self_peak,
    )?;
    for (at, line) in function.lines.iter().enumerate() {
        let name = &format!("{name} line {at}");
        equal(name, "hits", line.hits, is.lines[at].hits)?;
        let heap = line.heap.as_ref().ok_or("the heap is counted")?;
        equal(name, "heap", figures(heap), is.lines[at].heap)?;
        equal(name, "heap peak", heap.peak as i64, is.lines[at].heap_peak)?;
        let (heap, peak) = (is.lines[at].self_heap, is.lines[at].self_peak);
        own(name, line.self_heap.as_ref(), heap, peak)?;
        let elsewhere = line.workers.as_ref();
        let hits = elsewhere.map_or(0, |workers| workers.hits);
        equal(name, "hits elsewhere", hits, is.elsewhere[at].hits)?;
        if let Some(heap) = elsewhere.and_then(|workers| workers.heap.as_ref()) {
            let is = &is.elsewhere[at];
            equal(name, "heap elsewhere", figures(heap), is.heap)?;
            equal(name, "heap peak elsewhere", heap.peak as i64, is.heap_peak)?;
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

/// The calls that are kept did on the heap what one of `all` calls did, the highest of them is kept, and those that
/// have `ended` are spread as the figures say. Calls in progress count as what they did so far.
fn kept(
    function: &FunctionProfile,
    ended: &[(Heap, u64)],
    all: &[(Heap, u64)],
) -> Result<(), String> {
    let name = &function.name;
    let mut known = all.to_vec();
    known.sort_unstable();
    for call in &function.call_records {
        let heap = call.heap.ok_or("the heap is counted")?;
        let found = known.binary_search(&(figures(&heap), heap.peak));
        equal(name, &format!("heap of {call:?}"), found.is_ok(), true)?;
    }
    let highest = function.highest_call().map(run::Call::height);
    let peak = all.iter().map(|(_, peak)| *peak).max();
    equal(name, "highest call", highest, peak)?;
    let Some(spread) = function.spread else {
        return equal(name, "calls", function.calls, 1);
    };
    let allocated = quantiles(ended.iter().map(|(heap, _)| heap.allocated));
    equal(name, "allocated by a call", spread.allocated, allocated)?;
    let peaks = quantiles(ended.iter().map(|(_, peak)| *peak));
    equal(name, "heap peaks", spread.heap_peak, peaks)
}

fn quantiles(values: impl Iterator<Item = u64>) -> Option<Quantiles> {
    let mut histogram = Histogram::default();
    values.for_each(|value| histogram.add(value));
    histogram.quantiles()
}

fn within(name: &str, net: i64, moved: Moved, more: i64) -> Result<(), String> {
    match (-moved.went - more..=moved.came + more).contains(&net) {
        true => Ok(()),
        false => Err(format!(
            "{name}: net is {net}, and no more than {moved:?} moved meanwhile"
        )),
    }
}

/// What was done without callees.
fn own(name: &str, heap: Option<&HeapFigures>, is: Heap, peak: i64) -> Result<(), String> {
    let heap = heap.ok_or("the heap is counted")?;
    equal(name, "self heap", figures(heap), is)?;
    equal(name, "self peak", heap.peak as i64, peak)
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

fn peak(name: &str, peak: u64, is: Rise) -> Result<(), String> {
    match peak >= is.least && peak <= is.most + PEAK_ERROR {
        true => Ok(()),
        false => Err(format!("{name}: peak is {peak}, and should be {is:?}")),
    }
}

/// The invariants that hold in every run, whatever was read.
fn sums(function: &FunctionProfile) -> Result<(), String> {
    let name = &function.name;
    let lines = || function.lines.iter();
    let together: i64 = function.groups.iter().map(|group| group.net_rss).sum();
    equal(
        name,
        "sum of nets",
        lines().map(|line| line.net_rss).sum::<i64>() + together,
        function.net_rss,
    )?;
    equal(
        name,
        "sum of times",
        lines().map(|line| line.time_ns).sum::<u64>(),
        function.time_ns,
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
            "net + suspended + others",
            call.net_rss + call.suspended_rss + call.others_rss,
            change,
        )?;
        if (call.peak_rss as i64) < call.net_rss || call.peak_rss > function.peak_rss {
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
