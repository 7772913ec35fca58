//! Installs memprof's counting allocator: the feature `counting` of memprof is this crate.
//!
//! If you read this because of a compiler error: your program has an allocator of its own. Take the
//! feature `counting` off memprof, and put the counting allocator around yours:
//!
//! ```ignore
//! #[global_allocator]
//! static ALLOCATOR: memprof::CountingAllocator<MiMalloc> = memprof::CountingAllocator::new(MiMalloc);
//! ```
//!
//! If it is not you who asks for `counting` but a package that you depend on, add memprof's feature
//! `own-allocator`.
//!
//! A crate apart, because a crate's name is all that the compiler says about the other allocator. It is
//! below memprof, so it cannot name the counting allocator; the linker finds it.

#![allow(non_snake_case, reason = "the crate's name is an instruction")]

use std::alloc::{GlobalAlloc, Layout};

// SAFETY: memprof defines it, with this type, whenever it links this crate.
unsafe extern "Rust" {
    /// The counting allocator of memprof.
    #[link_name = "memprof_counting_allocator"]
    safe static COUNTING: &'static (dyn GlobalAlloc + Sync);
}

/// Leaves everything to the counting allocator.
struct Forwarding;

#[global_allocator]
static ALLOCATOR: Forwarding = Forwarding;

// SAFETY: every method hands its arguments to another global allocator and gives back what that one gave.
unsafe impl GlobalAlloc for Forwarding {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { COUNTING.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { COUNTING.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { COUNTING.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { COUNTING.realloc(block, layout, new_size) }
    }
}
