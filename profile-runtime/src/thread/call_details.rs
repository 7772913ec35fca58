//! The figures of a single call by line, for sites with limits, with `by = …`, or under a baseline.
//!
//! Totals hold sums over all calls. Where a site wants per-call figures (`PerCall`), each of its calls adds
//! up its own beside the totals. That costs a little at its readings, and nothing on other sites.

use super::totals::LineTotals;
use crate::counters::line::HeapSums;
use crate::counters::site::SiteCounters;
use crate::heap;
use crate::site::figures::LineFigures;

/// The figures of one call in progress.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallDetails {
    /// The value of `by = …`.
    pub by: Option<f64>,
    /// By place in the site's list.
    pub lines: Vec<LineFigures>,
    /// Whether lines ran that were not read one by one.
    pub partly_measured: bool,
    /// What the lines' heap counters said when the call began or was resumed.
    before: Vec<HeapSums>,
}

impl CallDetails {
    /// Starts anew for a call that is about to begin, of a site with this many lines. Allocates all that will
    /// be needed.
    pub(crate) fn begin(&mut self, lines: usize) {
        self.by = None;
        self.partly_measured = false;
        self.lines.clear();
        self.lines.resize(lines, LineFigures::default());
        self.before.clear();
        if heap::is_counted() {
            // Written to, so that its pages are resident.
            self.before.resize(lines, HeapSums::default());
        }
    }

    /// The call begins, or goes on after it was suspended, and counts on `counters`. Restarts their heap
    /// peaks, and keeps the peaks so far in the totals, `lines`.
    pub(crate) fn resume(&mut self, counters: &SiteCounters, lines: &mut [LineTotals]) {
        if heap::is_counted() {
            self.before.clear();
            for (place, totals) in lines.iter_mut().enumerate() {
                let before = counters.begin_details(place);
                totals.heap_peak = totals.heap_peak.max(before.peak);
                self.before.push(before);
            }
        }
    }

    /// The call ends or is suspended: takes over what its lines did on the heap.
    pub(crate) fn suspend(&mut self, counters: &SiteCounters) {
        let lines = self.lines.iter_mut().enumerate();
        for ((place, figures), before) in lines.zip(self.before.drain(..)) {
            let now = counters.end_details(place, before.peak);
            figures.heap = figures.heap.plus(now.since(before));
            figures.heap_peak = figures.heap_peak.max(now.peak);
        }
    }

    /// `change` was booked on the line at `place`. `exact`: the line began with a reading of its own.
    pub(crate) fn add_change(&mut self, place: usize, change: LineFigures, exact: bool) {
        if let Some(figures) = self.lines.get_mut(place) {
            figures.net += change.net;
            figures.peak = figures.peak.max(change.peak);
            figures.time_ns += change.time_ns;
        }
        self.partly_measured |= !exact;
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let lines = self.lines.capacity() * size_of::<LineFigures>();
        let before = self.before.capacity() * size_of::<HeapSums>();
        (size_of::<CallDetails>() + lines + before) as u64
    }
}
