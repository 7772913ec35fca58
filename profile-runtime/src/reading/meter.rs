//! Takes readings: RSS now, and the highest RSS since the same thread's previous reading.
//!
//! The kernel keeps one high-water mark for the process. Every reading, of whatever thread, takes the mark
//! and resets it. That cuts the run into intervals. The peak of each interval is passed on to every
//! [`PeakListener`], which keeps the highest until its own next reading. So nested and concurrent calls each
//! get their own true peak, although they share one mark:
//!
//! ```text
//!   readings:     A        B     A           B
//!   intervals:    ├── 40 ──┼ 70 ─┼──── 50 ───┤
//!   peak of A:    ├─────── 70 ───┤
//!   peak of B:             ├──────── 70 ─────┤
//! ```

use std::sync::{Mutex, MutexGuard};

use super::one_reading::{High, LastReading, Reading, live_heap, sample};
use super::peak::{PeakInterval, Peaks, processor_share};
use super::split::{Between, Parts};
use crate::counters::counts::Counts;
use crate::heap::{self, PendingFrees};
use crate::os::{Clock, Os, ProcessCounts, own_pages};
use crate::own_code::{Uncancelled, uncancelled};
use crate::sync::lock;
use memprof_model::run::Series;
use memprof_model::run::{PeakMethod, Sample};

/// The most time that is counted for a reading. In a longer one the thread lost its processor to somebody
/// else, which is not the reading's cost.
const LONGEST_NS: u64 = 100_000;

/// The most that a reading costs a budget, in multiples of the cheapest reading so far. The rest was waiting,
/// and waiting is no reason to read less.
const DEAREST: u64 = 4;

/// So many page faults of other threads are no work: they are those of a stack or two.
const STRAY_FAULTS: u64 = 8;

/// The least time that the kernel takes to unmap a page and to free it, where it is no part of a huge page. Measured:
/// 80 to 140 ns on a virtual machine (`munmap` of 4 and of 64 MiB); a third of that allows for faster ones.
const UNMAP_NS: u64 = 25;

/// How often RSS and the page faults are read at most for being of one moment.
const TRIES: u32 = 3;

/// A thread's recorder, which the meter tells the peak of every interval.
pub(crate) trait PeakListener: std::fmt::Debug + Sync {
    /// RSS was up to `rss` in an interval.
    fn raise_peak(&self, rss: u64);
    /// The highest RSS that it was told of since it was last asked.
    fn take_peak(&self) -> u64;
    /// Whether calls are in progress on its thread.
    fn is_busy(&self) -> bool;
}

/// The meter's figures of the whole run.
#[derive(Debug)]
pub(crate) struct MeterFigures {
    /// How RSS is read.
    pub backend: &'static str,
    pub peak_method: PeakMethod,
    /// Highest RSS of the process in any reading or sample.
    pub process_peak: u64,
    /// RSS before the first annotated call.
    pub baseline: u64,
    /// See [`Process::lag_rss`](memprof_model::run::Process::lag_rss).
    pub lag: u64,
    /// Readings of threads so far.
    pub readings: u64,
    /// The time that they took.
    pub reading_ns: u64,
    /// The process over time: the samples after the moment asked for.
    pub samples: Vec<Sample>,
    /// Bytes that the meter itself holds.
    pub bytes: u64,
}

/// Takes readings, one at a time for the whole process.
#[derive(Debug)]
pub(crate) struct Meter {
    clock: Clock,
    state: Mutex<MeterState>,
}

#[derive(Debug)]
struct MeterState {
    os: Os,
    peaks: Peaks,
    /// RSS at the last reading.
    rss: u64,
    process_peak: u64,
    /// Highest RSS before the recorder started.
    peak_before: u64,
    baseline: u64,
    /// Page faults before the recorder started: of the process less those of the thread that started it.
    faults_before: u64,
    /// The process over time: the samples, and the readings of outermost calls.
    series: Series<Sample>,
    readings: u64,
    reading_ns: u64,
    /// The time that the cheapest of them took.
    cheapest_ns: u64,
    /// Number of the last reading of a thread.
    number: u64,
    /// Page faults of the process until the last reading.
    faults: u64,
    /// Bytes that were given back and that no thread has taken as its own; see [`super::split`].
    untaken: u64,
    /// Bytes that came and that no thread has claimed as its own, those among them that there were at the start.
    unclaimed: u64,
    /// Whether a page fault may bring a huge page.
    huge_pages: bool,
    listeners: Vec<&'static dyn PeakListener>,
    /// The first error of a reading, to be told to the user.
    complaint: Option<String>,
}

