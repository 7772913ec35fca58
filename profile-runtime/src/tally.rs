//! What a lane adds up about a site: totals over its calls, and one row for each line.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::site::Registered;

/// Totals of one site on one lane.
#[derive(Debug, Clone)]
pub(crate) struct SiteTally {
    pub site: &'static Registered,
    /// Hits of each line. Written by the lane's thread alone, with plain loads and stores, read by
    /// anybody; leaked, because a live frame points to it and lanes are used again and never dropped.
    pub hits: &'static [AtomicU64],
    pub calls: u64,
    pub panics: u64,
    /// Threads that called it from this lane.
    pub threads: u64,
    /// The last of them.
    pub last_thread: u64,
    pub time_ns: u64,
    pub net: i64,
    pub peak: u64,
    /// Highest RSS during any call.
    pub high: u64,
    /// Calls in progress on this lane.
    pub open: u32,
    pub lines: Vec<LineTally>,
}

/// Totals of one line.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineTally {
    pub readings: u64,
    pub time_ns: u64,
    pub net: i64,
    pub peak: u64,
    /// Largest RSS at the end of a measured hit; 0 before the first.
    pub max_rss: u64,
    pub samples: u64,
}

impl SiteTally {
    pub(crate) fn new(site: &'static Registered) -> SiteTally {
        let lines = site.spec.lines.len();
        let hits: Vec<AtomicU64> = (0..lines).map(|_| AtomicU64::new(0)).collect();
        SiteTally {
            site,
            hits: hits.leak(),
            calls: 0,
            panics: 0,
            threads: 0,
            last_thread: 0,
            time_ns: 0,
            net: 0,
            peak: 0,
            high: 0,
            open: 0,
            lines: vec![LineTally::default(); lines],
        }
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        (size_of::<SiteTally>()
            + self.lines.capacity() * size_of::<LineTally>()
            + size_of_val(self.hits)) as u64
    }
}

impl LineTally {
    /// Adds another lane's row of the same line.
    pub(crate) fn add(&mut self, other: &LineTally) {
        self.readings += other.readings;
        self.time_ns += other.time_ns;
        self.net += other.net;
        self.peak = self.peak.max(other.peak);
        self.max_rss = self.max_rss.max(other.max_rss);
        self.samples += other.samples;
    }
}

/// Counts a hit. Only the lane's own thread writes, so no atomic read-modify-write is needed: this
/// compiles to one plain increment.
#[inline]
pub(crate) fn count_hit(hits: &[AtomicU64], line: u32) {
    if let Some(hits) = hits.get(line as usize) {
        hits.store(hits.load(Relaxed).wrapping_add(1), Relaxed);
    }
}
