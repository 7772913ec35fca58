//! Which block of counters the calling thread has, and the sums over all threads.
//!
//! Nothing in here may allocate through the global allocator: it is called from inside it.

use std::cell::Cell;
use std::ptr;

use super::block::{Counters, Counts, List};
use super::sync::{AtomicPtr, Ordering};

static LIST: List = List {
    newest: AtomicPtr::new(ptr::null_mut()),
};

/// What the thread counts on.
#[derive(Clone, Copy)]
enum Own {
    /// Nothing yet.
    None,
    Block(&'static Counters),
    /// Nothing for now: what is allocated is memprof's.
    Nobody,
    /// The thread is being taken down and has given its block back.
    Gone,
}

thread_local! {
    // Without a destructor, so that it can be reached while others' destructors run.
    static OWN: Cell<Own> = const { Cell::new(Own::None) };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        if let Own::Block(block) = OWN.replace(Own::Gone) {
            List::give_back(block);
        }
    }
}

/// Counts with the calling thread's counters; not where recording is compiled out.
#[inline]
pub(super) fn count(book: impl FnOnce(&Counters)) {
    if cfg!(not(feature = "record")) {
        return;
    }
    match OWN.get() {
        Own::Block(block) => book(block),
        other => count_with_claim(other, book),
    }
}

#[cold]
#[inline(never)]
fn count_with_claim(own: Own, book: impl FnOnce(&Counters)) {
    if matches!(own, Own::Nobody) {
        return;
    }
    let Some(block) = LIST.claim() else { return };
    book(block);
    if matches!(own, Own::None) {
        OWN.set(Own::Block(block));
        // Registering the destructor may allocate; by now that is counted like anything else.
        if GIVE_BACK.try_with(|_| ()).is_ok() {
            return;
        }
        OWN.set(Own::Gone);
    }
    // A destructor of another thread-local is at work: the block was for this once.
    List::give_back(block);
}

/// The calling thread's counters; `None` when no counting allocator is installed.
#[inline]
pub(crate) fn of_this_thread() -> Option<&'static Counters> {
    match OWN.get() {
        Own::Block(block) => Some(block),
        _ => None,
    }
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
    struct Restore(Own);
    impl Drop for Restore {
        fn drop(&mut self) {
            OWN.set(self.0);
        }
    }
    let own = OWN.get();
    if matches!(own, Own::None) {
        // Nobody counts, or this thread has yet to allocate: claim first, so that what `work`
        // allocates is not the thread's first allocation.
        if !is_counted() {
            return work();
        }
        count_with_claim(own, |_| ());
    }
    let _restore = Restore(OWN.replace(Own::Nobody));
    work()
}
