//! A figure before and after, and the changes of the figures that functions and lines have in common.

use serde::Serialize;

use super::noise;

/// A figure before and after; `None` in runs that do not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Change {
    /// In the first run; of several runs the median.
    pub before: Option<i64>,
    /// In the second run; of several runs the median.
    pub after: Option<i64>,
    /// After minus before; a figure that is not there counts as 0.
    pub change: i64,
    /// Up to here it is noise: what two runs differ by in which the program does the same. Where several runs of a
    /// side were given, what they differ by among themselves is noise besides.
    pub noise: u64,
    /// Whether it changed by more than noise.
    pub counts: bool,
}

impl Change {
    /// From the values in the runs of both sides. `bound` is what one run before and one after may differ by.
    pub(super) fn new(before: &[i64], after: &[i64], bound: u64) -> Self {
        let change = Self::shown(before, after);
        let or_nothing = |values: &[i64]| {
            if values.is_empty() {
                vec![0]
            } else {
                values.to_vec()
            }
        };
        Self {
            noise: noise::shared_out(bound, before.len().max(1) + after.len().max(1)),
            counts: noise::differs(&or_nothing(before), &or_nothing(after), bound),
            ..change
        }
    }

    /// The same where nothing can be said of what changed.
    pub(super) fn shown(before: &[i64], after: &[i64]) -> Self {
        let (before, after) = (median(before), median(after));
        Self {
            before,
            after,
            change: after.unwrap_or(0).saturating_sub(before.unwrap_or(0)),
            noise: u64::MAX,
            counts: false,
        }
    }

    /// By how much it changed beyond doubt: 0 where that may be noise.
    #[must_use]
    pub fn certain(&self) -> i64 {
        if self.counts { self.change } else { 0 }
    }

    /// The change as a share of what was before: 0.05 is five percent more. `None` where nothing was.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let before = self.before.filter(|&before| before != 0)?;
        Some(self.change as f64 / (before as f64).abs())
    }
}

/// The middle one; of an even number the lower of the two.
fn median(values: &[i64]) -> Option<i64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

/// How the figures of a function or a line changed: bytes, nanoseconds, counts.
///
/// Heap figures are those of the calling thread and of closures of its lines on other threads. They are empty in a
/// run that did not count them.
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
    /// `heap_allocated` without what annotated functions did that were called.
    pub self_allocated: Change,
    /// `heap_net` without that.
    pub self_net: Change,
    /// `heap_peak` without that.
    pub self_peak: Change,
}

impl Changes {
    /// By how much the memory that it needs or keeps has grown beyond noise: on the heap, and of RSS where the heap
    /// did not change or was not counted. Where it has only shrunk, by how much, with a minus.
    #[must_use]
    pub fn growth(&self) -> i64 {
        let heap = strongest([self.heap_net, self.heap_peak].into_iter());
        let rss = || strongest([self.net_rss, self.peak_rss].into_iter());
        if heap == 0 { rss() } else { heap }
    }

    /// By how much what it allocates has grown beyond noise, in bytes. With a minus where it has shrunk.
    #[must_use]
    pub fn churn(&self) -> i64 {
        self.heap_allocated.certain()
    }

    /// How it ranks among others: by growth, by churn, by allocations. What it did itself counts before what it
    /// called others to do.
    pub(super) fn weight(&self) -> Weight {
        let own = strongest([self.self_net, self.self_peak].into_iter());
        Weight {
            own: if self.knows_self() {
                own
            } else {
                self.growth()
            },
            growth: self.growth(),
            churn: self.churn(),
            allocations: self.allocations.certain(),
        }
    }

    fn knows_self(&self) -> bool {
        self.self_peak.before.is_some() && self.self_peak.after.is_some()
    }
}

/// What of a function or a line changed, from what is most important on; 0 where nothing did beyond noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Weight {
    own: i64,
    growth: i64,
    churn: i64,
    allocations: i64,
}

impl Weight {
    /// Whether anything changed beyond noise.
    pub(super) fn is_some(self) -> bool {
        self != Self::default()
    }

    /// Whether anything grew.
    pub(super) fn grew(self) -> bool {
        self.growth.max(self.churn).max(self.allocations) > 0
    }

    /// The same without signs, to order by.
    pub(super) fn size(self) -> [u64; 4] {
        [self.own, self.growth, self.churn, self.allocations].map(i64::unsigned_abs)
    }

    /// What is more in either of the two; growth before shrinking.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            own: stronger(self.own, other.own),
            growth: stronger(self.growth, other.growth),
            churn: stronger(self.churn, other.churn),
            allocations: stronger(self.allocations, other.allocations),
        }
    }
}

fn strongest(changes: impl Iterator<Item = Change>) -> i64 {
    changes.fold(0, |sofar, change| stronger(sofar, change.certain()))
}

/// The larger growth; of what only shrinks, the one that shrinks most.
fn stronger(one: i64, other: i64) -> i64 {
    if one.max(other) > 0 {
        one.max(other)
    } else {
        one.min(other)
    }
}
