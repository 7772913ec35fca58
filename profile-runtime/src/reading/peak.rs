//! The highest RSS in an interval between two resets of the kernel's high-water mark.
//!
//! Three things are known of an interval, and none is enough alone:
//!
//! ```text
//!   RSS   │       ╭──╮      ← the true peak
//!         │ · · · │· │· · · ← the mark: the kernel's counters lag, so it can be too low
//!         │   ╭───╯  ╰──╮
//!         │───╯         ╰── ← RSS at the end, an exact reading
//!         ├─────────────┤
//!      before          now
//! ```
//!
//! 1. No page fault in the interval, and RSS did not grow: there was no peak. Nothing is asked.
//! 2. The mark agrees with `before` + faults × page size, within what the counters can lag: all pages that
//!    came were there at once, and the number of faults gives the peak to a page.
//! 3. Otherwise (pages came and went several times, a fault brought several pages, or several threads touched
//!    pages) the mark is the best that is known.
//!
//! The peak is never lower than RSS in a reading or sample.

use crate::os::{Os, ProcessCounts};

/// Where the peaks of intervals come from.
#[derive(Debug)]
pub(super) enum Peaks {
    /// From readings and samples alone.
    Sampled {
        /// Highest sample of the interval in progress.
        high: u64,
    },
    /// From the kernel's high-water mark.
    Kernel(PeakInterval),
}

/// The interval in progress, where the kernel's mark is used.
#[derive(Debug)]
pub(super) struct PeakInterval {
    /// Page faults of the process at its start.
    faults: u64,
    /// Highest sample so far.
    pub(super) high: u64,
    /// `ru_maxrss` at the first reset. Up to here it may be a figure from before `exec`.
    floor: u64,
    /// By how much the mark fell short of the exact RSS at the interval's start; `None` where `floor` hides
    /// the mark.
    shortfall: Option<i64>,
    /// The bytes that one processor can hold back from the mark; see [`processor_share`].
    share: u64,
}

impl PeakInterval {
    /// Resets the mark. `None` where the kernel does not offer that, or another copy of memprof does it.
    pub(super) fn begin(os: &mut Os) -> Option<PeakInterval> {
        os.reset_high_water().ok()?;
        let counts = os.counts()?;
        Some(PeakInterval {
            faults: counts.faults,
            high: 0,
            floor: counts.max_rss,
            shortfall: None,
            share: processor_share(os.processors(), os.page_size()),
        })
    }

