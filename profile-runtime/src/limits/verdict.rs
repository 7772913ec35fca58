//! The limits that a call broke.

use crate::site::figures::LineFigures;
use crate::site::limits::Limits;
use crate::site::registered::RegisteredSite;
use memprof_model::growth::Exponent;
use memprof_model::run::{Call, HeapFigures, Outcome};

/// A call of a site with limits that has ended.
#[derive(Debug)]
pub(crate) struct CheckedCall<'call> {
    pub site: &'static RegisteredSite,
    /// The call as data.
    pub record: &'call Call,
    /// Heap figures of its thread; `None` without the counting allocator.
    pub heap: Option<HeapFigures>,
    /// Whether its RSS was split between it and other threads by an estimate.
    pub shared: bool,
    /// The figures of its lines.
    pub lines: &'call [LineFigures],
    /// Whether lines ran that were not read one by one.
    pub partly_measured: bool,
}

/// The limits that a call broke, and all that the message needs.
#[derive(Debug)]
pub(crate) struct BrokenLimits {
    pub site: &'static RegisteredSite,
    pub broken: Vec<Broken>,
    /// How the call ended.
    pub outcome: Outcome,
    pub shared: bool,
    pub partly_measured: bool,
    pub lines: Vec<LineFigures>,
}

impl BrokenLimits {
    /// For a call that kept to the limits on a single call: a limit on growth may be added.
    pub(crate) fn new(site: &'static RegisteredSite) -> BrokenLimits {
        BrokenLimits {
            site,
            broken: Vec::new(),
            outcome: Outcome::Returned,
            shared: false,
            partly_measured: false,
            lines: Vec::new(),
        }
    }
}

/// A limit that was not kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Broken {
    /// A figure of the call is higher than its limit.
    Figure {
        figure: Figure,
        limit: u64,
        value: u64,
    },
    /// It grows faster with its size than allowed.
    Growth { limit: f64, exponent: Exponent },
    /// The limit that this argument sets cannot be checked without the counting allocator.
    NotCounted(&'static str),
}

/// A figure that can have a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Peak,
    Net,
    HeapPeak,
    Leak,
    Allocated,
    Allocations,
}

impl Figure {
    /// The argument that limits it.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Figure::Peak => "max_peak",
            Figure::Net => "max_net",
            Figure::HeapPeak => "max_heap_peak",
            Figure::Leak => "max_leak",
            Figure::Allocated => "max_allocated",
            Figure::Allocations => "max_allocations",
        }
    }

    /// What it is, in words.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Figure::Peak => "RSS above that at the entry",
            Figure::Net => "RSS at the exit less that at the entry",
            Figure::HeapPeak => "live heap bytes above those at the entry",
            Figure::Leak => "heap bytes allocated and not freed",
            Figure::Allocated => "heap bytes allocated",
            Figure::Allocations => "allocations",
        }
    }

    /// The same figure of a line; 0 where it fell.
    pub(super) fn of_line(self, line: &LineFigures) -> u64 {
        match self {
            Figure::Peak => line.peak,
            Figure::Net => risen(line.net),
            Figure::HeapPeak => line.heap_peak,
            Figure::Leak => risen(line.heap.live()),
            Figure::Allocated => line.heap.allocated,
            Figure::Allocations => line.heap.allocations,
        }
    }

    /// The figure of a call; `None` without the counting allocator.
    fn of_call(self, ended: &CheckedCall<'_>) -> Option<u64> {
        let heap = || ended.heap.as_ref();
        match self {
            Figure::Peak => Some(ended.record.peak_rss),
            Figure::Net => Some(risen(ended.record.net_rss)),
            Figure::HeapPeak => heap().map(|heap| heap.peak),
            Figure::Leak => heap().map(|heap| risen(heap.net)),
            Figure::Allocated => heap().map(|heap| heap.allocated),
            Figure::Allocations => heap().map(|heap| heap.allocations),
        }
    }
}

/// By how much something rose; 0 if it fell.
fn risen(change: i64) -> u64 {
    u64::try_from(change).unwrap_or(0)
}

/// The limits that the call broke; `None` if it kept to all.
pub(crate) fn broken_by(limits: &Limits, ended: &CheckedCall<'_>) -> Option<BrokenLimits> {
    let figures = [
        (Figure::Peak, limits.peak),
        (Figure::Net, limits.net),
        (Figure::HeapPeak, limits.heap_peak),
        (Figure::Leak, limits.leak),
        (Figure::Allocated, limits.allocated),
        (Figure::Allocations, limits.allocations),
    ];
    let not_counted = limits.needs_heap().filter(|_| ended.heap.is_none());
    let over = figures.into_iter().filter_map(|(figure, limit)| {
        let (limit, value) = (limit?, figure.of_call(ended)?);
        (value > limit).then_some(Broken::Figure {
            figure,
            limit,
            value,
        })
    });
    let broken: Vec<Broken> = not_counted
        .map(Broken::NotCounted)
        .into_iter()
        .chain(over)
        .collect();
    (!broken.is_empty()).then(|| BrokenLimits {
        site: ended.site,
        broken,
        outcome: ended.record.outcome,
        shared: ended.shared,
        partly_measured: ended.partly_measured,
        lines: ended.lines.to_vec(),
    })
}

#[cfg(test)]
mod tests;
