//! Exact readings: RSS now, and the highest RSS since the previous reading.
//!
//! The kernel keeps one high-water mark for the process. Every reading takes it and resets it, which
//! cuts the run into segments; the height of each segment is passed on to every lane that has calls
//! in progress, so that nested and concurrent calls each get their own true peak although they share
//! one mark.

use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use crate::calls::LinePoint;
use crate::heap::{self, Counts};
use crate::lane::Lane;
use crate::os::{Counts as Counted, Os};
use crate::run::{PeakMethod, Sample};
use crate::series::Series;

/// The process at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// Since the run's start. No two readings of a lane have the same.
    pub t_ns: u64,
    pub rss: u64,
    /// Heap of all threads but the reader's; zero where nobody counts.
    pub others: Counts,
    /// Live heap bytes of all threads.
    pub heap: u64,
    /// Whether others worked on the process's memory since the lane's previous reading.
    pub shared: bool,
    /// By how many bytes others may have changed RSS since then; [`u64::MAX`] where that cannot be told.
    pub foreign: u64,
}

impl Reading {
    /// The process at `t_ns`, on nobody's behalf.
    #[cfg(feature = "report")]
    pub(crate) fn of_process(t_ns: u64, rss: u64) -> Reading {
        Reading {
            t_ns,
            rss,
            heap: live_heap(),
            ..Reading::default()
        }
    }

    /// The same moment, in which only time has passed.
    pub(crate) fn at(self, t_ns: u64) -> Reading {
        Reading { t_ns, ..self }
    }

    /// Whichever of the two was taken later; of other threads' heap what this one knew, since `other`
    /// was not taken on the same lane.
    pub(crate) fn or_later(self, other: Reading) -> Reading {
        if other.t_ns > self.t_ns {
            Reading {
                others: self.others,
                ..other
            }
        } else {
            self
        }
    }

    pub(crate) fn point(self, line: u32) -> LinePoint {
        LinePoint {
            t_ns: self.t_ns,
            rss: self.rss,
            heap: self.heap,
            line,
        }
    }

    pub(crate) fn sample(self) -> Sample {
        sample(self.t_ns, self.rss, self.heap)
    }
}

/// What a lane remembers from one reading to the next, to tell whether others were at work.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Witness {
    /// Number of the reading.
    number: u64,
    /// Faults of the process and of the lane's thread.
    faults: u64,
    thread_faults: u64,
    /// Allocations of other threads, where they are counted.
    others: u64,
}

/// What a reading is booked as at most: one that took longer is one in which the thread lost its
/// processor to somebody else, which is not the reading's cost.
const LONGEST_NS: u64 = 100_000;

/// What a reading costs a budget at most, in costs of the cheapest so far. On a busy machine the rest is
/// waiting, and one that waited is no reason to read less.
const DEAREST: u64 = 4;

