//! The smallest pieces of a run: readings over time, and heap figures.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A timestamped reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Sample {
    /// Nanoseconds since the run's start.
    pub t_ns: u64,
    /// RSS in bytes.
    pub rss: u64,
    /// Live heap bytes, where counted.
    pub heap: Option<u64>,
}

/// A timestamped reading during a call, with the line that was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct LineSample {
    /// Nanoseconds since the run's start.
    pub t_ns: u64,
    /// RSS in bytes.
    pub rss: u64,
    /// Live heap bytes, where counted.
    pub heap: Option<u64>,
    /// The function's line that was running; `None` with `lines = false`.
    pub line: Option<u32>,
}

/// Heap figures of a line or a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct HeapFigures {
    /// Bytes allocated.
    pub allocated: u64,
    /// Bytes freed.
    pub freed: u64,
    /// Allocated minus freed.
    pub net: i64,
    /// The largest rise of live heap bytes above the start.
    pub peak: u64,
    /// Number of allocations.
    pub allocations: u64,
}
