//! One function of the run: the totals that all threads have of its site, added up.

use std::collections::HashSet;

use super::groups;
use crate::counters::counts::Counts;
use crate::counters::line::{HeapSums, LineCounters};
use crate::heap;
use crate::reading::one_reading::{LinePoint, Reading};
use crate::recorder::Recorder;
use crate::site::calls::{PeakCall, SiteCalls};
use crate::site::registered::RegisteredSite;
use crate::thread::copy::{CalleeHeap, ThreadSnapshot};
use crate::thread::open_call::OpenCall;
use crate::thread::suspended::{SuspendedCall, SuspendedSums};
use crate::thread::totals::{LineTotals, SiteTotals};
use memprof_model::data;
use memprof_model::internal::Histogram;
use memprof_model::run::{
    Call, CallSpread, FunctionProfile, HeapFigures, Line, LineGroup, LineSample, Quantiles, Workers,
};

/// The suspended calls of a site, which are on no thread.
pub(super) struct Suspended {
    sums: SuspendedSums,
    /// The highest of them, and its number.
    highest: Option<(u64, PeakCall)>,
    /// All of them, for a whole run.
    calls: Vec<SuspendedCall>,
}

impl Suspended {
    /// All of `site`, for a whole run.
    pub(super) fn all(recorder: &Recorder, site: &RegisteredSite, now: Reading) -> Suspended {
        let suspended = &recorder.threads.suspended;
        Suspended {
            sums: suspended.sums(site),
            highest: suspended.highest(site, now, true),
            calls: suspended.of_site(site, now),
        }
    }

    /// Their sums and the highest alone.
    #[cfg(feature = "report")]
    pub(super) fn sums(recorder: &Recorder, site: &RegisteredSite, now: Reading) -> Suspended {
        let suspended = &recorder.threads.suspended;
        Suspended {
            sums: suspended.sums(site),
            highest: suspended.highest(site, now, false),
            calls: Vec::new(),
        }
    }

    /// The highest of them, unless `threads` know it as one that goes on.
    #[cfg(feature = "report")]
    pub(super) fn highest(
        &self,
        site: &'static RegisteredSite,
        threads: &[ThreadSnapshot],
    ) -> Option<Call> {
        let (number, highest) = self.highest.as_ref()?;
        let goes_on = running(site, threads).any(|(open, _)| open.past.number == *number);
        (!goes_on).then(|| highest.call.clone())
    }
}

/// The function of `site` as data. `None` if no thread's totals have a call of it yet.
pub(super) fn function(
    site: &'static RegisteredSite,
    ended: SiteCalls,
    threads: &[ThreadSnapshot],
    suspended: Suspended,
) -> Option<FunctionProfile> {
    let figures = EndedFigures::of(&ended);
    let source = |number| site.spec.source_of(number);
    let totals = totals(site, figures, threads, &suspended, source)?;
    let calls = with_running(site, ended, threads, suspended);
    let mut call_records = calls.records();
    call_records.sort_by_key(|call| (call.start_ns, call.depth));
    let peak_call = calls.peak_call();
    Some(data!(FunctionProfile {
        source: site.spec.source.to_owned(),
        calls_omitted: totals.calls.saturating_sub(call_records.len() as u64),
        series_call: peak_call
            .and_then(|peak_call| call_records.iter().position(|call| *call == peak_call.call)),
        series: peak_call.map_or_else(Vec::new, |peak_call| series(site, peak_call)),
        call_records,
        growth: memprof_model::internal::grown(&totals.sizes),
        ..totals
    }))
}

/// The totals of `site` on each thread that has some.
pub(super) fn of_threads<'a>(
    site: &RegisteredSite,
    threads: &'a [ThreadSnapshot],
) -> impl Iterator<Item = &'a SiteTotals> + Clone + use<'a> {
    let id = site.id;
    threads.iter().filter_map(move |thread| {
        let totals = &thread.totals;
        let at = totals.binary_search_by_key(&id, |totals| totals.site.id);
        totals.get(at.ok()?)
    })
}

