//! The highest RSS between two resets of the high-water mark.

use crate::os::{Os, ProcessCounts};

/// Where interval heights come from.
#[derive(Debug)]
pub(super) enum Peaks {
    Sampled {
        /// Highest sample of the interval in progress.
        high: u64,
    },
    Kernel(PeakInterval),
}

/// The interval in progress, where the kernel keeps the mark.
#[derive(Debug)]
pub(super) struct PeakInterval {
    /// Faults at its start.
    faults: u64,
    /// Highest sample in it.
    pub(super) high: u64,
    /// Up to here `ru_maxrss` may be a figure from before `exec`.
    floor: u64,
    /// By how much the kernel's counters fell short of the exact RSS at the interval's start; `None`
    /// where the floor hides it.
    shortfall: Option<i64>,
    /// What one processor can keep to itself, in bytes; see [`processor_share`].
    share: u64,
}

impl PeakInterval {
    /// `None` where the kernel's mark cannot be reset.
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

    /// The highest RSS between `before` and `now`; resets the mark. `None` when the kernel refuses.
    /// `alone`: the pages that came were touched by one thread.
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
        let interval_peak = interval_peak(&PeakEvidence {
            mark,
            if_all_stayed: alone.then(|| before + faults * os.page_size()),
            seen,
            shortfall: self.shortfall,
            share: self.share,
        });
        self.restart(os, now)?;
        Some(interval_peak)
    }

    /// The next interval begins with `now`.
    pub(super) fn restart(&mut self, os: &mut Os, now: u64) -> Option<()> {
        os.reset_high_water().ok()?;
        let counts = os.counts()?;
        self.faults = counts.faults;
        // Right after the reset the mark is what the kernel's own counters say of this moment.
        self.shortfall =
            (counts.max_rss > self.floor).then(|| now.wrapping_sub(counts.max_rss) as i64);
        Some(())
    }
}

/// What is known of a interval's interval_peak.
struct PeakEvidence {
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

/// A interval's interval_peak.
///
/// The mark is taken from counters that lag; see [`processor_share`]. Where the mark, corrected by
/// what was missing at the interval's start, agrees with the number of one thread's faults within what
/// a processor can have kept to itself in between, the faults are exact to a page and win. Where it
/// does not (pages came and went several times, or came several at a fault), and where several threads
/// were at work, the mark is what is known.
fn interval_peak(evidence: &PeakEvidence) -> u64 {
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
        .filter(|&interval_peak| corrected.abs_diff(interval_peak) <= error);
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

#[cfg(test)]
mod tests {
    use super::{PeakEvidence, interval_peak};

    const KIB: u64 = 1 << 10;

    /// A interval that began at 10 MiB, with figures above that in KiB.
    fn above_10_mib(mark: u64, if_all_stayed: u64, seen: u64, shortfall: Option<i64>) -> u64 {
        let start = 10_240;
        let interval_peak = interval_peak(&PeakEvidence {
            mark: (start + mark) * KIB,
            if_all_stayed: Some((start + if_all_stayed) * KIB),
            seen: (start + seen) * KIB,
            shortfall: shortfall.map(|kibibytes| kibibytes * KIB as i64),
            share: 124 * KIB,
        });
        interval_peak / KIB - start
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
