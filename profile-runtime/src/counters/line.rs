//! What a probe and the allocator count of one line.

use std::ptr;

use crate::counters::atomics::{AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed, add};
use crate::counters::counts::Counts;
use crate::counters::current_line::{self, Rise};
use crate::counters::hits::Hits;
use crate::counters::line_blocks::LineBlocks;

/// In place of a line's index while the call has not reached its first line.
pub(crate) const NO_LINE: u32 = u32::MAX;

/// The current line of a recorder, as probes write it.
pub(crate) type CurrentLine = current_line::CurrentLine<LineCounters>;

/// In place of a recorder's current line where there is no recorder. Nothing is ever written to it.
pub(crate) static NO_CURRENT_LINE: CurrentLine = CurrentLine {
    slow_path: AtomicI64::new(0),
    line: AtomicPtr::new(ptr::null_mut()),
    heap_start: AtomicI64::new(0),
    self_start: AtomicI64::new(0),
};

/// The counters of one line on one thread.
// In this order, with the hits inside: at the beginning they would be where the line is, and the compiler would keep
// the addresses of all lines of a loop at hand instead of reckoning each from that of the first line.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct LineCounters {
    /// What the line did on the heap by itself, as the allocator counts it.
    own: HeapCounters,
    hits: Hits,
    /// How often the line was gone back to without a hit, after a block inside of it.
    resumes: AtomicU64,
    /// The highest rise of live bytes above the line's beginning, and what callees rose to.
    pub(super) peak: Highest,
    /// The highest rise above a call's beginning, less what the call's callees have kept.
    self_peak: Highest,
    /// What became of the line's blocks, where blocks are followed.
    blocks: Option<Box<LineBlocks>>,
    /// What calls that the line made did, less what is booked on other lines of the same function.
    callees: HeapCounters,
}

/// Counts of bytes and allocations.
#[derive(Debug, Default)]
struct HeapCounters {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
}

/// The highest of several rises.
#[derive(Debug, Default)]
pub(super) struct Highest(AtomicI64);

/// What was done on the heap: by a line, or by all lines of a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HeapSums {
    /// Without callees.
    pub own: Counts,
    /// What callees did.
    pub callees: Counts,
    /// The highest rise of live bytes in a line.
    pub peak: u64,
    /// The highest of the call's own, without what its callees had kept.
    pub self_peak: u64,
}

impl LineCounters {
    /// Counters of a new line, with counters of its blocks if these are `followed`.
    pub(crate) fn new(followed: bool) -> LineCounters {
        LineCounters {
            blocks: followed.then(Box::default),
            ..LineCounters::default()
        }
    }

    pub(crate) fn blocks(&self) -> Option<&LineBlocks> {
        self.blocks.as_deref()
    }

    /// Counts a hit. Gives how many are left before the next measured one; below 0, this hit is due.
    #[inline]
    pub(crate) fn hit(&self) -> i64 {
        self.hits.count()
    }

    /// The line goes on without a hit.
    #[inline]
    pub(crate) fn count_resume(&self) {
        add(&self.resumes, 1);
    }

    /// How often the line was gone back to without a hit.
    pub(crate) fn resumes(&self) -> u64 {
        self.resumes.load(Relaxed)
    }

    /// Whether the hit in progress is due to be measured.
    pub(crate) fn is_measurement_due(&self) -> bool {
        self.hits.is_measurement_due()
    }

    /// The hit after so many from now is measured.
    pub(crate) fn measure_after(&self, hits: u64) {
        self.hits.measure_after(hits);
    }

    /// Hits so far, asked by the recorder's own thread.
    pub(crate) fn own_hits(&self) -> u64 {
        self.hits.own()
    }

    /// Hits so far, asked by anybody.
    pub(crate) fn hits(&self) -> u64 {
        loop {
            match self.hits.seen() {
                Some(hits) => return hits,
                // The owner is between two stores, and may have lost its processor there.
                None => std::thread::yield_now(),
            }
        }
    }

    /// Books what a callee of the line did on the heap; live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_callee(&self, change: Counts, peak: i64) {
        self.callees.add(change);
        self.peak.raise(peak);
    }

    /// A callee of the line did `change` on other lines of the same function, which have booked it.
    pub(crate) fn take_off(&self, change: Counts) {
        self.callees.add(Counts::default().since(change));
    }

    /// Books an allocation.
    #[inline]
    pub(crate) fn book_allocation(&self, bytes: usize, rise: Rise) {
        add(&self.own.allocations, 1);
        self.book_growth(bytes, rise);
    }

    /// Books the growth of a block.
    #[inline]
    pub(crate) fn book_growth(&self, bytes: usize, rise: Rise) {
        add(&self.own.allocated, bytes as u64);
        self.peak.raise(rise.line);
        self.self_peak.raise(rise.own);
    }

    /// Books a free.
    #[inline]
    pub(crate) fn book_free(&self, bytes: usize) {
        add(&self.own.freed, bytes as u64);
    }

    /// What it did on the heap so far.
    pub(super) fn heap(&self) -> HeapSums {
        HeapSums {
            own: self.own.sum(),
            callees: self.callees.sum(),
            peak: self.peak.get(),
            self_peak: self.self_peak.get(),
        }
    }
}

impl HeapCounters {
    #[inline]
    fn add(&self, change: Counts) {
        add(&self.allocated, change.allocated);
        add(&self.freed, change.freed);
        add(&self.allocations, change.allocations);
    }

    fn sum(&self) -> Counts {
        Counts {
            allocated: self.allocated.load(Relaxed),
            freed: self.freed.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }
}

impl Highest {
    #[inline]
    pub(super) fn raise(&self, rise: i64) {
        if rise > self.0.load(Relaxed) {
            self.0.store(rise, Relaxed);
        }
    }

    pub(super) fn restart(&self) {
        self.0.store(0, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        u64::try_from(self.0.load(Relaxed)).unwrap_or(0)
    }
}

impl HeapSums {
    /// With callees. While a call is in progress, what was done inside of it may be taken off already: then
    /// nothing is said of the rest.
    pub(crate) fn whole(self) -> Counts {
        let whole = self.own.plus(self.callees);
        let at_least_nothing = |count| if (count as i64) < 0 { 0 } else { count };
        Counts {
            allocated: at_least_nothing(whole.allocated),
            freed: at_least_nothing(whole.freed),
            allocations: at_least_nothing(whole.allocations),
        }
    }

    /// What was done with callees since `before`.
    pub(crate) fn since(self, before: HeapSums) -> Counts {
        let whole = self.own.plus(self.callees);
        whole.since(before.own.plus(before.callees))
    }

    /// Of both.
    pub(crate) fn plus(self, other: HeapSums) -> HeapSums {
        HeapSums {
            own: self.own.plus(other.own),
            callees: self.callees.plus(other.callees),
            peak: self.peak.max(other.peak),
            self_peak: self.self_peak.max(other.self_peak),
        }
    }
}
