//! What a lane adds up about a site: totals over its calls, and one row for each line.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use crate::heap::Counts;
use crate::run::{Call, Outcome};
use crate::site::Registered;

/// Totals of one site on one lane.
#[derive(Debug, Clone)]
pub(crate) struct SiteTally {
    pub site: &'static Registered,
    /// Leaked, because live frames point to it; lanes are used again and never dropped.
    pub cells: &'static Cells,
    pub calls: u64,
    pub panics: u64,
    /// Threads that called it from this lane.
    pub threads: u64,
    /// The last of them.
    last_thread: u64,
    pub time_ns: u64,
    pub net: i64,
    pub peak: u64,
    /// Highest RSS during any call.
    pub high: u64,
    pub heap: Counts,
    pub heap_peak: u64,
    /// What other threads did on the heap meanwhile.
    pub others: Counts,
    /// Calls in progress on this lane.
    pub open: u32,
    pub lines: Vec<LineTally>,
    /// What closures did here for calls of other threads.
    pub workers: Option<Workers>,
}

/// Totals of one line that take a reading.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineTally {
    pub readings: u64,
    pub time_ns: u64,
    pub net: i64,
    pub peak: u64,
    /// Largest RSS at the end of a measured hit; 0 before the first.
    pub max_rss: u64,
    pub samples: u64,
    pub shared: u64,
    pub others: Counts,
}

/// What closures did on this lane for calls of other threads.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    pub cells: &'static Cells,
    pub time_ns: Vec<u64>,
}

/// What a probe counts by itself, without the lane's lock, line by line.
///
/// Written by the lane's thread alone, with plain loads and stores, read by anybody.
#[derive(Debug)]
pub(crate) struct Cells {
    lines: Box<[Cell]>,
}

#[derive(Debug, Default)]
struct Cell {
    hits: AtomicU64,
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    heap_peak: AtomicI64,
}

impl SiteTally {
    pub(crate) fn new(site: &'static Registered) -> SiteTally {
        let lines = site.spec.lines.len();
        SiteTally {
            site,
            cells: Cells::leaked(lines),
            calls: 0,
            panics: 0,
            threads: 0,
            last_thread: 0,
            time_ns: 0,
            net: 0,
            peak: 0,
            high: 0,
            heap: Counts::default(),
            heap_peak: 0,
            others: Counts::default(),
            open: 0,
            lines: vec![LineTally::default(); lines],
            workers: None,
        }
    }

    pub(crate) fn begin_call(&mut self, thread: u64) {
        self.calls += 1;
        self.open += 1;
        if self.last_thread != thread {
            self.last_thread = thread;
            self.threads += 1;
        }
    }

    pub(crate) fn end_call(&mut self, record: &Call, high: u64) {
        let wall_ns = record.end_ns.saturating_sub(record.start_ns);
        self.open = self.open.saturating_sub(1);
        self.panics += u64::from(record.outcome == Outcome::Panicked);
        self.time_ns += wall_ns.saturating_sub(record.suspended_ns);
        self.net += record.net_rss;
        self.peak = self.peak.max(record.peak_rss);
        self.high = self.high.max(high);
    }

    pub(crate) fn worker_cells(&mut self) -> &'static Cells {
        let lines = self.lines.len();
        let workers = self.workers.get_or_insert_with(|| Workers {
            cells: Cells::leaked(lines),
            time_ns: vec![0; lines],
        });
        workers.cells
    }

    pub(crate) fn worker_time(&mut self, line: u32, time_ns: u64) {
        let workers = self.workers.as_mut();
        if let Some(sum) = workers.and_then(|workers| workers.time_ns.get_mut(line as usize)) {
            *sum += time_ns;
        }
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let lines = self.lines.capacity();
        let workers = self
            .workers
            .as_ref()
            .map_or(0, |_| lines * (size_of::<Cell>() + size_of::<u64>()));
        let line = size_of::<LineTally>() + size_of::<Cell>();
        (size_of::<SiteTally>() + lines * line + workers) as u64
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
        self.shared += other.shared;
        self.others = self.others.plus(other.others);
    }
}

impl Cells {
    fn leaked(lines: usize) -> &'static Cells {
        Box::leak(Box::new(Cells {
            lines: (0..lines).map(|_| Cell::default()).collect(),
        }))
    }

    /// One more hit of `line`.
    #[inline]
    pub(crate) fn hit(&self, line: u32) {
        if let Some(cell) = self.lines.get(line as usize) {
            add(&cell.hits, 1);
        }
    }

    /// What a thread did on the heap in `line`; live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_heap(&self, line: u32, change: Counts, peak: i64) {
        if let Some(cell) = self.lines.get(line as usize) {
            add(&cell.allocated, change.allocated);
            add(&cell.freed, change.freed);
            add(&cell.allocations, change.allocations);
            if peak > cell.heap_peak.load(Relaxed) {
                cell.heap_peak.store(peak, Relaxed);
            }
        }
    }

    pub(crate) fn hits(&self, line: usize) -> u64 {
        self.lines
            .get(line)
            .map_or(0, |cell| cell.hits.load(Relaxed))
    }

    /// What was booked on `line`, and its peak.
    pub(crate) fn heap(&self, line: usize) -> (Counts, u64) {
        self.lines.get(line).map_or_else(Default::default, |cell| {
            let counts = Counts {
                allocated: cell.allocated.load(Relaxed),
                freed: cell.freed.load(Relaxed),
                allocations: cell.allocations.load(Relaxed),
            };
            let peak = cell.heap_peak.load(Relaxed);
            (counts, u64::try_from(peak).unwrap_or(0))
        })
    }
}

/// With a single writer no atomic read-modify-write is needed: this compiles to one plain addition.
#[inline]
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}
