//! The heap counters of the calling thread, and the sums over all threads.
//!
//! Nothing in here may allocate through the global allocator: it is called from inside it.

use std::cell::Cell;
use std::ptr;

use super::thread_counters::{CounterList, PendingFrees, ThreadCounters};
use crate::counters::atomics::{AtomicPtr, Ordering};
use crate::counters::counts::Counts;
use crate::counters::line::{CurrentLine, NO_CURRENT_LINE};

static COUNTERS: CounterList = CounterList {
    newest: AtomicPtr::new(ptr::null_mut()),
};

/// Why a thread has no counters.
#[derive(Clone, Copy, PartialEq)]
enum Without {
    /// It has not allocated yet.
    Yet,
    /// Counting is off for now, because memprof allocates for itself.
    Counting,
    /// The thread is being taken down and has given its counters back.
    Thread,
}

/// Without a destructor, so that it can be reached while destructors of other thread-locals run.
struct ThisThread {
    counters: Cell<Option<&'static ThreadCounters>>,
    without: Cell<Without>,
    /// Where the thread's current line is found; [`NO_CURRENT_LINE`] while it has no recorder.
    current_line: Cell<&'static CurrentLine>,
}

thread_local! {
    static THIS: ThisThread = const {
        ThisThread {
            counters: Cell::new(None),
            without: Cell::new(Without::Yet),
            current_line: Cell::new(&NO_CURRENT_LINE),
        }
    };
    static GIVE_BACK: GiveCountersBack = const { GiveCountersBack };
}

/// Gives the counters back when the thread ends.
struct GiveCountersBack;

impl Drop for GiveCountersBack {
    fn drop(&mut self) {
        if let Some(counters) = THIS.with(|this| this.go_without(Without::Thread)) {
            CounterList::give_back(counters);
        }
    }
}

impl ThisThread {
    fn go_without(&self, without: Without) -> Option<&'static ThreadCounters> {
        self.without.set(without);
        self.counters.take()
    }
}

/// From now on the calling thread's current line is found there.
pub(crate) fn set_current_line_source(current_line: &'static CurrentLine) {
    THIS.with(|this| this.current_line.set(current_line));
}

/// The calling thread's current line is found there.
#[inline]
pub(super) fn current_line() -> &'static CurrentLine {
    THIS.with(|this| this.current_line.get())
}

/// Has `book` count `bytes` on the calling thread's counters and current line. Does nothing where recording
/// is compiled out.
#[inline]
pub(super) fn count(bytes: usize, book: impl FnOnce(&ThreadCounters, &CurrentLine, usize)) {
    if cfg!(not(feature = "record")) {
        return;
    }
    let (counters, current_line) = THIS.with(|this| (this.counters.get(), this.current_line.get()));
    match counters {
        Some(counters) => book(counters, current_line, bytes),
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
    let Some(counters) = COUNTERS.claim() else {
        return;
    };
    book(counters, current_line, bytes);
    if without == Without::Yet {
        THIS.with(|this| this.counters.set(Some(counters)));
        // Registering the destructor may allocate. The counters are in place by now, so that is counted.
        if GIVE_BACK.try_with(|_| ()).is_ok() {
            return;
        }
        THIS.with(|this| this.go_without(Without::Thread));
    }
    // The thread is being taken down: the counters were for this once.
    CounterList::give_back(counters);
}

/// The calling thread's counters; `None` when no counting allocator is installed.
#[inline]
pub(crate) fn of_this_thread() -> Option<&'static ThreadCounters> {
    THIS.with(|this| this.counters.get())
}

/// Whether the calling thread allocates for memprof now. It has no counters meanwhile.
pub(super) fn is_for_memprof() -> bool {
    THIS.with(|this| this.without.get() == Without::Counting)
}

/// Whether a counting allocator is installed. An installed one has been used before anybody asks.
pub(crate) fn is_counted() -> bool {
    !COUNTERS.newest.load(Ordering::Relaxed).is_null()
}

/// What all threads together, ended ones included, allocated and freed; `None` when no counting
/// allocator is installed.
///
/// Not exact while other threads allocate: the threads are read one after the other.
pub(crate) fn of_all_threads() -> Option<Counts> {
    COUNTERS
        .blocks()
        .map(ThreadCounters::counts)
        .reduce(|sum, counts| sum.plus(counts))
}

/// The calling thread takes a reading: what it gave back until now is settled.
pub(crate) fn settle_this_thread() {
    if let Some(counters) = of_this_thread() {
        counters.settle();
    }
}

/// What threads freed and have not taken as their own yet, in sum. RSS was read before, and still before that all
/// threads had freed `freed` bytes: what was freed since was being freed when RSS was read.
pub(crate) fn pending_frees(freed: u64) -> PendingFrees {
    let each = COUNTERS.blocks().map(ThreadCounters::pending);
    // The sum is right even if a thread that is being taken down counted begin and end on different counters.
    let pending = each.fold(PendingFrees::default(), |sum, pending| PendingFrees {
        being_freed: sum.being_freed.wrapping_add(pending.being_freed),
        unsettled: sum.unsettled.wrapping_add(pending.unsettled),
    });
    // A block that is no longer being freed has been counted by now.
    let now = of_all_threads().map_or(freed, |counts| counts.freed);
    PendingFrees {
        being_freed: (pending.being_freed).saturating_add(now.saturating_sub(freed)),
        ..pending
    }
}

/// Runs `work` without counting its allocations, because they are memprof's own.
pub(crate) fn without_counting<T>(work: impl FnOnce() -> T) -> T {
    /// Goes back to the state before, even when `work` panics.
    struct Restore(Option<&'static ThreadCounters>, Without);
    impl Drop for Restore {
        fn drop(&mut self) {
            THIS.with(|this| {
                this.counters.set(self.0);
                this.without.set(self.1);
            });
        }
    }
    let before = || THIS.with(|this| (this.counters.get(), this.without.get()));
    if let (None, Without::Yet) = before() {
        // The thread has not allocated yet. If there is a counting allocator, its counters are claimed
        // first, so that the first allocation inside `work` does not claim them.
        if !is_counted() {
            return work();
        }
        count_with_claim(0, |_, _, _| ());
    }
    let (counters, without) = before();
    let _restore = Restore(counters, without);
    THIS.with(|this| this.go_without(Without::Counting));
    work()
}

/// A thread of a test: what the calling thread does on its behalf is counted on it.
///
/// With these a test has several threads in an order of its own choice, on one thread.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct VirtualThread {
    counters: &'static ThreadCounters,
    current_line: &'static CurrentLine,
}

#[cfg(test)]
impl VirtualThread {
    /// A thread whose line in progress is found there.
    pub(crate) fn new(current_line: &'static CurrentLine) -> VirtualThread {
        VirtualThread {
            counters: COUNTERS.claim().expect("memory for one thread's counters"),
            current_line,
        }
    }

    /// Runs `work` on this thread.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Goes back to the calling thread's own counters even when `work` panics.
        struct Restore(
            Option<&'static ThreadCounters>,
            Without,
            &'static CurrentLine,
        );
        impl Drop for Restore {
            fn drop(&mut self) {
                THIS.with(|this| {
                    this.counters.set(self.0);
                    this.without.set(self.1);
                    this.current_line.set(self.2);
                });
            }
        }
        let _restore = THIS.with(|this| {
            Restore(
                this.counters.replace(Some(self.counters)),
                this.without.replace(Without::Yet),
                this.current_line.replace(self.current_line),
            )
        });
        work()
    }
}

#[cfg(all(test, feature = "record"))]
mod tests;
