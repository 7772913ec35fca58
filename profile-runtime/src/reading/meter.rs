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

use super::one_reading::{LastReading, Reading, live_heap, sample};
use super::peak::{PeakInterval, Peaks, processor_share};
use crate::heap;
use crate::os::{Clock, Os, ProcessCounts};
use crate::sync::lock;
use memprof_model::run::Series;
use memprof_model::run::{PeakMethod, Sample};

/// The most time that is counted for a reading. In a longer one the thread lost its processor to somebody
/// else, which is not the reading's cost.
const LONGEST_NS: u64 = 100_000;

/// The most that a reading costs a budget, in multiples of the cheapest reading so far. The rest was waiting,
/// and waiting is no reason to read less.
const DEAREST: u64 = 4;

/// So many page faults of other threads do not make a change of RSS a shared one: they are those of a stack or
/// two.
const STRAY_FAULTS: u64 = 8;

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
    baseline: u64,
    /// The process over time: the samples, and the readings of outermost calls.
    series: Series<Sample>,
    readings: u64,
    reading_ns: u64,
    /// The time that the cheapest of them took.
    cheapest_ns: u64,
    /// Number of the last reading of a thread.
    number: u64,
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
        let mut series = Series::new(sample(1, 1, 0));
        series.push(sample(0, rss, live_heap()));
        Ok(Meter {
            clock,
            state: Mutex::new(MeterState {
                os,
                peaks,
                rss,
                process_peak: before.max(rss),
                baseline: rss,
                series,
                readings: 0,
                reading_ns: 0,
                cheapest_ns: u64::MAX,
                number: 0,
                listeners: Vec::new(),
                complaint: None,
            }),
        })
    }

    /// Nanoseconds since the run's start.
    pub(crate) fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    fn state(&self) -> MutexGuard<'_, MeterState> {
        lock(&self.state)
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
    ) -> (Reading, u64, u64) {
        let began = self.now_ns();
        let own = heap::of_this_thread().map(heap::ThreadCounters::counts);
        let mut state = self.state();
        let mut reading = state.read(Some(last_reading), || self.now_ns());
        let high = listener.take_peak();
        if let (Some(own), Some(all)) = (own, heap::of_all_threads()) {
            reading.other_threads = all.since(own);
            let before = std::mem::replace(
                &mut last_reading.other_threads,
                reading.other_threads.allocations,
            );
            if before != reading.other_threads.allocations {
                (reading.shared, reading.changed_by_others) = (true, u64::MAX);
            }
        }
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
        let reading = state.read(None, || self.now_ns());
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

    /// Takes a reading and tells the listeners the peak of its interval. `last_reading`: that of the calling
    /// thread, if the reading is for a thread.
    fn read(
        &mut self,
        last_reading: Option<&mut LastReading>,
        now_ns: impl Fn() -> u64,
    ) -> Reading {
        let rss = self.rss();
        let counts = match self.peaks {
            Peaks::Kernel(_) => self.os.counts(),
            Peaks::Sampled { .. } => None,
        };
        let (alone, shared, changed_by_others) = match last_reading {
            Some(last_reading) => {
                let faults = self.faults_of_others(last_reading, counts);
                let (alone, busy) = (
                    faults <= STRAY_FAULTS,
                    self.others_take_readings(last_reading),
                );
                let changed_by_others = match busy {
                    true => u64::MAX,
                    false => faults.saturating_mul(self.os.page_size()),
                };
                (alone, !alone || busy, changed_by_others)
            }
            None => (false, false, 0),
        };
        let high = self.end_interval(rss, counts, alone);
        self.process_peak = self.process_peak.max(high);
        for listener in &self.listeners {
            listener.raise_peak(high);
        }
        self.rss = rss;
        Reading {
            t_ns: now_ns(),
            rss,
            heap: live_heap(),
            shared,
            changed_by_others,
            ..Reading::default()
        }
    }

    /// How many page faults other threads than the calling one had since `last_reading`.
    fn faults_of_others(
        &self,
        last_reading: &mut LastReading,
        counts: Option<ProcessCounts>,
    ) -> u64 {
        let Some(process) = counts.map(|counts| counts.faults) else {
            return 0;
        };
        // Without any fault in the process there is no need to ask for this thread's.
        if process == last_reading.faults {
            return 0;
        }
        let thread = self.os.thread_faults().unwrap_or(0);
        let all = process.wrapping_sub(std::mem::replace(&mut last_reading.faults, process));
        let own = thread.wrapping_sub(std::mem::replace(&mut last_reading.thread_faults, thread));
        all.saturating_sub(own)
    }

    /// Whether other threads are in annotated calls, or took readings since `last_reading`.
    fn others_take_readings(&mut self, last_reading: &mut LastReading) -> bool {
        self.number += 1;
        let previous = std::mem::replace(&mut last_reading.number, self.number);
        let busy = self.listeners.iter().filter(|listener| listener.is_busy());
        busy.count() > 1 || previous + 1 != self.number
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

    /// Ends the interval, with `rss` at its end, and gives its peak. The next interval begins.
    fn end_interval(&mut self, rss: u64, counts: Option<ProcessCounts>, alone: bool) -> u64 {
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

#[cfg(test)]
mod tests;