/// A function's figures without its source, calls and series; `source` gives the text of a line.
pub(super) fn totals(
    site: &'static RegisteredSite,
    ended: EndedFigures,
    threads: &[ThreadSnapshot],
    suspended: &Suspended,
    source: impl Fn(u32) -> &'static str,
) -> Option<FunctionProfile> {
    let totals: Vec<&SiteTotals> = of_threads(site, threads).collect();
    // A thread that only ran closures of the function has totals without calls.
    let calls: u64 = totals.iter().map(|totals| totals.counters.calls()).sum();
    if calls == 0 {
        return None;
    }
    let peak = totals.iter().map(|totals| (totals.peak, totals.peak_at));
    let (peak, peak_at) = peak.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    let unread_rise = totals.iter().filter_map(|totals| totals.unread_rise);
    let unread_rise = unread_rise.max_by_key(|known| known.rise);
    let spread = spread(site, &ended, &totals, threads, suspended);
    let peak_call = highest_call(site, ended.highest, threads, suspended);
    let other_threads = totals.iter().map(|totals| totals.other_threads);
    let other_threads = other_threads.fold(Counts::default(), Counts::plus);
    let heap_peak = totals.iter().map(|totals| totals.highest_heap_peak()).max();
    let callees = callees(site, threads);
    let heaps = heaps(site, &totals, &callees);
    // The lines of a function add up to its heap figures, because these are their sum.
    let heap = heaps.iter().map(|heap| heap.whole());
    let heap = heap.fold(Counts::default(), Counts::plus);
    let own = heaps
        .iter()
        .copied()
        .fold(HeapSums::default(), HeapSums::plus);
    let (lines, groups) = lines(site, &totals, &callees, &heaps, suspended, source);
    let self_net = own_net(&lines, &groups);
    Some(data!(FunctionProfile {
        name: site.name.clone(),
        label: site.label.clone(),
        file: site.spec.file.to_owned(),
        line: site.spec.line,
        interval_ns: site.interval_ns,
        calls: calls + site.counted_only(),
        panics: totals.iter().map(|totals| totals.all_panics()).sum(),
        threads: totals.iter().map(|totals| totals.threads).sum(),
        time_ns: totals.iter().map(|totals| totals.time_ns).sum(),
        entry_rss: peak_call.as_ref().map_or(0, |call| call.entry_rss),
        exit_rss: peak_call.as_ref().map_or(0, |call| call.exit_rss),
        max_rss: totals.iter().map(|totals| totals.high).max()?,
        net_rss: totals.iter().map(|totals| totals.net).sum(),
        self_net_rss: self_net,
        peak_rss: peak,
        peak_at,
        unread_rise,
        heap: counted(heap, heap_peak),
        self_heap: counted(own.own, Some(own.self_peak)),
        heap_elsewhere: counted(other_threads, None),
        source: String::new(),
        source_line: site.spec.source_line,
        lines,
        groups,
        spread: (calls > 1).then_some(spread),
        suspended: suspended.sums.all.calls,
        suspended_heap: suspended.sums.all.heap,
        calls_omitted: 0,
        call_records: Vec::new(),
        series_call: None,
        series: Vec::new(),
        by: site.per_call.and_then(|site| site.by).map(str::to_owned),
        sizes: site.sizes().figures(site.spec.lines),
        growth: Vec::new(),
        call_maxima: site
            .maxima()
            .and_then(|maxima| maxima.maxima(site.spec.lines)),
    }))
}

/// The site's calls in progress.
pub(super) fn running<'threads>(
    site: &'static RegisteredSite,
    threads: &'threads [ThreadSnapshot],
) -> impl Iterator<Item = &'threads (OpenCall, Call)> {
    threads.iter().flat_map(|thread| {
        let running = &thread.running;
        let from = running.partition_point(|(open, _)| open.site.id < site.id);
        let to = running.partition_point(|(open, _)| open.site.id <= site.id);
        &running[from..to]
    })
}

/// What a site says of the calls that have ended and were read.
#[derive(Debug)]
pub(super) struct EndedFigures {
    /// The highest of them.
    highest: Option<Call>,
    /// How they are spread.
    peak_rss: Option<Quantiles>,
    time_ns: Option<Quantiles>,
}

impl EndedFigures {
    pub(super) fn of(calls: &SiteCalls) -> EndedFigures {
        EndedFigures {
            highest: calls.peak_call().map(|highest| highest.call.clone()),
            peak_rss: calls.spread().peak_rss.quantiles(),
            time_ns: calls.spread().time_ns.quantiles(),
        }
    }
}

