//! Up to where a thread's heap has been booked on its lines.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use super::light::NO_LINE;
use crate::heap::{Counters, Counts};
use crate::tally::LineCells;

/// Written by the lane's thread alone.
#[derive(Debug, Default)]
pub(crate) struct HeapMark {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    /// Live bytes when the line in progress began.
    line_start: AtomicI64,
    /// Highest live bytes since the innermost call began.
    high: AtomicI64,
}

impl HeapMark {
    /// Whether the thread allocated or freed since.
    #[inline]
    pub(crate) fn is_behind(&self, counters: &Counters) -> bool {
        let allocated = self.allocated.load(Relaxed);
        counters.events() != allocated.wrapping_add(self.freed.load(Relaxed))
    }

    /// Books what the thread has done since on `line`, which is over.
    #[inline(never)]
    pub(crate) fn settle(&self, lines: &[LineCells], line: u32, counters: &Counters) {
        // Before the first line: left to it, as everything else is.
        if line == NO_LINE {
            self.see_high(counters, counters.counts());
        } else {
            let now = self.book(lines, line, counters);
            self.line_start.store(now.live(), Relaxed);
        }
    }

    /// Books what the thread has done since on `line`, which goes on after something inside of it;
    /// gives the thread's counts.
    #[inline]
    pub(crate) fn pause(&self, lines: &[LineCells], line: u32, counters: &Counters) -> Counts {
        if self.is_behind(counters) {
            self.book(lines, line, counters)
        } else {
            self.seen()
        }
    }

    fn book(&self, lines: &[LineCells], line: u32, counters: &Counters) -> Counts {
        let now = counters.counts();
        let high = self.see_high(counters, now);
        if let Some(cells) = lines.get(line as usize) {
            let rise = high.wrapping_sub(self.line_start.load(Relaxed));
            cells.book_heap(now.since(self.seen()), rise);
        }
        self.set_seen(now);
        now
    }

    /// The highest live bytes since this was asked last.
    fn see_high(&self, counters: &Counters, now: Counts) -> i64 {
        let high = counters.take_high().max(now.live());
        if high > self.high.load(Relaxed) {
            self.high.store(high, Relaxed);
        }
        high
    }

    /// Nobody's: the thread was in no call.
    #[inline]
    pub(crate) fn skip(&self, counters: &Counters) -> Counts {
        let now = counters.counts();
        counters.take_high();
        self.set_seen(now);
        now
    }

    /// A call begins with `live` bytes, or one goes on.
    #[inline]
    pub(crate) fn go_on(&self, line_start: i64, high: i64) {
        self.line_start.store(line_start, Relaxed);
        self.high.store(high, Relaxed);
    }

    #[inline]
    pub(crate) fn line_start(&self) -> i64 {
        self.line_start.load(Relaxed)
    }

    #[inline]
    pub(crate) fn high(&self) -> i64 {
        self.high.load(Relaxed)
    }

    #[inline]
    fn seen(&self) -> Counts {
        Counts {
            allocated: self.allocated.load(Relaxed),
            freed: self.freed.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }

    #[inline]
    fn set_seen(&self, counts: Counts) {
        self.allocated.store(counts.allocated, Relaxed);
        self.freed.store(counts.freed, Relaxed);
        self.allocations.store(counts.allocations, Relaxed);
    }
}
