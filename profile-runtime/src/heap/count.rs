//! Counts an allocation or a free twice: for the thread, and for the thread's current line.
//!
//! Nothing in here may allocate: it is called from inside the global allocator.

use super::this_thread::{count, current_line};
use super::thread_counters::ThreadCounters;
use crate::counters::line::CurrentLine;

/// The calling thread has allocated a block.
pub(crate) fn count_allocation(bytes: usize) {
    count(bytes, book_allocation);
}

/// The calling thread, which has these counters, has allocated a block.
#[inline]
pub(super) fn count_allocation_on(counters: &ThreadCounters, bytes: usize) {
    book_allocation(counters, current_line(), bytes);
}

#[inline]
fn book_allocation(counters: &ThreadCounters, current_line: &CurrentLine, bytes: usize) {
    let live = counters.count_allocation(bytes);
    current_line.grow(bytes, live, |line, rise| line.book_allocation(bytes, rise));
}

/// A block of the calling thread has grown.
#[inline]
pub(super) fn count_growth(bytes: usize) {
    count(bytes, |counters, current_line, bytes| {
        let live = counters.count_growth(bytes);
        current_line.grow(bytes, live, |line, rise| line.book_growth(bytes, rise));
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

/// Runs `free`, which frees a large block of the calling thread's, and counts that.
pub(super) fn count_while_freed(bytes: usize, free: impl FnOnce()) {
    count(bytes, |counters, _, bytes| counters.begin_free(bytes));
    free();
    count(bytes, |counters, _, bytes| counters.end_free(bytes));
    count_free(bytes);
}

#[cfg(all(test, feature = "record"))]
mod tests {
    use super::super::this_thread::{of_this_thread, set_current_line_source};
    use super::*;
    use crate::counters::counts::Counts;
    use crate::counters::line::{CurrentLine, HeapSums};
    use crate::counters::site::SiteCounters;
    use crate::os::own_process::alone;

    /// The calling thread's, before any line.
    fn current_line() -> &'static CurrentLine {
        let current_line = Box::leak(Box::new(CurrentLine::new(0)));
        set_current_line_source(current_line);
        current_line
    }

    #[test]
    fn count_what_happens_in_a_line_is_counted_on_the_thread_and_on_the_line() {
        alone(|| {
            let site = SiteCounters::leaked(2, false);
            let current_line = current_line();
            count_allocation(1_000);
            current_line.begin(site.at(1));
            count_allocation(100);
            count_growth(50);
            count_free(120);
            count_allocation(10);
            let expected = Counts {
                allocated: 160,
                freed: 120,
                allocations: 2,
            };
            let line = site.line_heap(1);
            assert_eq!((line.own, line.callees), (expected, Counts::default()));
            assert_eq!((line.whole(), line.peak), (expected, 150));
            assert_eq!(site.line_heap(0), HeapSums::default());
            let thread = of_this_thread().expect("it has allocated");
            let expected = Counts {
                allocated: 1_160,
                allocations: 3,
                ..expected
            };
            assert_eq!((thread.counts(), thread.high()), (expected, 1_150));
        });
    }

    #[test]
    fn count_the_peak_of_a_line_counts_from_its_own_beginning() {
        alone(|| {
            let site = SiteCounters::leaked(2, false);
            let current_line = current_line();
            current_line.begin(site.at(0));
            count_allocation(70);
            current_line.begin(site.at(1));
            count_free(30);
            count_growth(50);
            let peaks = [0, 1].map(|line| site.line_heap(line).peak);
            assert_eq!(peaks, [70, 20]);
        });
    }

    #[test]
    fn count_the_self_peak_of_a_line_counts_from_the_beginning_of_the_call() {
        alone(|| {
            let site = SiteCounters::leaked(2, false);
            let current_line = current_line();
            count_allocation(1_000);
            current_line.set_self_start(1_000);
            current_line.begin(site.at(0));
            count_allocation(70);
            current_line.begin(site.at(1));
            count_free(30);
            count_growth(50);
            // A callee kept 500.
            current_line.set_self_start(1_500);
            count_growth(505);
            let peaks = [0, 1].map(|line| site.line_heap(line).self_peak);
            assert_eq!(peaks, [70, 95]);
        });
    }
}