    /// Ends the interval and begins the next. Gives its peak, with RSS `before` at its start and `now` at its
    /// end; `None` if the kernel refuses. `alone`: one thread touched all pages that came.
    pub(super) fn end(
        &mut self,
        os: &mut Os,
        counts: Option<ProcessCounts>,
        before: u64,
        now: u64,
        alone: bool,
    ) -> Option<u64> {
        let counts = counts?;
        let faults = counts.faults.saturating_sub(self.faults);
        let seen = before.max(now).max(std::mem::take(&mut self.high));
        if faults == 0 && now <= before {
            // No page comes without a fault, so there was no peak.
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
        let peak = interval_peak(&PeakEvidence {
            mark,
            if_all_stayed: alone.then(|| before + faults * os.page_size()),
            seen,
            shortfall: self.shortfall,
            share: self.share,
        });
        self.restart(os, now)?;
        Some(peak)
    }

    /// Resets the mark: the next interval begins with RSS `now`.
    pub(super) fn restart(&mut self, os: &mut Os, now: u64) -> Option<()> {
        os.reset_high_water().ok()?;
        let counts = os.counts()?;
        self.faults = counts.faults;
        // Right after the reset the mark is what the lagging counters say of this moment.
        self.shortfall =
            (counts.max_rss > self.floor).then(|| now.wrapping_sub(counts.max_rss) as i64);
        Some(())
    }
}

/// What is known of an interval's peak.
struct PeakEvidence {
    /// The kernel's high-water mark.
    mark: u64,
    /// RSS if all pages that came were there at once; `None` if several threads touched pages, perhaps on
    /// several processors.
    if_all_stayed: Option<u64>,
    /// Highest RSS in a reading or sample.
    seen: u64,
    /// See [`PeakInterval::shortfall`].
    shortfall: Option<i64>,
    /// See [`PeakInterval::share`].
    share: u64,
}

/// The peak of an interval.
///
/// The mark is taken from counters that lag; see [`processor_share`]. The mark is first corrected by the
/// shortfall at the interval's start. If it then agrees with the number of one thread's faults, within what a
/// processor can have held back in between, the faults give the peak to a page. Otherwise the mark does.
fn interval_peak(evidence: &PeakEvidence) -> u64 {
    let corrected = evidence
        .mark
        .saturating_add_signed(evidence.shortfall.unwrap_or(0));
    // The counter can be off by the full share in either direction (2x). If its state at the start is
    // unknown too, by twice that (4x).
    let error = match evidence.shortfall {
        Some(_) => 2 * evidence.share,
        None => 4 * evidence.share,
    };
    let refined = evidence
        .if_all_stayed
        .filter(|&by_faults| corrected.abs_diff(by_faults) <= error);
    refined.unwrap_or(evidence.mark).max(evidence.seen)
}

/// How many bytes of RSS one processor holds back from the high-water mark at most.
///
/// Since Linux 6.2 RSS is kept in per-CPU counters. Each processor holds back up to
/// `max(32, 2 * processors) - 1` pages before it adds them to the sum, where `processors` are those online,
/// whether or not this process may use them (`lib/percpu_counter.c`: `compute_batch_value`). Since 6.16
/// `statm` adds up what is held back. The high-water mark is taken without that (`include/linux/mm.h`:
/// `update_hiwater_rss`). Measured here: a temporary of 1 MiB raised the mark by 916 KiB.
pub(super) fn processor_share(processors: u64, page_size: u64) -> u64 {
    (32.max(2 * processors) - 1) * page_size
}

#[cfg(test)]
mod tests {
    use super::{PeakEvidence, interval_peak};

    const KIB: u64 = 1 << 10;

    /// The peak of an interval that began at 10 MiB; all figures are in KiB above that.
    fn above_10_mib(mark: u64, if_all_stayed: u64, seen: u64, shortfall: Option<i64>) -> u64 {
        let start = 10_240;
        let peak = interval_peak(&PeakEvidence {
            mark: (start + mark) * KIB,
            if_all_stayed: Some((start + if_all_stayed) * KIB),
            seen: (start + seen) * KIB,
            shortfall: shortfall.map(|kibibytes| kibibytes * KIB as i64),
            share: 124 * KIB,
        });
        peak / KIB - start
    }

    #[test]
    fn interval_peak_is_the_fault_count_if_the_mark_agrees_with_it() {
        // A temporary of 1 MiB, of which the mark saw 916 KiB.
        assert_eq!(above_10_mib(916, 1024, 0, Some(40)), 1024);
        assert_eq!(above_10_mib(916, 1024, 0, None), 1024);
    }

    #[test]
    fn interval_peak_is_corrected_by_the_shortfall_at_the_start() {
        // 400 KiB of the program's file pages have not reached the sum.
        assert_eq!(above_10_mib(600, 1024, 0, Some(400)), 1024);
    }

    #[test]
    fn interval_peak_is_the_mark_where_pages_came_and_went() {
        // Ten temporaries of 1 MiB each: ten times the faults, one megabyte at a time.
        assert_eq!(above_10_mib(1024, 10_240, 0, Some(40)), 1024);
    }

    #[test]
    fn interval_peak_is_the_mark_where_a_fault_brings_many_pages() {
        // Two huge pages, two faults.
        assert_eq!(above_10_mib(4096, 8, 0, Some(0)), 4096);
    }

    #[test]
    fn interval_peak_is_never_below_what_was_seen() {
        assert_eq!(above_10_mib(100, 100, 300, None), 300);
    }
}
