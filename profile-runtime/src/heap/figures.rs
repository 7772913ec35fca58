//! Heap counts in the form in which reports show them.

use crate::counters::counts::Counts;
use memprof_model::data;
use memprof_model::run::HeapFigures;

/// `counts` as data; live bytes rose by `peak` at most.
pub(crate) fn figures(counts: Counts, peak: u64) -> HeapFigures {
    data!(HeapFigures {
        allocated: counts.allocated,
        freed: counts.freed,
        net: counts.live(),
        peak,
        allocations: counts.allocations,
    })
}
