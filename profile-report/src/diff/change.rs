//! A figure in two runs, and the figures that functions and lines have in common.

use memprof_model::run::{FunctionProfile, HeapFigures, Line};
use serde::Serialize;

/// A figure before and after; `None` in a run that does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Change {
    /// In the first run.
    pub before: Option<i64>,
    /// In the second run.
    pub after: Option<i64>,
    /// After minus before; a figure that is not there counts as 0.
    pub change: i64,
}

impl Change {
    pub(super) fn new(before: Option<i64>, after: Option<i64>) -> Self {
        Self {
            before,
            after,
            change: after.unwrap_or(0).saturating_sub(before.unwrap_or(0)),
        }
    }

    /// The change as a share of what was before: 0.05 is five percent more. `None` where nothing was.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let before = self.before.filter(|&before| before != 0)?;
        Some(self.change as f64 / (before as f64).abs())
    }
}

/// How the figures of a function or a line changed: bytes, nanoseconds, counts.
///
/// Heap figures are those of the calling thread, and empty in a run that did not count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Calls of the function, or hits of the line.
    pub count: Change,
    /// Time, in sum.
    pub time_ns: Change,
    /// The sum of its changes of RSS.
    pub net_rss: Change,
    /// Its largest rise of RSS above its own start.
    pub peak_rss: Change,
    /// Heap bytes allocated.
    pub heap_allocated: Change,
    /// Heap bytes freed.
    pub heap_freed: Change,
    /// Heap bytes allocated minus freed.
    pub heap_net: Change,
    /// The largest rise of live heap bytes above its own start.
    pub heap_peak: Change,
    /// Number of allocations.
    pub allocations: Change,
}

/// The figures of a function or a line in one run.
#[derive(Clone, Copy)]
pub(super) struct Figures {
    count: u64,
    time_ns: u64,
    net_rss: i64,
    peak_rss: u64,
    heap: Option<HeapFigures>,
}

impl From<&FunctionProfile> for Figures {
    fn from(function: &FunctionProfile) -> Self {
        Self {
            count: function.calls,
            time_ns: function.time_ns,
            net_rss: function.net_rss,
            peak_rss: function.peak_rss,
            heap: function.heap,
        }
    }
}

impl From<&Line> for Figures {
    fn from(line: &Line) -> Self {
        Self {
            count: line.hits,
            time_ns: line.time_ns,
            net_rss: line.net_rss,
            peak_rss: line.peak_rss,
            heap: line.heap,
        }
    }
}

impl Changes {
    pub(super) fn new(before: Option<Figures>, after: Option<Figures>) -> Self {
        let change = |figure: &dyn Fn(Figures) -> Option<i64>| {
            Change::new(before.and_then(figure), after.and_then(figure))
        };
        let heap = |figure: &dyn Fn(HeapFigures) -> i64| change(&|f| f.heap.map(figure));
        Self {
            count: change(&|f| Some(signed(f.count))),
            time_ns: change(&|f| Some(signed(f.time_ns))),
            net_rss: change(&|f| Some(f.net_rss)),
            peak_rss: change(&|f| Some(signed(f.peak_rss))),
            heap_allocated: heap(&|h| signed(h.allocated)),
            heap_freed: heap(&|h| signed(h.freed)),
            heap_net: heap(&|h| h.net),
            heap_peak: heap(&|h| signed(h.peak)),
            allocations: heap(&|h| signed(h.allocations)),
        }
    }

    /// By how much the memory that it needs or keeps has grown, of whatever kind; where it has only
    /// shrunk, by how much, with a minus.
    #[must_use]
    pub fn growth(&self) -> i64 {
        let comparable = |change: &Change| change.before.is_some() == change.after.is_some();
        let heap = [self.heap_net, self.heap_peak];
        let memory = [self.net_rss.change, self.peak_rss.change];
        let all = memory
            .into_iter()
            .chain(heap.iter().filter(|c| comparable(c)).map(|c| c.change));
        let (most, least) = all.fold((0, 0), |(most, least), c| (c.max(most), c.min(least)));
        if most > 0 { most } else { least }
    }
}

pub(super) fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
