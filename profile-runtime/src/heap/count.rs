//! Counts an allocation or a free twice: for the thread, and for the thread's current line.
//!
//! Nothing in here may allocate: it is called from inside the global allocator.

use super::this_thread::count;

/// The calling thread has allocated a block.
#[inline]
pub(crate) fn count_allocation(bytes: usize) {
    count(bytes, |counters, current_line, bytes| {
        let live = counters.count_allocation(bytes);
        let before = || live.wrapping_sub(bytes as i64);
        current_line.touch(before, |line| {
            line.book_allocation(bytes, live.wrapping_sub(current_line.touched_at()));
        });
    });
}

/// A block of the calling thread has grown.
#[inline]
pub(super) fn count_growth(bytes: usize) {
    count(bytes, |counters, current_line, bytes| {
        let live = counters.count_growth(bytes);
        let before = || live.wrapping_sub(bytes as i64);
        current_line.touch(before, |line| {
            line.book_growth(bytes, live.wrapping_sub(current_line.touched_at()));
        });
    });
}

/// The calling thread has freed a block, or made it smaller.
#[inline]
pub(crate) fn count_free(bytes: usize) {
    count(bytes, |counters, current_line, bytes| {
        counters.count_free(bytes);
        let before = || counters.live().wrapping_add(bytes as i64);
        current_line.touch(before, |line| line.book_free(bytes));
    });
}
