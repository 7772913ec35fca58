//! The heap: the counting allocator, each thread's counters, and whose the live blocks are.

mod allocator;
mod call_ids;
mod count;
mod figures;
// Without recording nobody asks for heap figures, so the program keeps the allocator that it has.
#[cfg(all(
    feature = "counting",
    feature = "record",
    not(feature = "own-allocator")
))]
mod installed;
mod live_blocks;
pub(crate) mod origins;
pub(crate) mod own_heap;
mod this_thread;
mod thread_counters;
#[cfg(test)]
mod thread_counters_tests;

pub use allocator::CountingAllocator;
pub(crate) use call_ids::CallId;
#[cfg(test)]
pub(crate) use count::{count_allocation, count_free};
pub(crate) use figures::figures;
#[cfg(test)]
pub(crate) use this_thread::VirtualThread;
pub(crate) use this_thread::{
    is_counted, of_all_threads, of_this_thread, pending_frees, set_current_line_source,
    settle_this_thread, without_counting,
};
pub(crate) use thread_counters::{PendingFrees, ThreadCounters};

/// Whether memprof must not allocate on the calling thread now: from the program's allocator, and in a signal handler,
/// which may have interrupted that.
pub(crate) fn must_not_allocate() -> bool {
    !is_counted() && crate::os::signal_mask::may_be_in_handler()
}