impl Meter {
    /// Takes the first reading.
    pub(crate) fn new(mut os: Os, clock: Clock, sampled_peaks: bool) -> std::io::Result<Meter> {
        let rss = os.rss()?;
        let before = os.high_water().unwrap_or(rss);
        let interval = match sampled_peaks {
            true => None,
            false => PeakInterval::begin(&mut os),
        };
        let peaks = interval.map_or(Peaks::Sampled { high: rss }, Peaks::Kernel);
        let huge_pages = os.gives_huge_pages();
        let faults = os.counts().map_or(0, |counts| counts.faults);
        let faults_before = faults_of_others(&os);
        let unclaimed = os.anonymous(rss);
        let mut series = Series::new(sample(1, 1, 0));
        series.push(sample(0, rss, live_heap()));
        Ok(Meter {
            clock,
            state: Mutex::new(MeterState {
                os,
                peaks,
                rss,
                process_peak: before.max(rss),
                peak_before: before.max(rss),
                baseline: rss,
                faults_before,
                series,
                readings: 0,
                reading_ns: 0,
                cheapest_ns: u64::MAX,
                number: 0,
                faults,
                untaken: 0,
                unclaimed,
                huge_pages,
                listeners: Vec::new(),
                complaint: None,
            }),
        })
    }

    /// The recorder has started, on the calling thread. What RSS rose by meanwhile is memprof's own, as far as no
    /// thread of the program touched it; `own_threads` are the page faults of ours. The figures begin once more.
    pub(crate) fn begin_again(&self, own_threads: u64) {
        let mut guard = self.state();
        let state = &mut *guard;
        let others = faults_of_others(&state.os).saturating_sub(state.faults_before);
        let others = others.saturating_sub(own_threads);
        let programs = others.saturating_mul(state.os.page_size());
        let rise = state.rss().saturating_sub(state.baseline);
        own_pages::note_start(rise.saturating_sub(programs));
        let rss = state.rss();
        state.rss = rss;
        state.faults = state.os.counts().map_or(0, |counts| counts.faults);
        (state.untaken, state.unclaimed) = (0, state.os.anonymous(rss));
        state.process_peak = state.peak_before.max(rss);
        match &mut state.peaks {
            Peaks::Sampled { high } => *high = rss,
            Peaks::Kernel(interval) => {
                interval.high = 0;
                if interval.restart(&mut state.os, rss).is_none() {
                    state.peaks = Peaks::Sampled { high: rss };
                }
            }
        }
        state.series.clear();
        state.series.push(sample(0, state.baseline, live_heap()));
    }

