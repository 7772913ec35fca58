//! What a probe and the allocator count of one line.

use std::ptr;

use crate::counters::atomics::{AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed, add};
use crate::counters::counts::Counts;
use crate::counters::current_line;
use crate::counters::hits::Hits;
use crate::counters::line_blocks::LineBlocks;

/// In place of a line, while none of the call has start.
pub(crate) const NO_LINE: u32 = u32::MAX;

/// What a probe writes to.
pub(crate) type CurrentLine = current_line::CurrentLine<LineCounters>;

/// Stands for that of a lane where there is none; nothing is ever written to it.
pub(crate) static NO_CURRENT_LINE: CurrentLine = CurrentLine {
    slow_path: AtomicI64::new(0),
    line: AtomicPtr::new(ptr::null_mut()),
    heap_start: AtomicI64::new(0),
};

/// What a probe counts by itself.
#[derive(Debug, Default)]
pub(crate) struct LineCounters {
    hits: Hits,
    pub(super) heap: HeapCounters,
    /// Where blocks are followed.
    blocks: Option<Box<LineBlocks>>,
}

/// What was done on the heap in a line, or in a call.
#[derive(Debug, Default)]
pub(super) struct HeapCounters {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    pub(super) peak: AtomicI64,
}

impl LineCounters {
    /// With room for what its blocks do, if they are `followed`.
    pub(crate) fn new(followed: bool) -> LineCounters {
        LineCounters {
            blocks: followed.then(Box::default),
            ..LineCounters::default()
        }
    }

    pub(crate) fn blocks(&self) -> Option<&LineBlocks> {
        self.blocks.as_deref()
    }

    /// One more hit. Gives how many there will be before the line's next turn to be read: below 0, it is
    /// its turn.
    #[inline]
    pub(crate) fn hit(&self) -> i64 {
        self.hits.count()
    }

    /// Whether the hit in progress is the line's turn to be read.
    pub(crate) fn is_measurement_due(&self) -> bool {
        self.hits.is_measurement_due()
    }

    /// The next turn comes after so many hits.
    pub(crate) fn measure_after(&self, hits: u64) {
        self.hits.measure_after(hits);
    }

    /// By the lane's thread.
    pub(crate) fn own_hits(&self) -> u64 {
        self.hits.own()
    }

    /// By anybody.
    pub(crate) fn hits(&self) -> u64 {
        loop {
            match self.hits.seen() {
                Some(hits) => return hits,
                // The owner has a few instructions left to do, or has lost its processor among them.
                None => std::thread::yield_now(),
            }
        }
    }

    /// What happened inside of something that the line called; live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_heap(&self, change: Counts, peak: i64) {
        self.heap.book(change, peak);
    }

    /// An allocation in the line; live bytes are `rise` more than when it began.
    #[inline]
    pub(crate) fn book_allocation(&self, bytes: usize, rise: i64) {
        add(&self.heap.allocations, 1);
        self.book_growth(bytes, rise);
    }

    /// A block has grown in the line.
    #[inline]
    pub(crate) fn book_growth(&self, bytes: usize, rise: i64) {
        add(&self.heap.allocated, bytes as u64);
        self.heap.raise(rise);
    }

    /// A free in the line.
    #[inline]
    pub(crate) fn book_free(&self, bytes: usize) {
        add(&self.heap.freed, bytes as u64);
    }
}

impl HeapCounters {
    #[inline]
    pub(super) fn book(&self, change: Counts, peak: i64) {
        add(&self.allocated, change.allocated);
        add(&self.freed, change.freed);
        add(&self.allocations, change.allocations);
        self.raise(peak);
    }

    #[inline]
    pub(super) fn raise(&self, peak: i64) {
        if peak > self.peak.load(Relaxed) {
            self.peak.store(peak, Relaxed);
        }
    }

    pub(super) fn sum(&self) -> (Counts, u64) {
        let counts = Counts {
            allocated: self.allocated.load(Relaxed),
            freed: self.freed.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        };
        let peak = self.peak.load(Relaxed);
        (counts, u64::try_from(peak).unwrap_or(0))
    }
}
