//! Which block of counters the calling thread has, and the sums over all threads.
//!
//! Nothing in here may allocate through the global allocator: it is called from inside it.

use std::cell::Cell;
use std::ptr;

use super::thread_counters::{CounterList, ThreadCounters};
use crate::counters::atomics::{AtomicPtr, Ordering};
use crate::counters::counts::Counts;
use crate::counters::line::{CurrentLine, NO_CURRENT_LINE};

static COUNTERS: CounterList = CounterList {
    newest: AtomicPtr::new(ptr::null_mut()),
};

/// Why a thread has no block to count on.
#[derive(Clone, Copy, PartialEq)]
enum Without {
    /// It has not allocated yet.
    Yet,
    /// For now: what is allocated is memprof's.
    Counting,
    /// It is being taken down and has given its block back.
    Thread,
}

/// Without a destructor, so that it can be reached while others' destructors run.
struct ThisThread {
    block: Cell<Option<&'static ThreadCounters>>,
    without: Cell<Without>,
    /// Where the thread's line in progress is; nobody's where it has no lane.
    current_line: Cell<&'static CurrentLine>,
}

thread_local! {
    static THIS: ThisThread = const {
        ThisThread {
            block: Cell::new(None),
            without: Cell::new(Without::Yet),
            current_line: Cell::new(&NO_CURRENT_LINE),
        }
    };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let Some(block) = THIS.with(|this| this.go_without(Without::Thread)) {
            CounterList::give_back(block);
        }
    }
}

impl ThisThread {
    fn go_without(&self, without: Without) -> Option<&'static ThreadCounters> {
        self.without.set(without);
        self.block.take()
    }
}

/// From now on the calling thread's line in progress is found there.
pub(crate) fn set_current_line_source(current_line: &'static CurrentLine) {
    THIS.with(|this| this.current_line.set(current_line));
}

/// Counts `bytes` with the calling thread's counters, and its line in progress; not where recording is
/// compiled out.
#[inline]
pub(super) fn count(bytes: usize, book: impl FnOnce(&ThreadCounters, &CurrentLine, usize)) {
    if cfg!(not(feature = "record")) {
        return;
    }
    let (block, current_line) = THIS.with(|this| (this.block.get(), this.current_line.get()));
    match block {
        Some(block) => book(block, current_line, bytes),
        None => count_with_claim(bytes, book),
    }
}

#[cold]
#[inline(never)]
fn count_with_claim(bytes: usize, book: impl FnOnce(&ThreadCounters, &CurrentLine, usize)) {
    let (without, current_line) = THIS.with(|this| (this.without.get(), this.current_line.get()));
    if without == Without::Counting {
        return;
    }
    let Some(block) = COUNTERS.claim() else {
        return;
    };
    book(block, current_line, bytes);
    if without == Without::Yet {
        THIS.with(|this| this.block.set(Some(block)));
        // Registering the destructor may allocate; by now that is counted like anything else.
        if GIVE_BACK.try_with(|_| ()).is_ok() {
            return;
        }
        THIS.with(|this| this.go_without(Without::Thread));
    }
    // A destructor of another thread-local is at work: the block was for this once.
    CounterList::give_back(block);
}

/// The calling thread's counters; `None` when no counting allocator is installed.
#[inline]
pub(crate) fn of_this_thread() -> Option<&'static ThreadCounters> {
    THIS.with(|this| this.block.get())
}

/// Whether a counting allocator is installed (and has been used: by then it has).
pub(crate) fn is_counted() -> bool {
    !COUNTERS.newest.load(Ordering::Relaxed).is_null()
}

/// What all threads together, ended ones included, allocated and freed; `None` when no counting
/// allocator is installed.
///
/// While others allocate this is a moment's view, not an exact one: the threads are read one after
/// the other.
pub(crate) fn of_all_threads() -> Option<Counts> {
    COUNTERS
        .blocks()
        .map(ThreadCounters::counts)
        .reduce(|sum, counts| sum.plus(counts))
}

/// Runs `work`, whose allocations are memprof's this, outside the figures.
pub(crate) fn without_counting<T>(work: impl FnOnce() -> T) -> T {
    /// Goes back to counting even when `work` panics.
    struct Restore(Option<&'static ThreadCounters>, Without);
    impl Drop for Restore {
        fn drop(&mut self) {
            THIS.with(|this| {
                this.block.set(self.0);
                this.without.set(self.1);
            });
        }
    }
    let before = || THIS.with(|this| (this.block.get(), this.without.get()));
    if let (None, Without::Yet) = before() {
        // Nobody counts, or this thread has yet to allocate: claim first, so that what `work`
        // allocates is not the thread's first allocation.
        if !is_counted() {
            return work();
        }
        count_with_claim(0, |_, _, _| ());
    }
    let (block, without) = before();
    let _restore = Restore(block, without);
    THIS.with(|this| this.go_without(Without::Counting));
    work()
}

#[cfg(all(test, feature = "record"))]
mod tests;