    /// Nanoseconds since the run's start.
    pub(crate) fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    fn state(&self) -> Uncancelled<MutexGuard<'_, MeterState>> {
        uncancelled(|| lock(&self.state))
    }

    /// A reading for the calling thread, whose recorder is `listener`. Gives what holds now, the highest RSS
    /// since that thread's previous reading, and the nanoseconds that the reading costs the thread's budget.
    ///
    /// `keep`: the reading becomes a sample of the process's series, too.
    pub(crate) fn read(
        &self,
        listener: &dyn PeakListener,
        last_reading: &mut LastReading,
        keep: bool,
    ) -> (Reading, High, u64) {
        let began = self.now_ns();
        let mut state = self.state();
        let (mut reading, between) = state.read_of_thread(last_reading, || self.now_ns());
        let high = listener.take_peak();
        let high = state.split(&mut reading, last_reading, between, high);
        if keep {
            state.series.push(reading.sample());
        }
        let took = self.now_ns().saturating_sub(began).min(LONGEST_NS);
        state.readings += 1;
        state.reading_ns += took;
        state.cheapest_ns = state.cheapest_ns.min(took);
        let cost = took.min(state.cheapest_ns.saturating_mul(DEAREST));
        (reading, high, cost)
    }

    /// A reading for no thread in particular. Every listener is told the peak of its interval.
    pub(crate) fn read_for_all(&self) -> Reading {
        let mut state = self.state();
        let reading = state.read(|| self.now_ns());
        state.series.push(reading.sample());
        reading
    }

    /// A sample: RSS only. The kernel's mark is left alone.
    pub(crate) fn sample(&self) -> Reading {
        let mut state = self.state();
        let rss = state.rss();
        state.note_sample(rss);
        let reading = Reading {
            t_ns: self.now_ns(),
            rss,
            heap: live_heap(),
            ..Reading::default()
        };
        state.series.push(reading.sample());
        reading
    }

    /// From now on `listener` is told the peak of every interval.
    pub(crate) fn add_listener(&self, listener: &'static dyn PeakListener) {
        self.state().listeners.push(listener);
    }

    /// The figures of the run so far, with the samples after `since_ns`, or all of them.
    pub(crate) fn figures(&self, since_ns: Option<u64>) -> MeterFigures {
        let state = self.state();
        let points = state.series.points();
        let new = points.partition_point(|point| Some(point.t_ns) <= since_ns);
        MeterFigures {
            backend: state.os.name(),
            peak_method: state.peak_method(),
            process_peak: state.process_peak,
            baseline: state.baseline,
            lag: processor_share(state.os.processors(), state.os.page_size()),
            readings: state.readings,
            reading_ns: state.reading_ns,
            samples: points[new..].to_vec(),
            bytes: state.bytes(),
        }
    }

    /// Takes the first error of a reading, if there was one.
    pub(crate) fn take_complaint(&self) -> Option<String> {
        self.state().complaint.take()
    }
}

impl MeterState {
    fn peak_method(&self) -> PeakMethod {
        match self.peaks {
            Peaks::Kernel(_) => PeakMethod::Kernel,
            Peaks::Sampled { .. } => PeakMethod::Sampled,
        }
    }

    fn bytes(&self) -> u64 {
        let listeners = self.listeners.capacity() * size_of::<&dyn PeakListener>();
        self.series.bytes() + listeners as u64
    }

    /// Takes a reading on nobody's behalf and tells the listeners the peak of its interval.
    fn read(&mut self, now_ns: impl Fn() -> u64) -> Reading {
        let (rss, counts) = (self.rss(), self.os.counts());
        self.end_interval(rss, counts, false);
        Reading {
            t_ns: now_ns(),
            rss,
            heap: live_heap(),
            others_worked: self.busy_threads() > 1,
            ..Reading::default()
        }
    }

    /// Takes a reading for the calling thread and tells the listeners the peak of its interval. What is known of
    /// the time since the thread's last reading comes with it; the change is not split yet.
    fn read_of_thread(
        &mut self,
        last: &mut LastReading,
        now_ns: impl Fn() -> u64,
    ) -> (Reading, Between) {
        let (rss, counts, heap, meanwhile) = self.look(last);
        let lag = std::mem::replace(&mut last.meanwhile, meanwhile) + meanwhile;
        let faults = counts.map(|counts| self.faults_since(last, counts));
        let only_stray = faults.is_none_or(|faults| faults.others <= STRAY_FAULTS);
        self.end_interval(rss, counts, only_stray);
        let before = match heap {
            Some(heap) => std::mem::replace(&mut last.heap, heap),
            None => last.heap,
        };
        let heap = heap.map(|heap| Parts {
            own: heap.own.since(before.own),
            others: heap.others.since(before.others),
        });
        let is_first = last.number == 0;
        last.others_worked = self.others_take_readings(last)
            || !only_stray
            || heap.is_some_and(|heap| heap.others != Counts::default());
        heap::settle_this_thread();
        let pending = match heap.is_some() && last.others_worked {
            true => heap::pending_frees(last.heap.sum().freed),
            false => PendingFrees::default(),
        };
        let begun = std::mem::replace(&mut last.being_freed, pending.being_freed);
        let strays = faults.is_some_and(|faults| faults.others > 0);
        let strayed_before = std::mem::replace(&mut last.others_strayed, strays);
        let reading = Reading {
            t_ns: now_ns(),
            rss,
            heap: live_heap(),
            other_threads: last.heap.others,
            others_worked: last.others_worked,
            ..Reading::default()
        };
        let most_gone = match heap.is_none() && last.others_worked {
            true => self.most_gone_since(last),
            false => u64::MAX,
        };
        let between = Between {
            is_first,
            change: rss.wrapping_sub(last.rss) as i64,
            faults,
            strayed_before,
            heap,
            begun,
            pending,
            untaken: self.untaken,
            most_gone,
            unclaimed: self.unclaimed,
            grown_before: (last.rss as i64 - last.others) - last.own_at_first,
            lag: lag * self.os.page_size(),
            page: self.os.page_size(),
        };
        (reading, between)
    }

