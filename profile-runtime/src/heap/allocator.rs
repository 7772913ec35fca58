//! The counting allocator, which wraps the allocator of the program's choice.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

use super::count::{
    count_allocation, count_allocation_on, count_free, count_growth, count_while_freed,
};
use super::this_thread::{is_for_memprof, of_this_thread};
use super::thread_counters::LARGE;
use super::{origins, own_heap};

/// A global allocator that counts what each thread allocates and frees, and leaves the allocating to
/// `A`.
///
/// With it installed, every line of a report shows heap bytes beside RSS: what the program asked
/// for, beside what the operating system sees. memprof's feature `counting` installs one; a program with
/// an allocator of its own installs it itself, without that feature.
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

/// Gives a block of memprof's own heap back.
///
/// # Safety
/// As for [`own_heap::free`], with a layout of this size and alignment.
// `extern "C"`: such a function does not unwind, so the user's functions need no landing pads for it.
#[cold]
#[inline(never)]
unsafe extern "C" fn free_own(block: *mut u8, size: usize, align: usize) {
    // SAFETY: the caller says that they are those of a layout.
    let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
    // SAFETY: the caller's promise is passed on.
    unsafe { own_heap::free(block, layout) };
}

impl<A: GlobalAlloc> CountingAllocator<A> {
    /// Allocates on a thread that has no counters: for memprof, from its own heap as long as that has room, or for the
    /// program if the thread allocates for the first time or is being taken down.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::alloc`] with a layout of this size and alignment.
    // `extern "C"`: as `free_own`.
    #[cold]
    #[inline(never)]
    unsafe extern "C" fn alloc_without_counters(
        &self,
        size: usize,
        align: usize,
        zeroed: bool,
    ) -> *mut u8 {
        // SAFETY: the caller says that they are those of a layout.
        let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
        if is_for_memprof()
            && let Some(block) = own_heap::allocate(layout).map(NonNull::as_ptr)
        {
            if zeroed {
                // SAFETY: the block has this size.
                unsafe { block.write_bytes(0, size) };
            }
            return block;
        }
        let block = match zeroed {
            // SAFETY: the caller's promise is passed on.
            true => unsafe { self.inner.alloc_zeroed(layout) },
            // SAFETY: the caller's promise is passed on.
            false => unsafe { self.inner.alloc(layout) },
        };
        if !block.is_null() {
            count_allocation(size);
            self.follow(block, size);
        }
        block
    }

    /// The program has got a block.
    #[inline]
    fn follow(&self, block: *mut u8, size: usize) {
        if self.origins {
            origins::allocated(block, size);
        }
    }

    /// Frees a block that is [`LARGE`].
    ///
    /// # Safety
    /// As for [`GlobalAlloc::dealloc`], with a layout of this size and alignment.
    // Apart, so that the usual free has no more to save and restore than it needs. `extern "C"`: as `free_own`.
    #[inline(never)]
    unsafe extern "C" fn dealloc_large(&self, block: *mut u8, size: usize, align: usize) {
        // SAFETY: the caller says that they are those of a layout.
        let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
        // SAFETY: the caller's promise is passed on.
        count_while_freed(size, || unsafe { self.inner.dealloc(block, layout) });
    }

    /// Reallocates a block of memprof's own heap.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::realloc`], with a layout of this size and alignment.
    // `extern "C"`: as `free_own`.
    #[cold]
    #[inline(never)]
    unsafe extern "C" fn resize_own(
        &self,
        block: *mut u8,
        size: usize,
        align: usize,
        new_size: usize,
    ) -> *mut u8 {
        // SAFETY: the caller says that they are those of a layout.
        let layout = unsafe { Layout::from_size_align_unchecked(size, align) };
        if own_heap::fits(layout, new_size) {
            return block;
        }
        // SAFETY: the caller says that the size is a valid one for this alignment.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, align) };
        let new_block = match own_heap::allocate(new_layout) {
            Some(new_block) => new_block.as_ptr(),
            // SAFETY: the caller says that the size is not 0.
            None => unsafe { self.inner.alloc(new_layout) },
        };
        if !new_block.is_null() {
            // SAFETY: both have room for so many bytes, and one of them is new.
            unsafe { new_block.copy_from_nonoverlapping(block, size.min(new_size)) };
            // SAFETY: the block is one of the own heap, for this layout, and has been replaced.
            unsafe { own_heap::free(block, layout) };
        }
        new_block
    }
}

// SAFETY: blocks are those of the inner allocator or of memprof's own heap, and each goes back to where it is from;
// counting neither allocates through the global allocator nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for CountingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(counters) = of_this_thread() else {
            let (size, align) = (layout.size(), layout.align());
            // SAFETY: the caller's promise is passed on.
            return unsafe { self.alloc_without_counters(size, align, false) };
        };
        // SAFETY: the caller's promise is passed on.
        let block = unsafe { self.inner.alloc(layout) };
        if !block.is_null() {
            count_allocation_on(counters, layout.size());
            self.follow(block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(counters) = of_this_thread() else {
            let (size, align) = (layout.size(), layout.align());
            // SAFETY: the caller's promise is passed on.
            return unsafe { self.alloc_without_counters(size, align, true) };
        };
        // SAFETY: the caller's promise is passed on.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if !block.is_null() {
            count_allocation_on(counters, layout.size());
            self.follow(block, layout.size());
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if own_heap::has(block) {
            // SAFETY: the caller's promise is passed on.
            return unsafe { free_own(block, layout.size(), layout.align()) };
        }
        // Before the block is freed: after that another thread can get a block at the same address.
        if self.origins {
            origins::freed(block);
        }
        if layout.size() >= LARGE {
            // SAFETY: the caller's promise is passed on.
            return unsafe { self.dealloc_large(block, layout.size(), layout.align()) };
        }
        // Counted first, so that nothing is left to be done after it.
        count_free(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { self.inner.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if own_heap::has(block) {
            // SAFETY: the caller's promise is passed on.
            return unsafe { self.resize_own(block, layout.size(), layout.align(), new_size) };
        }
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

#[cfg(all(test, feature = "record"))]
mod tests;
