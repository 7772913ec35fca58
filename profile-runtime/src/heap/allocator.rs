//! The global allocator that counts, around the one that allocates.

use std::alloc::{GlobalAlloc, Layout, System};

use super::thread::count;

/// A global allocator that counts what its thread allocates and frees, and leaves the allocating to
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
        CountingAllocator { inner }
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
            count(|counters| counters.count_allocation(layout.size()));
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if !block.is_null() {
            count(|counters| counters.count_allocation(layout.size()));
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.inner.dealloc(block, layout) };
        count(|counters| counters.count_free(layout.size()));
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        let new_block = unsafe { self.inner.realloc(block, layout, new_size) };
        if !new_block.is_null() {
            match new_size.checked_sub(layout.size()) {
                Some(growth) => count(|counters| counters.count_growth(growth)),
                None => count(|counters| counters.count_free(layout.size() - new_size)),
            }
        }
        new_block
    }
}
