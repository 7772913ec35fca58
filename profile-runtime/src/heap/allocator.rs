//! The counting allocator, which wraps the allocator of the program's choice.

use std::alloc::{GlobalAlloc, Layout, System};

use super::count::{count_allocation, count_free, count_growth};
use super::origins;

/// A global allocator that counts what each thread allocates and frees, and leaves the allocating to
/// `A`.
///
/// With it installed, every line of a report shows heap bytes beside RSS: what the program asked
/// for, beside what the operating system sees.
///
/// ```
/// use memprof::CountingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: CountingAllocator = CountingAllocator::system();
/// # fn main() {}
/// ```
///
/// All four methods of [`GlobalAlloc`] are forwarded, so the wrapped allocator can do what it does
/// best: memory from `alloc_zeroed` stays untouched, and `realloc` can grow in place. A reallocation
/// counts as the difference between its sizes, and not as an allocation.
///
/// Costs two or three nanoseconds for a pair of allocation and free: counters belong to their
/// thread, no other thread waits for them.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator<A = System> {
    inner: A,
    origins: bool,
}

impl CountingAllocator<System> {
    /// Counts for the system's allocator, the one that programs have by default.
    #[must_use]
    pub const fn system() -> CountingAllocator<System> {
        CountingAllocator::new(System)
    }
}

impl<A> CountingAllocator<A> {
    /// Counts for another allocator, mimalloc or jemalloc for example.
    #[must_use]
    pub const fn new(inner: A) -> CountingAllocator<A> {
        CountingAllocator {
            inner,
            origins: false,
        }
    }

    /// Also records for every line which of its blocks were still alive when the call ended and when the
    /// run ended, and which were freed at once: leaks by origin ([`run::Origins`](memprof_model::run::Origins)).
    ///
    /// ```
    /// use memprof::{CountingAllocator, profile_memory};
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: CountingAllocator = CountingAllocator::system().with_origins();
    ///
    /// #[profile_memory]
    /// fn remember(all: &mut Vec<String>) {
    ///     let name = "n".repeat(1_000);
    ///     all.push(name);
    /// }
    ///
    /// fn main() {
    ///     let mut all = Vec::with_capacity(1);
    ///     remember(&mut all);
    ///     let run = memprof::snapshot().expect("a call was made");
    ///     let origins = run.functions[0].lines[0].origins.expect("asked for");
    ///     assert_eq!(origins.alive_after_call_bytes, 1_000);
    ///     assert_eq!(origins.alive_bytes, 1_000);
    /// }
    /// ```
    ///
    /// Every block that is allocated in a profiled function is followed until it is freed, on whatever
    /// thread. A reallocated block belongs to the line that resized it last.
    ///
    /// Costs about 80 ns more for an allocation and its free, and at most 7 MiB. When more than some
    /// 100,000 blocks are alive at once, one in two, four, … is followed and stands for the others
    /// ([`run::Run::origins`](memprof_model::run::Run::origins) says so). Blocks of 64 KiB and more are
    /// always followed.
    #[must_use]
    pub const fn with_origins(mut self) -> CountingAllocator<A> {
        self.origins = true;
        self
    }
}

