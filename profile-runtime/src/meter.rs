//! Exact readings: RSS now, and the highest RSS since the previous reading.
//!
//! The kernel keeps one high-water mark for the process. Every reading takes it and resets it, which
//! cuts the run into segments; the height of each segment is passed on to every lane that has calls
//! in progress, so that nested and concurrent calls each get their own true peak although they share
//! one mark.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use crate::lane::Lane;
use crate::os::Os;
use crate::run::{PeakMethod, Sample};
use crate::series::Series;

/// RSS at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// Counts the process's readings; tells two of them apart.
    pub seq: u64,
    /// Since the run's start.
    pub t_ns: u64,
    pub rss: u64,
}

/// Takes readings, one at a time for the whole process.
#[derive(Debug)]
pub(crate) struct Meter {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    os: Os,
    peaks: Peaks,
    last: Reading,
    /// Highest RSS of the process as far as anybody saw.
    pub process_peak: u64,
    /// RSS before the first annotated call.
    pub baseline: u64,
    /// The process over time: the sampler's samples, and the readings of outermost calls.
    pub series: Series<Sample>,
    /// Exact readings so far, and what they took.
    pub readings: u64,
    pub reading_ns: u64,
    lanes: Vec<&'static Lane>,
    complaint: Option<String>,
}

/// Where segment heights come from.
#[derive(Debug)]
enum Peaks {
    Sampled {
        /// Highest sample of the segment in progress.
        high: u64,
    },
    Kernel(Segment),
}

/// The segment in progress, where the kernel keeps the mark.
#[derive(Debug)]
struct Segment {
    /// Faults at its start.
    faults: u64,
    /// Highest sample in it.
    high: u64,
    /// Up to here `ru_maxrss` may be a figure from before `exec`.
    floor: u64,
    /// By how much the kernel's mark can be off; see [`mark_error`].
    error: u64,
}

impl Meter {
    /// Takes the first reading.
    pub(crate) fn new(mut os: Os, sampled_peaks: bool) -> std::io::Result<Meter> {
        let rss = os.rss()?;
        let before = os.high_water().unwrap_or(rss);
        let peaks = match Segment::begin(&mut os) {
            Some(segment) if !sampled_peaks => Peaks::Kernel(segment),
            _ => Peaks::Sampled { high: rss },
        };
        let mut series = Series::new(sample(1, 1));
        series.push(sample(0, rss));
        Ok(Meter {
            start: Instant::now(),
            state: Mutex::new(State {
                os,
                peaks,
                last: Reading {
                    seq: 1,
                    t_ns: 0,
                    rss,
                },
                process_peak: before.max(rss),
                baseline: rss,
                series,
                readings: 0,
                reading_ns: 0,
                lanes: Vec::new(),
                complaint: None,
            }),
        })
    }

    /// Nanoseconds since the run's start.
    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        crate::lock(&self.state)
    }

    /// An exact reading for the thread of `lane`: what holds now, the highest RSS since the lane's
    /// previous reading, and what it took in nanoseconds (waiting for other threads included).
    pub(crate) fn read(&self, lane: &Lane, keep: bool) -> (Reading, u64, u64) {
        let began = self.now_ns();
        let mut state = self.state();
        let reading = state.read(|| self.now_ns());
        let high = lane.take_high();
        if keep {
            state.series.push(sample(reading.t_ns, reading.rss));
        }
        let took = self.now_ns().saturating_sub(began);
        state.readings += 1;
        state.reading_ns += took;
        (reading, high, took)
    }

    /// A reading on nobody's behalf: its height reaches every lane.
    pub(crate) fn read_for_all(&self) -> Reading {
        let mut state = self.state();
        let reading = state.read(|| self.now_ns());
        state.series.push(sample(reading.t_ns, reading.rss));
        reading
    }

    /// The sampler's reading: RSS only, the kernel's mark is left alone.
    pub(crate) fn sample(&self) -> Reading {
        let mut state = self.state();
        let rss = state.rss();
        let t_ns = self.now_ns();
        state.note_sample(rss);
        state.series.push(sample(t_ns, rss));
        Reading { seq: 0, t_ns, rss }
    }

    pub(crate) fn add_lane(&self, lane: &'static Lane) {
        self.state().lanes.push(lane);
    }

    /// Visits every lane that was ever opened. A lane's lock may be taken inside: ours is not held.
    pub(crate) fn for_each_lane(&self, mut visit: impl FnMut(&'static Lane)) {
        let mut at = 0;
        loop {
            let lane = self.state().lanes.get(at).copied();
            match lane {
                Some(lane) => visit(lane),
                None => return,
            }
            at += 1;
        }
    }

    /// What went wrong with a reading, once.
    pub(crate) fn take_complaint(&self) -> Option<String> {
        self.state().complaint.take()
    }
}

