//! Exact readings: RSS now, and the highest RSS since the previous reading.
//!
//! The kernel keeps one high-water mark for the process. Every reading takes it and resets it, which
//! cuts the run into segments; the interval_peak of each interval is passed on to every [`PeakListener`], so that
//! nested and concurrent calls each get their own true peak although they share one mark.

use std::sync::{Mutex, MutexGuard};

use super::one_reading::{LastReading, Reading, live_heap, sample};
use super::peak::{PeakInterval, Peaks};
use crate::heap;
use crate::os::{Clock, Os, ProcessCounts};
use crate::sync::lock;
use memprof_model::run::Series;
use memprof_model::run::{PeakMethod, Sample};

/// What a reading is booked as at most: one that took longer is one in which the thread lost its
/// processor to somebody else, which is not the reading's cost.
const LONGEST_NS: u64 = 100_000;

/// What a reading costs a budget at most, in costs of the cheapest so far. On a busy machine the rest is
/// waiting, and one that waited is no reason to read less.
const DEAREST: u64 = 4;

/// Faults of other threads that do not make a change of RSS a shared one: a stack's or two.
const STRAY_FAULTS: u64 = 8;

/// A thread with calls of its own, which is told how high RSS was between two readings of anybody.
pub(crate) trait PeakListener: std::fmt::Debug + Sync {
    /// RSS was up to `rss`.
    fn raise_peak(&self, rss: u64);
    /// The highest that it was told of since it was asked last.
    fn take_peak(&self) -> u64;
    /// Whether calls are in progress on it.
    fn is_busy(&self) -> bool;
}

/// What the meter knows of the process beside single readings.
#[derive(Debug)]
pub(crate) struct MeterFigures {
    /// How RSS is read.
    pub backend: &'static str,
    pub peak_method: PeakMethod,
    /// Highest RSS of the process as far as anybody saw.
    pub process_peak: u64,
    /// RSS before the first annotated call.
    pub baseline: u64,
    /// Exact readings so far, and what they took.
    pub readings: u64,
    pub reading_ns: u64,
    /// The process over time, after the moment asked for.
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
    /// The process over time: the sampler's samples, and the readings of outermost calls.
    series: Series<Sample>,
    readings: u64,
    reading_ns: u64,
    /// What the cheapest of them took.
    cheapest_ns: u64,
    /// Number of the last reading of a thread.
    number: u64,
    listeners: Vec<&'static dyn PeakListener>,
    complaint: Option<String>,
}

impl Meter {
    /// Takes the first reading.
    pub(crate) fn new(mut os: Os, clock: Clock, sampled_peaks: bool) -> std::io::Result<Meter> {
        let rss = os.rss()?;
        let before = os.high_water().unwrap_or(rss);
        let peaks = match PeakInterval::begin(&mut os) {
            Some(interval) if !sampled_peaks => Peaks::Kernel(interval),
            _ => Peaks::Sampled { high: rss },
        };
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

    /// An exact reading for the thread that `listener` is of: what holds now, the highest RSS since that
    /// thread's previous reading, and what it costs the thread's budget in nanoseconds.
    ///
    /// `keep` puts it into the process's series.
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
            reading.others = all.since(own);
            let before = std::mem::replace(&mut last_reading.others, reading.others.allocations);
            if before != reading.others.allocations {
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

    /// A reading on nobody's behalf: its interval_peak reaches every listener.
    pub(crate) fn read_for_all(&self) -> Reading {
        let mut state = self.state();
        let reading = state.read(None, || self.now_ns());
        state.series.push(reading.sample());
        reading
    }

    /// The sampler's reading: RSS only, the kernel's mark is left alone.
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

    /// From now on `listener` is told of every interval_peak.
    pub(crate) fn add_listener(&self, listener: &'static dyn PeakListener) {
        self.state().listeners.push(listener);
    }

    /// What is known so far, with the process's samples after `since_ns`, or all of them.
    pub(crate) fn figures(&self, since_ns: Option<u64>) -> MeterFigures {
        let state = self.state();
        let points = state.series.points();
        let new = points.partition_point(|point| Some(point.t_ns) <= since_ns);
        MeterFigures {
            backend: state.os.name(),
            peak_method: state.peak_method(),
            process_peak: state.process_peak,
            baseline: state.baseline,
            readings: state.readings,
            reading_ns: state.reading_ns,
            samples: points[new..].to_vec(),
            bytes: state.bytes(),
        }
    }

    /// What went wrong with a reading, once.
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

    /// A reading; on behalf of the thread that `last_reading` is of, if it is of one.
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
        let high = self.end_segment(rss, counts, alone);
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

    /// How many of the pages that came since the reading that `last_reading` saw were touched by other threads
    /// than the calling one, which is the last_reading's.
    fn faults_of_others(
        &self,
        last_reading: &mut LastReading,
        counts: Option<ProcessCounts>,
    ) -> u64 {
        let Some(process) = counts.map(|counts| counts.faults) else {
            return 0;
        };
        // Without a fault of anybody's there is no need to ask for this thread's.
        if process == last_reading.faults {
            return 0;
        }
        let thread = self.os.thread_faults().unwrap_or(0);
        let all = process.wrapping_sub(std::mem::replace(&mut last_reading.faults, process));
        let own = thread.wrapping_sub(std::mem::replace(&mut last_reading.thread_faults, thread));
        all.saturating_sub(own)
    }

    /// Whether other annotated calls are in progress, or took readings since the one that `last_reading`
    /// saw.
    fn others_take_readings(&mut self, last_reading: &mut LastReading) -> bool {
        self.number += 1;
        let previous = std::mem::replace(&mut last_reading.number, self.number);
        let busy = self.listeners.iter().filter(|listener| listener.is_busy());
        busy.count() > 1 || previous + 1 != self.number
    }

    /// RSS now; what held before where the system does not answer.
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

    /// The interval_peak of the interval that ends now with `rss`; the next one begins.
    fn end_segment(&mut self, rss: u64, counts: Option<ProcessCounts>, alone: bool) -> u64 {
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
