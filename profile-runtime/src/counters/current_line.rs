//! The line that runs on a thread: a probe writes it on the fast path, and the allocator reads it.

use std::ptr;

use crate::counters::atomics::{
    AtomicI64, AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
};

/// Set in the pointer to a line once the thread has allocated or freed during this hit.
const TOUCHED: usize = 1;

/// The innermost call's current line.
///
/// Only the recorder's own thread writes the line; anybody may set `slow_path`.
#[derive(Debug)]
#[repr(align(64))] // A cache line of its own: what other threads write to the recorder does not slow its probes.
pub(crate) struct CurrentLine<L: 'static> {
    /// 0 while a probe only has to count its hit. Otherwise the next probe takes the slow path, and the
    /// value is larger than any number of hits that a line can have left (`counters::hits`).
    pub(crate) slow_path: AtomicI64,
    /// The counters of the current line, with [`TOUCHED`] as the lowest bit. Null outside of calls.
    pub(crate) line: AtomicPtr<L>,
    /// The thread's live heap bytes when the line began. Valid once `TOUCHED` is set.
    pub(crate) heap_start: AtomicI64,
    /// The thread's live heap bytes when the innermost call began, and what its callees have kept since. The
    /// rest of what is live is the call's own.
    pub(crate) self_start: AtomicI64,
}

/// How many bytes more are live than at an earlier moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rise {
    /// Than when the line began.
    pub line: i64,
    /// Than when the call began, less what its callees have kept.
    pub own: i64,
}

impl<L> CurrentLine<L> {
    pub(crate) fn new(slow_path: i64) -> CurrentLine<L> {
        CurrentLine {
            slow_path: AtomicI64::new(slow_path),
            line: AtomicPtr::new(ptr::null_mut()),
            heap_start: AtomicI64::new(0),
            self_start: AtomicI64::new(0),
        }
    }

    #[inline]
    pub(crate) fn slow_path(&self) -> i64 {
        self.slow_path.load(Relaxed)
    }

    /// `line` begins; the heap is not touched yet.
    #[inline]
    pub(crate) fn begin(&self, line: &'static L) {
        self.line.store(ptr::from_ref(line).cast_mut(), Release);
    }

    /// `line` goes on after a callee; it began with `heap_start` live bytes. `None`: no call is in progress.
    #[inline]
    pub(crate) fn go_on(&self, line: Option<&'static L>, heap_start: i64) {
        let line = line.map_or(ptr::null_mut(), |line| {
            let line = ptr::from_ref(line).cast_mut();
            line.map_addr(|address| address | TOUCHED)
        });
        self.heap_start.store(heap_start, Relaxed);
        self.line.store(line, Release);
    }

    /// What the innermost call has by itself counts from so many live bytes of its thread.
    #[inline]
    pub(crate) fn set_self_start(&self, live: i64) {
        self.self_start.store(live, Relaxed);
    }

    /// The current line.
    #[inline]
    pub(crate) fn line(&self) -> Option<&'static L> {
        line_of(self.line.load(Acquire))
    }

    /// The current line, if there is one, and the live bytes when it began, given that there are `live` now.
    ///
    /// This method and those that follow are for the owning thread only.
    #[inline]
    pub(crate) fn place(&self, live: i64) -> (Option<&'static L>, i64) {
        let tagged = self.line.load(Relaxed);
        let start = match tagged.addr() & TOUCHED {
            0 => live,
            _ => self.touched_at(),
        };
        (line_of(tagged), start)
    }

    /// The thread has freed; it had `live` bytes before. Calls `book` with the current line, if there is one.
    // `book` is called in both branches: merging them would add a null check to the allocator's path.
    #[inline]
    pub(crate) fn touch(&self, live: impl FnOnce() -> i64, book: impl Fn(&'static L)) {
        let tagged = self.line.load(Relaxed);
        if let Some(line) = touched(tagged) {
            book(line);
        } else if let Some(line) = line_of(tagged) {
            self.go_on(Some(line), live());
            book(line);
        }
    }

    /// The thread has allocated `bytes`, and has `live` ones now. Calls `book` with the current line, if there is one,
    /// and how high that is.
    #[inline]
    pub(crate) fn grow(&self, bytes: usize, live: i64, book: impl Fn(&'static L, Rise)) {
        let tagged = self.line.load(Relaxed);
        if let Some(line) = touched(tagged) {
            let rise = live.wrapping_sub(self.touched_at());
            book(line, self.rise(live, rise));
        } else if let Some(line) = line_of(tagged) {
            let rise = bytes as i64;
            self.go_on(Some(line), live.wrapping_sub(rise));
            book(line, self.rise(live, rise));
        }
    }

    /// Live bytes when the current line began, given that `TOUCHED` is set.
    #[inline]
    fn touched_at(&self) -> i64 {
        self.heap_start.load(Relaxed)
    }

    /// See [`CurrentLine::set_self_start`].
    #[inline]
    pub(crate) fn self_start(&self) -> i64 {
        self.self_start.load(Relaxed)
    }

    /// How high `live` bytes are, which are `line` more than when the current line began.
    #[inline]
    fn rise(&self, live: i64, line: i64) -> Rise {
        Rise {
            line,
            own: live.wrapping_sub(self.self_start()),
        }
    }
}

/// The line, if it is tagged with `TOUCHED`.
#[inline]
fn touched<L>(tagged: *mut L) -> Option<&'static L> {
    (tagged.addr() & TOUCHED != 0).then(|| {
        let line = tagged.map_addr(|address| address.wrapping_sub(TOUCHED));
        // SAFETY: only `go_on` tags pointers, and only those that it made from a `&'static L`, never null.
        unsafe { &*line }
    })
}

#[inline]
fn line_of<L>(tagged: *mut L) -> Option<&'static L> {
    let line = tagged.map_addr(|address| address & !TOUCHED);
    // SAFETY: without its tag the pointer is null, or `begin` or `go_on` made it from a `&'static L`. The
    // tag is free because `L` is aligned to more than one byte. Other threads loaded it with `Acquire`.
    unsafe { line.as_ref() }
}