/// Faults of other threads that do not make a change of RSS a shared one: a stack's or two.
const STRAY_FAULTS: u64 = 8;

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
    /// RSS at the last reading.
    rss: u64,
    /// Highest RSS of the process as far as anybody saw.
    pub process_peak: u64,
    /// RSS before the first annotated call.
    pub baseline: u64,
    /// The process over time: the sampler's samples, and the readings of outermost calls.
    pub series: Series<Sample>,
    /// Exact readings so far, and what they took.
    pub readings: u64,
    pub reading_ns: u64,
    /// What the cheapest of them took.
    cheapest_ns: u64,
    /// Number of the last reading of a lane.
    number: u64,
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
    /// By how much the kernel's counters fell short of the exact RSS at the segment's start; `None`
    /// where the floor hides it.
    shortfall: Option<i64>,
    /// What one processor can keep to itself, in bytes; see [`processor_share`].
    share: u64,
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
        let mut series = Series::new(sample(1, 1, 0));
        series.push(sample(0, rss, live_heap()));
        Ok(Meter {
            start: Instant::now(),
            state: Mutex::new(State {
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
    /// previous reading, and what it costs the lane's budget in nanoseconds.
    ///
    /// `keep` puts it into the process's series.
    pub(crate) fn read(
        &self,
        lane: &Lane,
        witness: &mut Witness,
        keep: bool,
    ) -> (Reading, u64, u64) {
        let began = self.now_ns();
        let own = heap::of_this_thread().map(heap::Counters::counts);
        let mut state = self.state();
        let mut reading = state.read(Some(witness), || self.now_ns());
        let high = lane.take_high();
        if let (Some(own), Some(all)) = (own, heap::of_all_threads()) {
            reading.others = all.since(own);
            let before = std::mem::replace(&mut witness.others, reading.others.allocations);
            if before != reading.others.allocations {
                (reading.shared, reading.foreign) = (true, u64::MAX);
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

    /// A reading on nobody's behalf: its height reaches every lane.
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

    /// Has pages given back that figures left out: no line is to show that they went.
    #[cfg(all(feature = "report", target_os = "linux"))]
    pub(crate) fn give_back(&self, give_back: impl FnOnce()) {
        let mut state = self.state();
        // What was until here, everybody knows.
        state.read(None, || self.now_ns());
        give_back();
        let state = &mut *state;
        if let Peaks::Kernel(segment) = &mut state.peaks
            && segment.restart(&mut state.os, state.rss).is_none()
        {
            state.peaks = Peaks::Sampled { high: state.rss };
        }
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

    /// A reading; on behalf of the lane that `witness` is of, if it is of one.
    fn read(&mut self, witness: Option<&mut Witness>, now_ns: impl Fn() -> u64) -> Reading {
        let rss = self.rss();
        let counts = match self.peaks {
            Peaks::Kernel(_) => self.os.counts(),
            Peaks::Sampled { .. } => None,
        };
        let (alone, shared, foreign) = match witness {
            Some(witness) => {
                let faults = self.faults_of_others(witness, counts);
                let (alone, busy) = (faults <= STRAY_FAULTS, self.others_take_readings(witness));
                let foreign = match busy {
                    true => u64::MAX,
                    false => faults.saturating_mul(self.os.page_size()),
                };
                (alone, !alone || busy, foreign)
            }
            None => (false, false, 0),
        };
        let high = self.end_segment(rss, counts, alone);
        self.process_peak = self.process_peak.max(high);
        for lane in &self.lanes {
            lane.raise_high(high);
        }
        self.rss = rss;
        Reading {
            t_ns: now_ns(),
            rss,
            heap: live_heap(),
            shared,
            foreign,
            ..Reading::default()
        }
    }

    /// How many of the pages that came since the reading that `witness` saw were touched by other threads
    /// than the calling one, which is the witness's.
    fn faults_of_others(&self, witness: &mut Witness, counts: Option<Counted>) -> u64 {
        let Some(process) = counts.map(|counts| counts.faults) else {
            return 0;
        };
        // Without a fault of anybody's there is no need to ask for this thread's.
        if process == witness.faults {
            return 0;
        }
        let thread = self.os.thread_faults().unwrap_or(0);
        let all = process.wrapping_sub(std::mem::replace(&mut witness.faults, process));
        let own = thread.wrapping_sub(std::mem::replace(&mut witness.thread_faults, thread));
        all.saturating_sub(own)
    }

    /// Whether other annotated calls are in progress, or took readings since the one that `witness`
    /// saw.
    fn others_take_readings(&mut self, witness: &mut Witness) -> bool {
        self.number += 1;
        let previous = std::mem::replace(&mut witness.number, self.number);
        let busy = self.lanes.iter().filter(|lane| lane.is_busy());
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

    /// The height of the segment that ends now with `rss`; the next one begins.
    fn end_segment(&mut self, rss: u64, counts: Option<Counted>, alone: bool) -> u64 {
        let before = self.rss;
        match &mut self.peaks {
            Peaks::Sampled { high } => std::mem::replace(high, rss).max(rss).max(before),
            Peaks::Kernel(segment) => match segment.end(&mut self.os, counts, before, rss, alone) {
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
            shortfall: None,
            share: processor_share(os.processors(), os.page_size()),
        })
    }

    /// The highest RSS between `before` and `now`; resets the mark. `None` when the kernel refuses.
    /// `alone`: the pages that came were touched by one thread.
    fn end(
        &mut self,
        os: &mut Os,
        counts: Option<Counted>,
        before: u64,
        now: u64,
        alone: bool,
    ) -> Option<u64> {
        let counts = counts?;
        let faults = counts.faults.saturating_sub(self.faults);
        let seen = before.max(now).max(std::mem::take(&mut self.high));
        if faults == 0 && now <= before {
            // No page can have come without a fault: there was no peak to ask for.
            if now < before {
                os.reset_high_water().ok()?;
                self.shortfall = None;
            }
            return Some(seen);
        }
        let mark = match counts.max_rss {
            mark if mark > self.floor => mark,
            _ => os.high_water().ok()?,
        };
        let height = height(&Evidence {
            mark,
            if_all_stayed: alone.then(|| before + faults * os.page_size()),
            seen,
            shortfall: self.shortfall,
            share: self.share,
        });
        self.restart(os, now)?;
        Some(height)
    }

    /// The next segment begins with `now`.
    fn restart(&mut self, os: &mut Os, now: u64) -> Option<()> {
        os.reset_high_water().ok()?;
        let counts = os.counts()?;
        self.faults = counts.faults;
        // Right after the reset the mark is what the kernel's own counters say of this moment.
        self.shortfall =
            (counts.max_rss > self.floor).then(|| now.wrapping_sub(counts.max_rss) as i64);
        Some(())
    }
}

/// What is known of a segment's height.
struct Evidence {
    /// The kernel's high-water mark.
    mark: u64,
    /// RSS if every page that was faulted in was there at the same time; `None` when several threads
    /// touched pages, perhaps on several processors.
    if_all_stayed: Option<u64>,
    /// Highest RSS in an exact reading.
    seen: u64,
    shortfall: Option<i64>,
    share: u64,
}

/// A segment's height.
///
/// The mark is taken from counters that lag; see [`processor_share`]. Where the mark, corrected by
/// what was missing at the segment's start, agrees with the number of one thread's faults within what
/// a processor can have kept to itself in between, the faults are exact to a page and win. Where it
/// does not (pages came and went several times, or came several at a fault), and where several threads
/// were at work, the mark is what is known.
fn height(evidence: &Evidence) -> u64 {
    let corrected = evidence
        .mark
        .saturating_add_signed(evidence.shortfall.unwrap_or(0));
    // From one end of its range to the other; and unknown where it started, twice that.
    let error = match evidence.shortfall {
        Some(_) => 2 * evidence.share,
        None => 4 * evidence.share,
    };
    let refined = evidence
        .if_all_stayed
        .filter(|&height| corrected.abs_diff(height) <= error);
    refined.unwrap_or(evidence.mark).max(evidence.seen)
}

/// How many bytes of RSS one processor keeps to itself at most.
///
/// Since Linux 6.2 RSS is kept in per-CPU counters, of which each processor holds back up to
/// `max(32, 2 * processors) - 1` pages before it adds them to the sum, with as many `processors` as are
/// online, whether or not this process may use them (`lib/percpu_counter.c`: `compute_batch_value`).
/// `statm` adds these up, since 6.16; the high-water mark is taken without them (`include/linux/mm.h`:
/// `update_hiwater_rss`). Measured here: a temporary of 1 MiB raised the mark by 916 KiB.
fn processor_share(processors: u64, page_size: u64) -> u64 {
    (32.max(2 * processors) - 1) * page_size
}

fn sample(t_ns: u64, rss: u64, heap: u64) -> Sample {
    let heap = heap::is_counted().then_some(heap);
    Sample { t_ns, rss, heap }
}

/// Live heap bytes of all threads; 0 where nobody counts.
fn live_heap() -> u64 {
    let live = heap::of_all_threads().map_or(0, Counts::live);
    u64::try_from(live).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Evidence, height};

    const KIB: u64 = 1 << 10;

    /// A segment that began at 10 MiB, with figures above that in KiB.
    fn above_10_mib(mark: u64, if_all_stayed: u64, seen: u64, shortfall: Option<i64>) -> u64 {
        let start = 10_240;
        let height = height(&Evidence {
            mark: (start + mark) * KIB,
            if_all_stayed: Some((start + if_all_stayed) * KIB),
            seen: (start + seen) * KIB,
            shortfall: shortfall.map(|kibibytes| kibibytes * KIB as i64),
            share: 124 * KIB,
        });
        height / KIB - start
    }

    #[test]
    fn the_fault_count_refines_a_mark_that_agrees_with_it() {
        // A temporary of 1 MiB, of which the mark saw 916 KiB.
        assert_eq!(above_10_mib(916, 1024, 0, Some(40)), 1024);
        assert_eq!(above_10_mib(916, 1024, 0, None), 1024);
    }

    #[test]
    fn what_was_missing_at_the_start_is_taken_into_account() {
        // 400 KiB of the program's file pages have not reached the sum.
        assert_eq!(above_10_mib(600, 1024, 0, Some(400)), 1024);
    }

    #[test]
    fn the_mark_stands_where_pages_came_and_went() {
        // Ten temporaries of 1 MiB each: ten times the faults, one megabyte at a time.
        assert_eq!(above_10_mib(1024, 10_240, 0, Some(40)), 1024);
    }

    #[test]
    fn the_mark_stands_where_a_fault_brings_many_pages() {
        // Two huge pages, two faults.
        assert_eq!(above_10_mib(4096, 8, 0, Some(0)), 4096);
    }

    #[test]
    fn what_was_seen_is_never_undercut() {
        assert_eq!(above_10_mib(100, 100, 300, None), 300);
    }
}
