//! What a baseline says of a function: four figures, each the most that a single call took.

use memprof_model::internal::{bytes, short};
use memprof_model::run::LineAtSize;

use crate::text::units::count;

/// A figure that is compared with a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// The highest rise of RSS above that at the entry, bytes. Moves in pages and by the habits of the
    /// allocator.
    PeakRss,
    /// The highest rise of live heap bytes above those at the entry, to the byte.
    HeapPeak,
    /// Heap bytes allocated.
    Allocated,
    /// Number of allocations.
    Allocations,
}

impl Figure {
    /// All, in the order of the file.
    pub(super) const ALL: [Figure; 4] = [
        Figure::PeakRss,
        Figure::HeapPeak,
        Figure::Allocated,
        Figure::Allocations,
    ];

    /// Its name in the file.
    pub(super) fn key(self) -> &'static str {
        match self {
            Figure::PeakRss => "peak_rss",
            Figure::HeapPeak => "heap_peak",
            Figure::Allocated => "allocated",
            Figure::Allocations => "allocations",
        }
    }

    /// Its name for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Figure::PeakRss => "peak RSS",
            Figure::HeapPeak => "heap peak",
            Figure::Allocated => "allocated",
            Figure::Allocations => "allocations",
        }
    }

    /// `value` with its unit.
    pub(super) fn show(self, value: u64) -> String {
        match self {
            Figure::Allocations => count(value),
            _ => short(value),
        }
    }

    /// The same to the byte.
    pub(super) fn show_exactly(self, value: u64) -> String {
        match self {
            Figure::Allocations => count(value),
            _ => bytes(value),
        }
    }

    /// The same figure of a line.
    pub(super) fn of_line(self, line: &LineAtSize) -> u64 {
        let heap = line.heap.unwrap_or_default();
        match self {
            Figure::PeakRss => line.peak_rss,
            Figure::HeapPeak => heap.peak,
            Figure::Allocated => heap.allocated,
            Figure::Allocations => heap.allocations,
        }
    }
}
