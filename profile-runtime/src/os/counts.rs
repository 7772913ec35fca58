//! What the kernel counts of a process of its own accord.

/// What the kernel counts for the process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessCounts {
    /// Page faults of the process so far, minor and major.
    pub faults: u64,
    /// The high-water mark in bytes as `getrusage` tells it.
    pub max_rss: u64,
}
