//! What one reading says: the process at a moment.

use crate::counters::counts::Counts;
use crate::heap;
use memprof_model::data;
use memprof_model::run::Sample;
use memprof_model::run::SeriesPoint;

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
    pub changed_by_others: u64,
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
pub(crate) struct LastReading {
    /// Number of the reading.
    pub(super) number: u64,
    /// Faults of the process and of the lane's thread.
    pub(super) faults: u64,
    pub(super) thread_faults: u64,
    /// Allocations of other threads, where they are counted.
    pub(super) others: u64,
}

/// A sample during a call; `line` is an index into the site's lines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinePoint {
    pub t_ns: u64,
    pub rss: u64,
    /// Live heap bytes of the process; 0 where nobody counts.
    pub heap: u64,
    pub line: u32,
}

impl SeriesPoint for LinePoint {
    fn t_ns(&self) -> u64 {
        self.t_ns
    }
    fn value(&self) -> u64 {
        self.rss
    }
}

pub(super) fn sample(t_ns: u64, rss: u64, heap: u64) -> Sample {
    let heap = heap::is_counted().then_some(heap);
    data!(Sample { t_ns, rss, heap })
}

/// Live heap bytes of all threads; 0 where nobody counts.
pub(super) fn live_heap() -> u64 {
    let live = heap::of_all_threads().map_or(0, Counts::live);
    u64::try_from(live).unwrap_or(0)
}
