//! Heap bytes: the counting allocator, and each thread's counters.

mod allocator;
mod block;
/// What `block` builds on.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering};
}
mod thread;

pub use allocator::CountingAllocator;
pub(crate) use block::{Counters, Counts};
pub(crate) use thread::{is_counted, of_all_threads, of_this_thread, outside_the_figures};
