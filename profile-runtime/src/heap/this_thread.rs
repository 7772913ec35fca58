//! The heap counters of the calling thread, and the sums over all threads.
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

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::os::own_process::alone;

    /// The calling thread allocates a block of so many bytes.
    fn allocate(bytes: usize) {
        count(bytes, |counters, _, bytes| {
            counters.count_allocation(bytes);
        });
    }

    fn allocated() -> Option<u64> {
        of_this_thread().map(|counters| counters.counts().allocated)
    }

    fn by_all() -> u64 {
        of_all_threads().map_or(0, |counts| counts.allocated)
    }

    #[test]
    fn nothing_is_known_of_the_heap_until_somebody_counts() {
        alone(|| {
            assert!(without_counting(|| !is_counted()));
            assert!(of_this_thread().is_none() && of_all_threads().is_none());
            allocate(0);
            assert!(is_counted());
            assert!(of_this_thread().is_some() && of_all_threads().is_some());
        });
    }

    #[test]
    fn what_is_done_without_counting_is_outside_the_figures() {
        alone(|| {
            allocate(1);
            let result = without_counting(|| {
                allocate(100);
                without_counting(|| allocate(100));
                allocate(100);
                assert!(of_this_thread().is_none());
                7
            });
            allocate(2);
            assert_eq!((result, allocated(), by_all()), (7, Some(3), 3));
        });
    }

    #[test]
    fn counting_goes_on_after_a_panic_in_without_counting() {
        alone(|| {
            allocate(1);
            let result = catch_unwind(|| without_counting(|| panic!("as the test wants it")));
            assert!(result.is_err());
            allocate(2);
            assert_eq!(allocated(), Some(3));
        });
    }

    #[test]
    fn a_thread_whose_first_work_is_ours_is_counted_from_then_on() {
        alone(|| {
            allocate(1);
            let elsewhere = thread::spawn(|| {
                assert_eq!(allocated(), None);
                without_counting(|| allocate(100));
                allocate(2);
                allocated()
            });
            let elsewhere = elsewhere.join().expect("no panic");
            assert_eq!(elsewhere, Some(2));
            assert_eq!(by_all(), 3);
        });
    }

    #[test]
    fn threads_at_once_have_counters_of_their_own_and_the_next_goes_on_with_those_of_one_that_ended()
     {
        alone(|| {
            allocate(1);
            for _ in 0..3 {
                let next = thread::spawn(|| {
                    allocate(10);
                    of_this_thread().map(|counters| ptr::from_ref(counters).addr())
                });
                let next = next.join().expect("no panic");
                assert_ne!(next, of_this_thread().map(|own| ptr::from_ref(own).addr()));
            }
            assert_eq!((COUNTERS.blocks().count(), by_all()), (2, 31));
        });
    }

    #[test]
    fn a_destructor_that_runs_after_the_counters_were_given_back_is_counted_all_the_same() {
        struct Late(mpsc::Sender<Option<u64>>);
        impl Drop for Late {
            fn drop(&mut self) {
                allocate(5);
                let _ = self.0.send(allocated());
            }
        }
        thread_local! {
            static LATE: Cell<Option<Late>> = const { Cell::new(None) };
        }
        alone(|| {
            allocate(1);
            let (late, heard) = mpsc::channel();
            thread::spawn(|| {
                // Destructors run in the order in which they were registered, or the other way round.
                LATE.set(Some(Late(late.clone())));
                allocate(10);
                LATE.set(Some(Late(late)));
            })
            .join()
            .expect("no panic");
            assert_eq!(heard.iter().count(), 2);
            assert_eq!((COUNTERS.blocks().count(), by_all()), (2, 21));
            assert!(
                COUNTERS.claim().is_some() && COUNTERS.blocks().count() == 2,
                "given back"
            );
        });
    }
}
