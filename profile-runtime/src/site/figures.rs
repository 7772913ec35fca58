//! The figures of a single call, as a whole and by line, where its site asks for them.

use crate::counters::counts::Counts;
use crate::heap;
use memprof_model::run::HeapFigures;

/// The figures of one call as a whole.
#[derive(Debug)]
pub(crate) struct CallFigures {
    /// By how many bytes other threads may have changed RSS meanwhile.
    pub changed_by_others: u64,
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
