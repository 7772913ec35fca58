//! What a probe and the allocator count of one line.

use std::ptr;

use crate::counters::atomics::{AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed, add};
use crate::counters::counts::Counts;
use crate::counters::current_line;
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
};

/// The counters of one line on one thread.
#[derive(Debug, Default)]
pub(crate) struct LineCounters {
    hits: Hits,
    /// How often the line was gone back to without a hit, after a block inside of it.
    resumes: AtomicU64,
    pub(super) heap: HeapCounters,
    /// What became of the line's blocks, where blocks are followed.
    blocks: Option<Box<LineBlocks>>,
}

/// Heap counters of a line, or of a site's counted calls.
#[derive(Debug, Default)]
pub(super) struct HeapCounters {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    pub(super) peak: AtomicI64,
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
    pub(crate) fn book_heap(&self, change: Counts, peak: i64) {
        self.heap.book(change, peak);
    }

    /// Books an allocation; live bytes are `rise` more than when the line began.
    #[inline]
    pub(crate) fn book_allocation(&self, bytes: usize, rise: i64) {
        add(&self.heap.allocations, 1);
        self.book_growth(bytes, rise);
    }

    /// Books the growth of a block; live bytes are `rise` more than when the line began.
    #[inline]
    pub(crate) fn book_growth(&self, bytes: usize, rise: i64) {
        add(&self.heap.allocated, bytes as u64);
        self.heap.raise(rise);
    }

    /// Books a free.
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

    /// The counts, and the highest rise of live bytes.
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
