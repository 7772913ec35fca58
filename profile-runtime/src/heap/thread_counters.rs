//! The heap counters of one thread, and the list of all threads' counters.
//!
//! A thread claims counters at its first allocation and gives them back when it ends. A later thread goes
//! on with the same counters, so that their sums stay exact whoever came and went. The list only grows.
//! Claiming and pushing are the only places with compare-and-swap; counting is a plain load and store.
//!
//! Nothing in here may allocate through the global allocator: it is called from inside it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use crate::counters::atomics::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering, add};
use crate::counters::counts::Counts;

/// Giving the pages of a block so large back to the system takes a while, in which other threads see them go.
pub(crate) const LARGE: usize = 128 << 10;

/// One thread's heap counters. Only the thread that claimed them writes; anybody reads.
#[derive(Debug)]
#[repr(align(64))] // A cache line of its own: two threads that count do not disturb each other.
pub(crate) struct ThreadCounters {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    /// Bytes of large blocks that are being freed right now: see [`LARGE`].
    being_freed: AtomicU64,
    /// Freed bytes until the thread's last reading.
    settled: AtomicU64,
    /// The highest value of `allocated - freed` since the innermost call began.
    high: AtomicI64,
    /// Whether a thread has them now.
    claimed: AtomicBool,
    /// The next older counters in the list. Set once, before other threads can see these.
    next: AtomicPtr<ThreadCounters>,
}

impl ThreadCounters {
    pub(super) fn new() -> ThreadCounters {
        ThreadCounters {
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
            being_freed: AtomicU64::new(0),
            settled: AtomicU64::new(0),
            high: AtomicI64::new(0),
            claimed: AtomicBool::new(true),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Counts an allocation and gives the thread's live bytes. By the owner only, like everything that counts.
    #[inline]
    pub(crate) fn count_allocation(&self, bytes: usize) -> i64 {
        add(&self.allocations, 1);
        self.count_growth(bytes)
    }

    /// Counts the growth of a block and gives the thread's live bytes.
    #[inline]
    pub(crate) fn count_growth(&self, bytes: usize) -> i64 {
        add(&self.allocated, bytes as u64);
        let live = self.live();
        if live > self.high() {
            self.set_high(live);
        }
        live
    }

    #[inline]
    pub(crate) fn count_free(&self, bytes: usize) {
        add(&self.freed, bytes as u64);
    }

    /// Freeing a large block begins, and [`ThreadCounters::count_free`] counts it at its end.
    #[inline]
    pub(crate) fn begin_free(&self, bytes: usize) {
        add(&self.being_freed, bytes as u64);
    }

    #[inline]
    pub(crate) fn end_free(&self, bytes: usize) {
        add(&self.being_freed, (bytes as u64).wrapping_neg());
    }

    /// The thread takes a reading: it takes as its own what it gave back until now.
    pub(crate) fn settle(&self) {
        let freed = self.freed.load(Ordering::Relaxed);
        self.settled.store(freed, Ordering::Relaxed);
    }

    pub(crate) fn pending(&self) -> PendingFrees {
        let freed = self.freed.load(Ordering::Relaxed);
        PendingFrees {
            being_freed: self.being_freed.load(Ordering::Relaxed),
            unsettled: freed.saturating_sub(self.settled.load(Ordering::Relaxed)),
        }
    }

    #[inline]
    pub(crate) fn live(&self) -> i64 {
        let allocated = self.allocated.load(Ordering::Relaxed);
        allocated.wrapping_sub(self.freed.load(Ordering::Relaxed)) as i64
    }

    /// What the thread allocated and freed so far.
    #[inline]
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            allocated: self.allocated.load(Ordering::Relaxed),
            freed: self.freed.load(Ordering::Relaxed),
            allocations: self.allocations.load(Ordering::Relaxed),
        }
    }

    /// The highest live bytes since `set_high`, or what that was given.
    #[inline]
    pub(crate) fn high(&self) -> i64 {
        self.high.load(Ordering::Relaxed)
    }

    /// Restarts `high` from this value. By the owner only.
    #[inline]
    pub(crate) fn set_high(&self, high: i64) {
        self.high.store(high, Ordering::Relaxed);
    }
}

/// What threads freed and have not taken as their own yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PendingFrees {
    /// Bytes of large blocks that were being freed when RSS was read.
    pub being_freed: u64,
    /// Bytes that were freed since the thread's last reading, or ever by a thread without readings.
    pub unsettled: u64,
}

/// All threads' counters, the newest first.
pub(crate) struct CounterList {
    pub newest: AtomicPtr<ThreadCounters>,
}

impl CounterList {
    /// Counters for the calling thread: those that an ended thread gave back, or new ones.
    pub(crate) fn claim(&self) -> Option<&'static ThreadCounters> {
        self.blocks()
            .find(|counters| {
                counters
                    .claimed
                    .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            })
            .or_else(|| self.push_new())
    }

    /// The owner has ended. Everything that it counted happens before what the next owner counts.
    pub(crate) fn give_back(counters: &ThreadCounters) {
        counters.claimed.store(false, Ordering::Release);
    }

    fn push_new(&self) -> Option<&'static ThreadCounters> {
        let counters = new_counters()?;
        let mut newest = self.newest.load(Ordering::Relaxed);
        loop {
            counters.next.store(newest, Ordering::Relaxed);
            match self.newest.compare_exchange_weak(
                newest,
                ptr::from_ref(counters).cast_mut(),
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(counters),
                Err(now) => newest = now,
            }
        }
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = &'static ThreadCounters> {
        let mut next = self.newest.load(Ordering::Acquire);
        std::iter::from_fn(move || {
            // SAFETY: counters in the list are never freed, and the acquiring load saw them whole.
            let counters = unsafe { next.as_ref() }?;
            next = counters.next.load(Ordering::Relaxed);
            Some(counters)
        })
    }
}

/// New counters from the system's allocator, never freed; `None` when it has no memory.
fn new_counters() -> Option<&'static ThreadCounters> {
    let layout = Layout::new::<ThreadCounters>();
    // SAFETY: the layout has a size.
    let counters = unsafe { System.alloc(layout) }.cast::<ThreadCounters>();
    if counters.is_null() {
        return None;
    }
    // SAFETY: freshly allocated with the layout of `ThreadCounters`.
    unsafe { counters.write(ThreadCounters::new()) };
    // SAFETY: just initialised, and never freed.
    Some(unsafe { &*counters })
}