/// The highest of the calls that were read. `ended`: the highest of those that have ended.
fn highest_call(
    site: &'static RegisteredSite,
    ended: Option<Call>,
    threads: &[ThreadSnapshot],
    suspended: &Suspended,
) -> Option<Call> {
    let running = running(site, threads).map(|(_, record)| record);
    let suspended = suspended.highest.iter();
    let suspended = suspended.map(|(_, highest)| &highest.call);
    running
        .chain(suspended)
        .fold(ended, |highest, record| match highest {
            Some(highest) if highest.rank() >= record.rank() => Some(highest),
            _ => Some(record.clone()),
        })
}

/// How the ended calls of the site are spread.
fn spread(
    site: &'static RegisteredSite,
    ended: &EndedFigures,
    totals: &[&SiteTotals],
    threads: &[ThreadSnapshot],
    suspended: &Suspended,
) -> CallSpread {
    let (mut allocated, mut heap_peak) = (Histogram::default(), Histogram::default());
    let mut calls = 0;
    for totals in totals {
        calls += totals.counters.calls();
        if let Some(spread) = totals.counters.spread() {
            spread.add_to(&mut allocated, &mut heap_peak);
        }
    }
    let in_progress = suspended.sums.all.calls + running(site, threads).count() as u64;
    let calls = calls.saturating_sub(in_progress);
    let of_heap = |mut histogram: Histogram| {
        histogram.fill_up_with_zeros(calls);
        heap::is_counted().then(|| histogram.quantiles()).flatten()
    };
    data!(CallSpread {
        allocated: of_heap(allocated),
        heap_peak: of_heap(heap_peak),
        peak_rss: ended.peak_rss,
        time_ns: ended.time_ns,
    })
}

/// The site's kept calls with those in progress added.
fn with_running(
    site: &'static RegisteredSite,
    mut calls: SiteCalls,
    threads: &[ThreadSnapshot],
    suspended: Suspended,
) -> SiteCalls {
    // `calls` is a copy, so the series that it gives back can be dropped.
    let mut go_on = HashSet::new();
    for (open, record) in running(site, threads) {
        go_on.insert(open.past.number);
        calls.add(record.clone());
        if calls.beats_peak_call(record) {
            drop(calls.set_peak_call(open.as_peak_call(record), &mut Vec::new()));
        }
    }
    let suspended_calls = suspended.calls.into_iter();
    for call in suspended_calls.filter(|call| !go_on.contains(&call.number)) {
        calls.add(call.record);
    }
    if let Some((_, highest)) = suspended.highest
        && calls.beats_peak_call(&highest.call)
    {
        drop(calls.set_peak_call(highest, &mut Vec::new()));
    }
    calls
}

/// What was done on the heap in each line, all threads together. Of a site without lines: in its calls.
fn heaps(site: &RegisteredSite, totals: &[&SiteTotals], callees: &[CalleeHeap]) -> Vec<HeapSums> {
    let places = 0..site.spec.lines.len().max(1);
    let of_place = |at| {
        let heaps = totals.iter().map(|totals| totals.counters.line_heap(at));
        heaps.fold(callees_of_line(callees, at, false), HeapSums::plus)
    };
    places.map(of_place).collect()
}

fn lines(
    site: &RegisteredSite,
    totals: &[&SiteTotals],
    callees: &[CalleeHeap],
    heaps: &[HeapSums],
    suspended: &Suspended,
    source: impl Fn(u32) -> &'static str,
) -> (Vec<Line>, Vec<LineGroup>) {
    let lines = site.spec.lines.iter().zip(heaps).enumerate();
    let line = |(at, (&number, &heap)): (usize, (&u32, &HeapSums))| {
        let suspended = suspended.sums.lines.get(at).copied().unwrap_or_default();
        data!(Line {
            line: number,
            source: source(number).to_owned(),
            suspended: suspended.calls,
            suspended_heap: suspended.heap,
            ..line(totals, callees, at, heap)
        })
    };
    let mut lines: Vec<Line> = lines.map(line).collect();
    let groups = groups::of_lines(&mut lines, totals);
    (lines, groups)
}