    /// Splits what happened since the thread's last reading, up to `high`, between it and others, and gives the
    /// peak.
    fn split(
        &mut self,
        reading: &mut Reading,
        last: &mut LastReading,
        between: Between,
        high: u64,
    ) -> High {
        let before = Reading {
            rss: std::mem::replace(&mut last.rss, reading.rss),
            others: last.others,
            ..Reading::default()
        };
        let split = between.split(reading.others_worked);
        self.unclaimed = self.unclaimed.saturating_sub(split.claimed);
        self.untaken = self.untaken.saturating_sub(split.taken);
        last.others += split.others;
        if between.is_first {
            last.own_at_first = reading.rss as i64 - last.others;
        }
        (reading.others, reading.unsure) = (last.others, split.unsure);
        let ends = before.high().max(reading.high());
        // Others were at least as high as at the lower of both ends, as far as is known.
        let own = high as i64 - before.others.min(reading.others);
        if !reading.others_worked {
            return ends.max(High { rss: high, own });
        }
        let rise = high.saturating_sub(before.rss);
        self.huge_pages |= between.shows_huge_pages(rise);
        let most = before.own() + between.most_own(rise, self.huge_pages) as i64;
        let passed = High {
            rss: high,
            own: own.min(most),
        };
        let passed = ends.max(passed);
        let passing = risen(passed.own - ends.own);
        let of_others = between.most_of_others(rise, self.huge_pages);
        reading.unsure = reading.unsure.saturating_add(passing.min(of_others));
        passed
    }

    /// RSS and the counts of one moment, and how many page faults there may be between the two. The heap is as it was
    /// just before: of what others had freed by then all pages have gone.
    ///
    /// Where others were at rest until the reading before, their faults since then are looked at first: the thread may
    /// have lost its processor between the two, to one that begins.
    fn look(
        &mut self,
        last: &LastReading,
    ) -> (u64, Option<ProcessCounts>, Option<Parts<Counts>>, u64) {
        let mut before = last.others_worked.then(|| self.os.counts()).flatten();
        let mut tries = 0;
        loop {
            let heap = heap_now();
            let (rss, counts) = (self.rss(), self.os.counts());
            let faults = counts.map_or(0, |counts| counts.faults);
            let (meanwhile, at_most) =
                match before.map(|before| faults.saturating_sub(before.faults)) {
                    Some(meanwhile) => (meanwhile, meanwhile),
                    None => (0, self.faults_of_others_since(last, faults)),
                };
            tries += 1;
            if at_most <= STRAY_FAULTS || tries == TRIES {
                return (rss, counts, heap, meanwhile);
            }
            before = counts;
        }
    }

    /// How much the calling thread can have given back since its last reading, in the time that it ran.
    fn most_gone_since(&self, last: &mut LastReading) -> u64 {
        let cpu_ns = self.os.thread_cpu_ns();
        let ran_ns = cpu_ns.saturating_sub(std::mem::replace(&mut last.cpu_ns, cpu_ns));
        if cpu_ns == 0 || self.huge_pages {
            return u64::MAX;
        }
        (ran_ns / UNMAP_NS).saturating_mul(self.os.page_size())
    }

    /// Page faults of others since the last reading of the calling thread; of the process there were `faults` by now.
    fn faults_of_others_since(&self, last: &LastReading, faults: u64) -> u64 {
        let all = faults.saturating_sub(last.faults);
        if all <= STRAY_FAULTS {
            return all;
        }
        let thread = self.os.thread_faults().unwrap_or(0);
        all.saturating_sub(thread.saturating_sub(last.thread_faults))
    }

