//! What a probe writes while nothing is due, and where the allocator finds the line that runs.

use std::ptr;

use crate::counters::atomics::{
    AtomicI64, AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

/// Set in the pointer to a line once the heap was touched in this hit of it.
const TOUCHED: usize = 1;

/// The innermost call's line in progress. Written by the thread of the lane alone, `slow_path` by
/// anybody.
#[derive(Debug)]
#[repr(align(64))] // A cache line of its own: what others write of the lane does not slow its probes.
pub(crate) struct CurrentLine<L: 'static> {
    /// Not 0: the next probe has more to do than to count its hit. It is larger then than what any line has
    /// left before its turn (`counters::hits`).
    pub(crate) slow_path: AtomicI64,
    /// What the line in progress counts on; its lowest bit is [`TOUCHED`]. Null outside of calls.
    pub(crate) line: AtomicPtr<L>,
    /// Live heap bytes of the thread when the line began, once it is touched.
    pub(crate) heap_start: AtomicI64,
}

impl<L> CurrentLine<L> {
    pub(crate) fn new(slow_path: i64) -> CurrentLine<L> {
        CurrentLine {
            slow_path: AtomicI64::new(slow_path),
            line: AtomicPtr::new(ptr::null_mut()),
            heap_start: AtomicI64::new(0),
        }
    }

    #[inline]
    pub(crate) fn slow_path(&self) -> i64 {
        self.slow_path.load(Relaxed)
    }

    /// `line` begins.
    #[inline]
    pub(crate) fn begin(&self, line: &'static L) {
        self.line.store(ptr::from_ref(line).cast_mut(), Release);
    }

    /// `line` goes on, which began with `heap_start` bytes; with `None` nothing is in progress.
    #[inline]
    pub(crate) fn go_on(&self, line: Option<&'static L>, heap_start: i64) {
        let line = line.map_or(ptr::null_mut(), |line| {
            let line = ptr::from_ref(line).cast_mut();
            line.map_addr(|address| address | TOUCHED)
        });
        self.heap_start.store(heap_start, Relaxed);
        self.line.store(line, Release);
    }

    /// The line in progress.
    #[inline]
    pub(crate) fn line(&self) -> Option<&'static L> {
        line_of(self.line.load(Acquire))
    }

    /// Live bytes when the line in progress began, if there are `live` now. By the owner only, as what
    /// follows.
    #[inline]
    pub(crate) fn heap_start(&self, live: i64) -> i64 {
        if self.line.load(Relaxed).addr() & TOUCHED == 0 {
            return live;
        }
        self.touched_at()
    }

    /// The thread allocates or frees; it had `live` bytes before. Hands the line on which that is to be
    /// booked to `book`.
    // Which is called from two places, because what comes out of both would be asked again whether it is
    // null.
    #[inline]
    pub(crate) fn touch(&self, live: impl FnOnce() -> i64, book: impl Fn(&'static L)) {
        let tagged = self.line.load(Relaxed);
        if tagged.addr() & TOUCHED != 0 {
            let line = tagged.map_addr(|address| address.wrapping_sub(TOUCHED));
            // SAFETY: what is tagged was made by `go_on` from a `&'static L`; null never is.
            book(unsafe { &*line });
        } else if let Some(line) = line_of(tagged) {
            self.go_on(Some(line), live());
            book(line);
        }
    }

    /// Live bytes when the line in progress began, which is touched.
    #[inline]
    pub(crate) fn touched_at(&self) -> i64 {
        self.heap_start.load(Relaxed)
    }
}

#[inline]
fn line_of<L>(tagged: *mut L) -> Option<&'static L> {
    let line = tagged.map_addr(|address| address & !TOUCHED);
    // SAFETY: it is null, or was made from a `&'static L` by `begin` or `go_on`, which is aligned to
    // more than a byte; whoever it is not the thread's own has loaded it with `Acquire`.
    unsafe { line.as_ref() }
}