/// What no callee did.
fn own_net(lines: &[Line], groups: &[LineGroup]) -> i64 {
    let lines: i64 = lines.iter().map(|line| line.self_net_rss).sum();
    lines + groups.iter().map(|group| group.self_net_rss).sum::<i64>()
}

/// What callees in progress of the site's calls did on the heap.
fn callees(site: &RegisteredSite, threads: &[ThreadSnapshot]) -> Vec<CalleeHeap> {
    let callees = threads.iter().flat_map(|thread| &thread.callees);
    let callees = callees.filter(|callee| callee.site == site.id);
    callees.copied().collect()
}

/// What callees in progress of the line at place `at` did on the heap, and their highest rise. `elsewhere`: the
/// line is one of closures that work for other threads.
fn callees_of_line(callees: &[CalleeHeap], at: usize, elsewhere: bool) -> HeapSums {
    let callees = callees.iter();
    let callees = callees.filter(|callee| callee.line == at && callee.elsewhere == elsewhere);
    let heap = callees.map(|callee| HeapSums {
        callees: callee.change,
        peak: callee.peak,
        ..HeapSums::default()
    });
    heap.fold(HeapSums::default(), HeapSums::plus)
}

/// The figures of the line at place `at` in the site's list; `heap` is what was done on the heap in it.
fn line(totals: &[&SiteTotals], callees: &[CalleeHeap], at: usize, heap: HeapSums) -> Line {
    let mut sum = LineTotals::default();
    let mut hits = 0;
    for totals in totals {
        sum.add(&totals.lines[at]);
        hits += totals.counters.line(at).map_or(0, LineCounters::hits);
    }
    data!(Line {
        hits,
        readings: sum.readings,
        time_ns: sum.time_ns,
        max_rss: (sum.max_rss > 0).then_some(sum.max_rss),
        net_rss: sum.net,
        self_net_rss: sum.net - sum.callees,
        peak_rss: sum.peak,
        samples: sum.samples,
        shared: sum.shared,
        heap: counted(heap.whole(), Some(heap.peak.max(sum.heap_peak))),
        self_heap: counted(heap.own, Some(heap.self_peak)),
        heap_elsewhere: counted(sum.other_threads, None),
        workers: workers(totals, callees, at),
        origins: None,
    })
}

/// What closures did in the line at place `at` on other threads than their call's; `None` if nothing.
fn workers(totals: &[&SiteTotals], callees: &[CalleeHeap], at: usize) -> Option<Workers> {
    let mut sum = Workers::default();
    let mut heap = callees_of_line(callees, at, true);
    for workers in totals.iter().filter_map(|totals| totals.workers.as_ref()) {
        sum.time_ns += workers.time_ns[at];
        if let Some(counters) = workers.counters.line(at) {
            sum.hits += counters.hits();
            heap = heap.plus(workers.counters.line_heap(at));
        }
    }
    sum.heap = counted(heap.whole(), Some(heap.peak));
    (sum.hits > 0).then_some(sum)
}

/// `None` without the counting allocator.
fn counted(counts: Counts, peak: Option<u64>) -> Option<HeapFigures> {
    heap::is_counted().then_some(heap::figures(counts, peak.unwrap_or(0)))
}

/// The samples of the highest call that was read, from its entry to its exit.
fn series(site: &RegisteredSite, peak_call: &PeakCall) -> Vec<LineSample> {
    let sample = |point: &LinePoint| {
        data!(LineSample {
            t_ns: point.t_ns,
            rss: point.rss,
            heap: heap::is_counted().then_some(point.heap),
            line: site.line_number(point.line),
        })
    };
    let points = peak_call.series.iter().flat_map(|series| series.points());
    let mut series: Vec<LineSample> = points.map(sample).collect();
    let call = &peak_call.call;
    let at = |t_ns, rss, line| {
        data!(LineSample {
            t_ns,
            rss,
            heap: None,
            line,
        })
    };
    if series.is_empty() {
        series.push(at(call.start_ns, call.entry_rss, None));
    }
    if let Some(&last) = series.last()
        && last.t_ns < call.end_ns
    {
        series.push(data!(LineSample {
            heap: last.heap,
            ..at(call.end_ns, call.exit_rss, last.line)
        }));
    }
    series
}

#[cfg(test)]
mod tests;
