//! What single calls of a function took, in all and by the size of their input.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::figures::HeapFigures;
use crate::growth::Growth;

/// How a figure grows with the value of `by = …`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct FigureGrowth {
    /// Which figure.
    pub figure: SizedFigure,
    /// Of which line of the function; `None` for the function as a whole.
    pub line: Option<u32>,
    /// What its values tell of the law.
    pub growth: Growth,
}

/// A figure of [`SizeFigures`] or [`LineAtSize`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SizedFigure {
    /// `peak_rss`
    PeakRss,
    /// `net_rss`
    NetRss,
    /// `heap.peak`
    HeapPeak,
    /// `time_ns`
    TimeNs,
}

impl SizedFigure {
    /// In words, for reports: `"heap peak"`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            SizedFigure::PeakRss => "peak",
            SizedFigure::NetRss => "net",
            SizedFigure::HeapPeak => "heap peak",
            SizedFigure::TimeNs => "time",
        }
    }
}

/// The most that single calls of a function took: of each figure the highest, whichever call it was.
///
/// Unlike sums they do not depend on how often the function was called.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct CallMaxima {
    /// How many calls returned.
    pub calls: u64,
    /// How many of them ran while others worked on the process's memory, with more than 256 KiB: their
    /// RSS may be others'.
    pub shared: u64,
    /// The highest rise of RSS above that at the entry.
    pub peak_rss: u64,
    /// Heap figures of the calling thread, where counted.
    pub heap: Option<HeapFigures>,
    /// The same for each line.
    pub lines: Vec<LineAtSize>,
}

/// What the calls of one size had: of memory the highest, of time the shortest.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct SizeFigures {
    /// The size, the value of `by = …`.
    pub n: f64,
    /// How many calls.
    pub calls: u64,
    /// The highest rise of RSS above that at the entry.
    pub peak_rss: u64,
    /// RSS at the exit less that at the entry.
    pub net_rss: i64,
    /// Duration.
    pub time_ns: u64,
    /// Heap figures of the calling thread, where counted.
    pub heap: Option<HeapFigures>,
    /// The same for each line.
    pub lines: Vec<LineAtSize>,
}

/// What one line had in the calls of one size, or in all.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct LineAtSize {
    /// Line number in the source file.
    pub line: u32,
    /// The largest rise of RSS in a single hit.
    pub peak_rss: u64,
    /// The sum of its changes of RSS in a call.
    pub net_rss: i64,
    /// The sum of its time in a call.
    pub time_ns: u64,
    /// Heap figures, where counted.
    pub heap: Option<HeapFigures>,
}
