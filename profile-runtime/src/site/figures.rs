//! What one call had, by itself and line by line, where its site asks for that.

use crate::counters::counts::Counts;
use memprof_model::data;
use memprof_model::run::HeapFigures;

/// What one call had beside its lines' figures.
#[derive(Debug)]
pub(crate) struct CallFigures {
    /// By how many bytes others may have changed RSS meanwhile.
    pub changed_by_others: u64,
    pub peak: u64,
    pub net: i64,
    pub time_ns: u64,
    pub heap: HeapFigures,
}

/// What one line did in one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineFigures {
    pub net: i64,
    pub peak: u64,
    pub time_ns: u64,
    pub heap: Counts,
    pub heap_peak: u64,
}

impl LineFigures {
    /// Takes over what another call's same line has more of, and its time if that is shorter.
    pub(crate) fn merge(&mut self, other: &LineFigures) {
        self.net = self.net.max(other.net);
        self.peak = self.peak.max(other.peak);
        self.time_ns = self.time_ns.min(other.time_ns);
        self.heap_peak = self.heap_peak.max(other.heap_peak);
        if other.heap.allocated > self.heap.allocated {
            self.heap = other.heap;
        }
    }

    /// As data.
    pub(crate) fn heap_figures(&self) -> HeapFigures {
        data!(HeapFigures {
            allocated: self.heap.allocated,
            freed: self.heap.freed,
            net: self.heap.live(),
            peak: self.heap_peak,
            allocations: self.heap.allocations,
        })
    }
}
