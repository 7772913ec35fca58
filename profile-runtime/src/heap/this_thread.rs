//! Which block of counters the calling thread has, and the sums over all threads.
//!
//! Nothing in here may allocate through the global allocator: it is called from inside it.

use std::cell::Cell;
use std::ptr;

use super::thread_counters::{Counters, List};
use crate::counters::atomics::{AtomicPtr, Ordering};
use crate::counters::counts::Counts;
use crate::counters::line::{Hot, NO_LANE};

static LIST: List = List {
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
struct Own {
    block: Cell<Option<&'static Counters>>,
    without: Cell<Without>,
    /// Where the thread's line in progress is; nobody's where it has no lane.
    hot: Cell<&'static Hot>,
}

thread_local! {
    static OWN: Own = const {
        Own {
            block: Cell::new(None),
            without: Cell::new(Without::Yet),
            hot: Cell::new(&NO_LANE),
        }
    };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let Some(block) = OWN.with(|own| own.go_without(Without::Thread)) {
            List::give_back(block);
        }
    }
}

impl Own {
    fn go_without(&self, without: Without) -> Option<&'static Counters> {
        self.without.set(without);
        self.block.take()
    }
}

/// From now on the calling thread's line in progress is found there.
pub(crate) fn find_lines_in(hot: &'static Hot) {
    OWN.with(|own| own.hot.set(hot));
}

/// Counts `bytes` with the calling thread's counters, and its line in progress; not where recording is
/// compiled out.
#[inline]
pub(super) fn count(bytes: usize, book: impl FnOnce(&Counters, &Hot, usize)) {
    if cfg!(not(feature = "record")) {
        return;
    }
    let (block, hot) = OWN.with(|own| (own.block.get(), own.hot.get()));
    match block {
        Some(block) => book(block, hot, bytes),
        None => count_with_claim(bytes, book),
    }
}

#[cold]
#[inline(never)]
fn count_with_claim(bytes: usize, book: impl FnOnce(&Counters, &Hot, usize)) {
    let (without, hot) = OWN.with(|own| (own.without.get(), own.hot.get()));
    if without == Without::Counting {
        return;
    }
    let Some(block) = LIST.claim() else { return };
    book(block, hot, bytes);
    if without == Without::Yet {
        OWN.with(|own| own.block.set(Some(block)));
        // Registering the destructor may allocate; by now that is counted like anything else.
        if GIVE_BACK.try_with(|_| ()).is_ok() {
            return;
        }
        OWN.with(|own| own.go_without(Without::Thread));
    }
    // A destructor of another thread-local is at work: the block was for this once.
    List::give_back(block);
}

/// The calling thread's counters; `None` when no counting allocator is installed.
#[inline]
pub(crate) fn of_this_thread() -> Option<&'static Counters> {
    OWN.with(|own| own.block.get())
}

/// Whether a counting allocator is installed (and has been used: by then it has).
pub(crate) fn is_counted() -> bool {
    !LIST.newest.load(Ordering::Relaxed).is_null()
}

/// What all threads together, ended ones included, allocated and freed; `None` when no counting
/// allocator is installed.
///
/// While others allocate this is a moment's view, not an exact one: the threads are read one after
/// the other.
pub(crate) fn of_all_threads() -> Option<Counts> {
    LIST.blocks()
        .map(Counters::counts)
        .reduce(|sum, counts| sum.plus(counts))
}

/// Runs `work`, whose allocations are memprof's own, outside the figures.
pub(crate) fn outside_the_figures<T>(work: impl FnOnce() -> T) -> T {
    /// Goes back to counting even when `work` panics.
    struct Restore(Option<&'static Counters>, Without);
    impl Drop for Restore {
        fn drop(&mut self) {
            OWN.with(|own| {
                own.block.set(self.0);
                own.without.set(self.1);
            });
        }
    }
    let before = || OWN.with(|own| (own.block.get(), own.without.get()));
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
    OWN.with(|own| own.go_without(Without::Counting));
    work()
}
