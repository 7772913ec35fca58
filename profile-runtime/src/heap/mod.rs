//! Heap bytes: the counting allocator, and each thread's counters.

mod allocator;
mod call_ids;
mod count;
mod live_blocks;
pub(crate) mod origins;
mod this_thread;
mod thread_counters;

pub use allocator::CountingAllocator;
pub(crate) use call_ids::Token;
pub(crate) use this_thread::{
    find_lines_in, is_counted, of_all_threads, of_this_thread, outside_the_figures,
};
pub(crate) use thread_counters::Counters;