impl State {
    pub(crate) fn backend(&self) -> &'static str {
        self.os.name()
    }

    pub(crate) fn peak_method(&self) -> PeakMethod {
        match self.peaks {
            Peaks::Kernel(_) => PeakMethod::Kernel,
            Peaks::Sampled { .. } => PeakMethod::Sampled,
        }
    }

    /// Bytes that the meter itself holds.
    pub(crate) fn bytes(&self) -> u64 {
        self.series.bytes() + (self.lanes.capacity() * size_of::<&Lane>()) as u64
    }

    fn read(&mut self, now_ns: impl Fn() -> u64) -> Reading {
        let rss = self.rss();
        let high = self.end_segment(rss);
        self.process_peak = self.process_peak.max(high);
        for lane in &self.lanes {
            lane.raise_high(high);
        }
        self.last = Reading {
            seq: self.last.seq + 1,
            t_ns: now_ns(),
            rss,
        };
        self.last
    }

    /// RSS now; what held before where the system does not answer.
    fn rss(&mut self) -> u64 {
        match self.os.rss() {
            Ok(rss) => rss,
            Err(error) => {
                self.complaint.get_or_insert_with(|| {
                    format!("the process's memory cannot be read any more: {error}")
                });
                self.last.rss
            }
        }
    }

    /// The height of the segment that ends now with `rss`; the next one begins.
    fn end_segment(&mut self, rss: u64) -> u64 {
        let before = self.last.rss;
        match &mut self.peaks {
            Peaks::Sampled { high } => std::mem::replace(high, rss).max(rss).max(before),
            Peaks::Kernel(segment) => match segment.end(&mut self.os, before, rss) {
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
            Peaks::Kernel(segment) => segment.high = segment.high.max(rss),
            Peaks::Sampled { high } => {
                *high = (*high).max(rss);
                for lane in &self.lanes {
                    lane.raise_high(rss);
                }
            }
        }
    }
}

impl Segment {
    /// `None` where the kernel's mark cannot be reset.
    fn begin(os: &mut Os) -> Option<Segment> {
        os.reset_high_water().ok()?;
        let counts = os.counts()?;
        Some(Segment {
            faults: counts.faults,
            high: 0,
            floor: counts.max_rss,
            error: mark_error(os.page_size()),
        })
    }

    /// The highest RSS between `before` and `now`; resets the mark. `None` when the kernel refuses.
    fn end(&mut self, os: &mut Os, before: u64, now: u64) -> Option<u64> {
        let counts = os.counts()?;
        let faults = counts.faults.saturating_sub(self.faults);
        let seen = before.max(now).max(std::mem::take(&mut self.high));
        if faults == 0 && now <= before {
            // No page can have come without a fault: there was no peak to ask for.
            if now < before {
                os.reset_high_water().ok()?;
            }
            return Some(seen);
        }
        let mark = match counts.max_rss {
            mark if mark > self.floor => mark,
            _ => os.high_water().ok()?,
        };
        os.reset_high_water().ok()?;
        self.faults = counts.faults;
        let if_all_stayed = before + faults * os.page_size();
        Some(height(mark, if_all_stayed, seen, self.error))
    }
}

/// The segment's height from the kernel's `mark`, which can be off by `error`, the RSS
/// `if_all_stayed` (every page that was faulted in was there at the same time), and the highest RSS
/// `seen` in an exact reading.
///
/// Where mark and fault count agree within the mark's own error, the fault count is exact to a page
/// and wins; where they do not (pages came and went several times, or came several at a fault), the
/// mark is what is known.
fn height(mark: u64, if_all_stayed: u64, seen: u64, error: u64) -> u64 {
    if mark.abs_diff(if_all_stayed) <= error {
        if_all_stayed.max(seen)
    } else {
        mark.max(seen)
    }
}

/// By how many bytes the kernel's high-water mark can be off.
///
/// Since Linux 6.2 RSS is a per-CPU counter (`percpu_counter`), of which each processor keeps up to
/// `max(32, 2 * processors) - 1` pages to itself (`lib/percpu_counter.c`: `compute_batch_value`).
/// `statm` adds these up; the mark is taken without them (`mm/memory.c`: `update_hiwater_rss`).
/// Measured here: a temporary of 1 MiB raised the mark by 916 KiB.
fn mark_error(page_size: u64) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let batch = 32.max(2 * processors);
    (batch - 1) * processors * page_size
}

fn sample(t_ns: u64, rss: u64) -> Sample {
    Sample {
        t_ns,
        rss,
        heap: None,
    }
}

#[cfg(test)]
mod tests {
    use super::height;

    const KIB: u64 = 1 << 10;
    const ERROR: u64 = 248 * KIB;

    #[test]
    fn the_fault_count_refines_a_mark_that_agrees_with_it() {
        // A temporary of 1 MiB above 10 MiB, of which the mark saw 916 KiB.
        let before = 10_240 * KIB;
        let height = height(before + 916 * KIB, before + 1024 * KIB, before, ERROR);
        assert_eq!(height, before + 1024 * KIB);
    }

    #[test]
    fn the_mark_stands_where_pages_came_and_went() {
        // Ten temporaries of 1 MiB each: ten times the faults, one megabyte at a time.
        let before = 10_240 * KIB;
        let mark = before + 1024 * KIB;
        assert_eq!(height(mark, before + 10_240 * KIB, before, ERROR), mark);
    }

    #[test]
    fn the_mark_stands_where_a_fault_brings_many_pages() {
        // Two huge pages, two faults.
        let mark = 14_336 * KIB;
        assert_eq!(height(mark, 10_248 * KIB, 10_240 * KIB, ERROR), mark);
    }

    #[test]
    fn what_was_seen_is_never_undercut() {
        assert_eq!(height(100 * KIB, 100 * KIB, 300 * KIB, ERROR), 300 * KIB);
    }
}
