//! Heap bytes: the counting allocator, and each thread's counters.

mod allocator;
mod block;
mod blocks;
mod book;
pub(crate) mod origins;
/// What `block` builds on.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering};
}
mod thread;
mod tokens;

pub use allocator::CountingAllocator;
pub(crate) use block::{Counters, Counts};
pub(crate) use thread::{
    find_lines_in, is_counted, of_all_threads, of_this_thread, outside_the_figures,
};
pub(crate) use tokens::Token;