    /// Page faults of the calling thread and of others since its last reading.
    fn faults_since(&self, last: &mut LastReading, process: ProcessCounts) -> Parts<u64> {
        // Without any fault in the process there is no need to ask for this thread's.
        if process.faults == last.faults {
            return Parts::default();
        }
        let thread = self.os.thread_faults().unwrap_or(0);
        let all = process.faults.wrapping_sub(last.faults);
        let own = thread.wrapping_sub(last.thread_faults).min(all);
        (last.faults, last.thread_faults) = (process.faults, thread);
        Parts {
            own,
            others: all - own,
        }
    }

    /// Whether other threads are in annotated calls, or took readings since `last`.
    fn others_take_readings(&mut self, last: &mut LastReading) -> bool {
        self.number += 1;
        let previous = std::mem::replace(&mut last.number, self.number);
        self.busy_threads() > 1 || previous + 1 != self.number
    }

    /// How many threads are in annotated calls.
    fn busy_threads(&self) -> usize {
        let busy = self.listeners.iter().filter(|listener| listener.is_busy());
        busy.count()
    }

    /// RSS now, or that of the last reading if the system does not answer.
    fn rss(&mut self) -> u64 {
        match self.os.rss() {
            Ok(rss) => rss,
            Err(error) => {
                self.complaint.get_or_insert_with(|| {
                    format!("the process's memory cannot be read any more: {error}")
                });
                self.rss
            }
        }
    }

    /// Ends the interval, with `rss` at its end, and tells the listeners its peak. The next interval begins.
    fn end_interval(&mut self, rss: u64, counts: Option<ProcessCounts>, alone: bool) {
        let high = self.peak_until(rss, counts, alone);
        self.note_come_and_gone(rss, counts);
        self.process_peak = self.process_peak.max(high);
        for listener in &self.listeners {
            listener.raise_peak(high);
        }
        self.rss = rss;
    }

    /// Adds what came and what was given back in the interval that ends with `rss`. Where RSS lags behind the faults a
    /// little, the next interval sets that right.
    fn note_come_and_gone(&mut self, rss: u64, counts: Option<ProcessCounts>) {
        let faults = counts.map_or(self.faults, |counts| counts.faults);
        let by_faults = faults.wrapping_sub(std::mem::replace(&mut self.faults, faults));
        let by_faults = by_faults.saturating_mul(self.os.page_size());
        // What came in huge pages is no less than RSS rose by.
        let came = by_faults.max(rss.saturating_sub(self.rss));
        self.unclaimed = self.unclaimed.saturating_add(came);
        let before = self.untaken.saturating_add(self.rss);
        self.untaken = before.saturating_add(by_faults).saturating_sub(rss);
    }

    /// The peak of the interval that ends with `rss`.
    fn peak_until(&mut self, rss: u64, counts: Option<ProcessCounts>, alone: bool) -> u64 {
        let before = self.rss;
        match &mut self.peaks {
            Peaks::Sampled { high } => std::mem::replace(high, rss).max(rss).max(before),
            Peaks::Kernel(interval) => match interval.end(&mut self.os, counts, before, rss, alone)
            {
                Some(high) => high,
                None => {
                    self.peaks = Peaks::Sampled { high: rss };
                    rss.max(before)
                }
            },
        }
    }

    /// A sample has found `rss`.
    fn note_sample(&mut self, rss: u64) {
        self.process_peak = self.process_peak.max(rss);
        match &mut self.peaks {
            Peaks::Kernel(interval) => interval.high = interval.high.max(rss),
            Peaks::Sampled { high } => {
                *high = (*high).max(rss);
                for listener in &self.listeners {
                    listener.raise_peak(rss);
                }
            }
        }
    }
}

/// What the calling thread and all others did on the heap so far, where that is counted.
fn heap_now() -> Option<Parts<Counts>> {
    let own = heap::of_this_thread()?.counts();
    let others = heap::of_all_threads()?.since(own);
    Some(Parts { own, others })
}

/// By how much something rose; 0 if it fell.
fn risen(change: i64) -> u64 {
    u64::try_from(change).unwrap_or(0)
}

/// Page faults of the process so far, without those of the calling thread.
fn faults_of_others(os: &Os) -> u64 {
    let faults = os.counts().map_or(0, |counts| counts.faults);
    faults.saturating_sub(os.thread_faults().unwrap_or(0))
}

#[cfg(test)]
mod tests;
