//! The figures of a single call, as a whole and by line, where its site asks for them.

use crate::counters::counts::Counts;
use crate::heap;
use memprof_model::run::HeapFigures;

/// The figures of one call as a whole.
#[derive(Debug)]
pub(crate) struct CallFigures {
    /// How many bytes of RSS were split between it and other threads by an estimate.
    pub unsure: u64,
    pub peak: u64,
    pub net: i64,
    pub time_ns: u64,
    pub heap: HeapFigures,
}

/// The figures of one line in one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineFigures {
    pub net: i64,
    pub peak: u64,
    pub time_ns: u64,
    pub heap: Counts,
    pub heap_peak: u64,
}

impl LineFigures {
    /// Merges the same line's figures in another call: keeps the most memory and the least time.
    pub(crate) fn merge(&mut self, other: &LineFigures) {
        self.net = self.net.max(other.net);
        self.peak = self.peak.max(other.peak);
        self.time_ns = self.time_ns.min(other.time_ns);
        self.heap_peak = self.heap_peak.max(other.heap_peak);
        if other.heap.allocated > self.heap.allocated {
            self.heap = other.heap;
        }
    }

    /// The heap figures as data.
    pub(crate) fn heap_figures(&self) -> HeapFigures {
        heap::figures(self.heap, self.heap_peak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memprof_model::data;

    fn line(net: i64, peak: u64, time_ns: u64, allocated: u64, heap_peak: u64) -> LineFigures {
        LineFigures {
            net,
            peak,
            time_ns,
            heap: Counts {
                allocated,
                freed: allocated / 2,
                allocations: allocated / 10,
            },
            heap_peak,
        }
    }

    fn parts(line: &LineFigures) -> (i64, u64, u64, Counts, u64) {
        (line.net, line.peak, line.time_ns, line.heap, line.heap_peak)
    }

    #[test]
    fn line_figures_a_merged_line_has_the_most_memory_and_the_least_time() {
        let (low, high) = (line(-5, 1, 9, 100, 30), line(7, 4, 3, 200, 60));
        for (mut line, other) in [(low, high), (high, low)] {
            line.merge(&other);
            assert_eq!(parts(&line), parts(&high));
        }
        let mut mixed = line(7, 1, 9, 100, 60);
        mixed.merge(&line(-5, 4, 3, 50, 30));
        assert_eq!(parts(&mixed), parts(&line(7, 4, 3, 100, 60)));
    }

    #[test]
    fn line_figures_heap_counts_of_two_calls_are_never_mixed() {
        let mut sum = line(0, 0, 0, 100, 0);
        let mut other = line(0, 0, 0, 100, 0);
        other.heap.freed = 100;
        sum.merge(&other);
        assert_eq!(sum.heap.freed, 50, "as much was allocated: the first stays");
        other.heap.allocated = 101;
        sum.merge(&other);
        assert_eq!(sum.heap, other.heap);
    }

    #[test]
    fn line_figures_the_net_of_a_line_as_data_is_what_it_allocated_less_what_it_freed() {
        let mut line = line(0, 0, 0, 100, 70);
        line.heap.freed = 130;
        let expected = data!(HeapFigures {
            allocated: 100,
            freed: 130,
            net: -30,
            peak: 70,
            allocations: 10,
        });
        assert_eq!(line.heap_figures(), expected);
    }
}