// SAFETY: every method hands its arguments to the inner allocator unchanged and gives back what that
// one gave; counting neither allocates through the global allocator nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        let block = unsafe { self.inner.alloc(layout) };
        if !block.is_null() {
            count_allocation(layout.size());
            if self.origins {
                origins::allocated(block, layout.size());
            }
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if !block.is_null() {
            count_allocation(layout.size());
            if self.origins {
                origins::allocated(block, layout.size());
            }
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // Before the block is freed: after that another thread can get a block at the same address.
        if self.origins {
            origins::freed(block);
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { self.inner.dealloc(block, layout) };
        count_free(layout.size());
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let followed = self.origins.then(|| origins::take(block)).flatten();
        // SAFETY: the caller's promise is passed on.
        let new_block = unsafe { self.inner.realloc(block, layout, new_size) };
        if !new_block.is_null() {
            match new_size.checked_sub(layout.size()) {
                Some(growth) => count_growth(growth),
                None => count_free(layout.size() - new_size),
            }
        }
        if let Some(followed) = followed {
            match new_block.is_null() {
                true => origins::put_back(followed.0),
                false => origins::resized(followed, new_block, new_size),
            }
        }
        new_block
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::ptr;

    use super::super::this_thread::of_this_thread;
    use super::*;
    use crate::counters::counts::Counts;
    use crate::counters::line_blocks::LineBlocks;
    use crate::os::own_process::alone;

    /// What the inner allocator was asked for last.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Asked {
        Nothing,
        Alloc(usize),
        Zeroed(usize),
        Free(usize),
        Resize(usize, usize),
    }

    thread_local! {
        static ASKED: Cell<Asked> = const { Cell::new(Asked::Nothing) };
        static HAS_MEMORY: Cell<bool> = const { Cell::new(true) };
    }

    /// Writes down what it is asked for; the system does it, unless there is no memory.
    #[derive(Clone, Copy)]
    struct Inner;

    fn if_there_is_memory(asked: Asked, work: impl FnOnce() -> *mut u8) -> *mut u8 {
        ASKED.set(asked);
        if HAS_MEMORY.get() {
            work()
        } else {
            ptr::null_mut()
        }
    }

    // SAFETY: everything is passed on to the system's allocator, or fails.
    unsafe impl GlobalAlloc for Inner {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as the caller promised.
            if_there_is_memory(Asked::Alloc(layout.size()), || unsafe {
                System.alloc(layout)
            })
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            let asked = Asked::Zeroed(layout.size());
            // SAFETY: as the caller promised.
            if_there_is_memory(asked, || unsafe { System.alloc_zeroed(layout) })
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            ASKED.set(Asked::Free(layout.size()));
            // SAFETY: as the caller promised.
            unsafe { System.dealloc(block, layout) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
            let asked = Asked::Resize(layout.size(), new_size);
            // SAFETY: as the caller promised.
            if_there_is_memory(asked, || unsafe { System.realloc(block, layout, new_size) })
        }
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).expect("a size that can be had")
    }

    fn counts() -> (u64, u64, u64) {
        let counts = of_this_thread().map_or(Counts::default(), |thread| thread.counts());
        (counts.allocated, counts.freed, counts.allocations)
    }

    #[test]
    fn every_method_is_passed_on_and_counted() {
        alone(|| {
            let allocator = CountingAllocator::new(Inner);
            // SAFETY: blocks are freed with the layout that they have by then.
            unsafe {
                let block = allocator.alloc(layout(100));
                assert_eq!((ASKED.get(), counts()), (Asked::Alloc(100), (100, 0, 1)));
                let block = allocator.realloc(block, layout(100), 150);
                assert_eq!(
                    (ASKED.get(), counts()),
                    (Asked::Resize(100, 150), (150, 0, 1))
                );
                let block = allocator.realloc(block, layout(150), 60);
                assert_eq!(
                    (ASKED.get(), counts()),
                    (Asked::Resize(150, 60), (150, 90, 1))
                );
                allocator.dealloc(block, layout(60));
                assert_eq!((ASKED.get(), counts()), (Asked::Free(60), (150, 150, 1)));
                let block = allocator.alloc_zeroed(layout(8));
                assert_eq!((ASKED.get(), counts()), (Asked::Zeroed(8), (158, 150, 2)));
                assert_eq!(block.cast::<u64>().read(), 0);
                allocator.dealloc(block, layout(8));
            }
        });
    }

    #[test]
    fn what_could_not_be_had_is_not_counted() {
        alone(|| {
            let allocator = CountingAllocator::new(Inner).with_origins();
            let (line, _) = follow();
            // SAFETY: the block is freed with its layout.
            unsafe {
                let block = allocator.alloc(layout(100));
                let before = counts();
                HAS_MEMORY.set(false);
                assert!(allocator.alloc(layout(7)).is_null());
                assert!(allocator.alloc_zeroed(layout(7)).is_null());
                assert!(allocator.realloc(block, layout(100), 200).is_null());
                assert_eq!(counts(), before);
                assert_eq!(alive(line), 100, "the block is as it was");
                allocator.dealloc(block, layout(100));
            }
            assert_eq!(alive(line), 0);
        });
    }

    /// Blocks of the calling thread are the line's.
    fn follow() -> origins::BlockOwner {
        thread_local! {
            static OWNER: Cell<Option<origins::BlockOwner>> = const { Cell::new(None) };
        }
        origins::find_owners_with(|| OWNER.get());
        let owner: origins::BlockOwner = (Box::leak(Box::default()), origins::call_id());
        OWNER.set(Some(owner));
        owner
    }

    fn alive(line: &'static LineBlocks) -> u64 {
        let mut bytes = 0;
        origins::for_each_alive(|of, size, _| {
            bytes += if ptr::eq(of, line) { size.bytes } else { 0 };
        });
        bytes
    }

    #[test]
    fn blocks_are_followed_on_request_alone() {
        alone(|| {
            let (line, _) = follow();
            let plain = CountingAllocator::new(Inner);
            let following = plain.with_origins();
            // SAFETY: blocks are freed with the layout that they have by then.
            unsafe {
                let block = plain.alloc(layout(100));
                assert!(!origins::is_on());
                plain.dealloc(block, layout(100));
                let one = following.alloc(layout(100));
                let two = following.alloc_zeroed(layout(10));
                assert_eq!(alive(line), 110);
                let one = following.realloc(one, layout(100), 300);
                assert_eq!((alive(line), line.seen().resized), (310, 1));
                following.dealloc(one, layout(300));
                following.dealloc(two, layout(10));
            }
            assert_eq!(alive(line), 0);
        });
    }
}
