//! What a lane adds up about a site: totals over its calls, and one row for each line.

pub(crate) mod hits;
/// What `hits` builds on.
mod sync {
    pub(super) use std::sync::atomic::{AtomicI64, AtomicU64, Ordering, fence};
}

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use self::hits::Hits;
use crate::heap::Counts;
use crate::heap::origins::{self, LineOrigins};
use crate::lane::NO_LINE;
use crate::run::{Call, Outcome};
use crate::site::Registered;
use crate::turn::Pace;

/// Totals of one site on one lane.
#[derive(Debug, Clone)]
pub(crate) struct SiteTally {
    pub site: &'static Registered,
    /// Leaked, because live frames point to it; lanes are used again and never dropped.
    pub cells: &'static Cells,
    /// Of logged calls, as everything here. What light ones add up to is in `cells`.
    pub panics: u64,
    /// Threads that called it from this lane.
    pub threads: u64,
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
    /// Of the heap, before a call that is watched by itself.
    pub heap_peak: u64,
    pub pace: Pace,
}

/// What closures did on this lane for calls of other threads.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    pub cells: &'static Cells,
    pub time_ns: Vec<u64>,
}

/// What is counted without the lane's lock.
///
/// Written by the lane's thread alone, with plain loads and stores, read by anybody.
#[derive(Debug)]
pub(crate) struct Cells {
    /// All calls, those in progress among them.
    calls: AtomicU64,
    /// The last thread that called it from this lane.
    thread: AtomicU64,
    /// Of light calls.
    panics: AtomicU64,
    heap: HeapCells,
    lines: Box<[LineCells]>,
    /// Stands for the first line until a line has begun.
    before_lines: LineCells,
}

/// What a probe counts by itself.
#[derive(Debug, Default)]
pub(crate) struct LineCells {
    hits: Hits,
    heap: HeapCells,
    /// Where blocks are followed.
    origins: Option<Box<LineOrigins>>,
}

#[derive(Debug, Default)]
struct HeapCells {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    peak: AtomicI64,
}

impl SiteTally {
    pub(crate) fn new(site: &'static Registered) -> SiteTally {
        let lines = site.spec.lines.len();
        SiteTally {
            site,
            cells: Cells::leaked(lines),
            panics: 0,
            threads: 0,
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

    /// A call by `thread` begins.
    pub(crate) fn count_call(&mut self, thread: u64) {
        self.threads += u64::from(self.cells.count_call(thread));
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

    /// Those of calls and those of workers.
    pub(crate) fn all_cells(&self) -> impl Iterator<Item = &'static Cells> + use<> {
        let workers = self.workers.as_ref().map(|workers| workers.cells);
        std::iter::once(self.cells).chain(workers)
    }

    /// Of all calls.
    pub(crate) fn all_panics(&self) -> u64 {
        self.panics + self.cells.panics()
    }

    /// What all calls did on the heap, and the highest peak of one.
    pub(crate) fn all_heap(&self) -> (Counts, u64) {
        let (light, peak) = self.cells.heap();
        (self.heap.plus(light), self.heap_peak.max(peak))
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
            .map_or(0, |_| lines * (size_of::<LineCells>() + size_of::<u64>()));
        let line = size_of::<LineTally>() + size_of::<LineCells>();
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
        self.heap_peak = self.heap_peak.max(other.heap_peak);
    }
}

impl Cells {
    fn leaked(lines: usize) -> &'static Cells {
        Box::leak(Box::new(Cells {
            calls: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            heap: HeapCells::default(),
            lines: (0..lines).map(|_| LineCells::new()).collect(),
            before_lines: LineCells::new(),
        }))
    }

    /// Where a call is that has not come to a line; `None` where there are no lines to come to.
    #[inline]
    pub(crate) fn before_lines(&self) -> Option<&LineCells> {
        (!self.lines.is_empty()).then_some(&self.before_lines)
    }

    /// Where a call is that is at the line at this place, or before the first.
    pub(crate) fn stand_at(&self, place: u32) -> Option<&LineCells> {
        self.line(place as usize).or(self.before_lines())
    }

    /// Which of the lines `line` is; `NO_LINE` for none of them.
    pub(crate) fn place(&self, line: Option<&LineCells>) -> u32 {
        let Some(line) = line else { return NO_LINE };
        let first = self.lines.as_ptr().addr();
        let distance = std::ptr::from_ref(line).addr().wrapping_sub(first);
        if distance < size_of_val::<[_]>(&self.lines) {
            (distance / size_of::<LineCells>()) as u32
        } else {
            NO_LINE
        }
    }

    /// The line at this place.
    pub(crate) fn at(&self, place: u32) -> &LineCells {
        self.line(place as usize).unwrap_or(&self.before_lines)
    }

    /// What the thread did on the heap in the line at this place, and its peak. What came before any
    /// line is the first one's.
    pub(crate) fn line_heap(&self, place: usize) -> (Counts, u64) {
        let lines = self.heap_cells(place).map(HeapCells::sum);
        lines.fold((Counts::default(), 0), |(counts, peak), line| {
            (counts.plus(line.0), peak.max(line.1))
        })
    }

    fn heap_cells(&self, place: usize) -> impl Iterator<Item = &HeapCells> {
        let before_lines = (place == 0).then_some(&self.before_lines);
        let lines = self.line(place).into_iter().chain(before_lines);
        lines.map(|line| &line.heap)
    }

    /// What was booked so far on the line at this place. Its peak begins anew, for a call that is
    /// watched.
    pub(crate) fn begin_watch(&self, place: usize) -> (Counts, u64) {
        let before = self.line_heap(place);
        self.heap_cells(place)
            .for_each(|heap| heap.peak.store(0, Relaxed));
        before
    }

    /// What was booked until now, and the peak since the watch began, before which it was `peak`.
    pub(crate) fn end_watch(&self, place: usize, peak: u64) -> (Counts, u64) {
        let (now, own_peak) = self.line_heap(place);
        self.heap_cells(place)
            .for_each(|heap| heap.raise(peak as i64));
        (now, own_peak)
    }

    #[inline]
    pub(crate) fn lines(&self) -> &[LineCells] {
        &self.lines
    }

    /// One more call, by `thread`. Says whether the call before was by another one.
    #[inline]
    pub(crate) fn count_call(&self, thread: u64) -> bool {
        self.count_another_call();
        let is_new = !self.is_called_by(thread);
        if is_new {
            self.thread.store(thread, Relaxed);
        }
        is_new
    }

    /// One more call, by the thread that made the last one.
    #[inline]
    pub(crate) fn count_another_call(&self) {
        add(&self.calls, 1);
    }

    /// Whether the last call was by `thread`.
    #[inline]
    pub(crate) fn is_called_by(&self, thread: u64) -> bool {
        self.thread.load(Relaxed) == thread
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    #[inline]
    pub(crate) fn count_panic(&self) {
        add(&self.panics, 1);
    }

    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    /// What a light call did on the heap, whose live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_heap(&self, change: Counts, peak: i64) {
        self.heap.book(change, peak);
    }

    /// What light calls did on the heap, and their highest peak.
    pub(crate) fn heap(&self) -> (Counts, u64) {
        self.heap.sum()
    }

    pub(crate) fn line(&self, line: usize) -> Option<&LineCells> {
        self.lines.get(line)
    }
}

impl LineCells {
    fn new() -> LineCells {
        LineCells {
            origins: origins::is_on().then(Box::default),
            ..LineCells::default()
        }
    }

    pub(crate) fn origins(&self) -> Option<&LineOrigins> {
        self.origins.as_deref()
    }

    /// One more hit. Gives how many there will be before the line's next turn to be read: below 0, it is
    /// its turn.
    #[inline]
    pub(crate) fn hit(&self) -> i64 {
        self.hits.count()
    }

    /// Whether the hit in progress is the line's turn to be read.
    pub(crate) fn is_turn(&self) -> bool {
        self.hits.is_turn()
    }

    /// The next turn comes after so many hits.
    pub(crate) fn set_turn(&self, hits: u64) {
        self.hits.set_turn(hits);
    }

    /// By the lane's thread.
    pub(crate) fn own_hits(&self) -> u64 {
        self.hits.own()
    }

    /// By anybody.
    pub(crate) fn hits(&self) -> u64 {
        loop {
            match self.hits.seen() {
                Some(hits) => return hits,
                // The owner has a few instructions left to do, or has lost its processor among them.
                None => std::thread::yield_now(),
            }
        }
    }

    /// What happened inside of something that the line called; live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_heap(&self, change: Counts, peak: i64) {
        self.heap.book(change, peak);
    }

    /// An allocation in the line; live bytes are `rise` more than when it began.
    #[inline]
    pub(crate) fn book_allocation(&self, bytes: usize, rise: i64) {
        add(&self.heap.allocations, 1);
        self.book_growth(bytes, rise);
    }

    /// A block has grown in the line.
    #[inline]
    pub(crate) fn book_growth(&self, bytes: usize, rise: i64) {
        add(&self.heap.allocated, bytes as u64);
        self.heap.raise(rise);
    }

    /// A free in the line.
    #[inline]
    pub(crate) fn book_free(&self, bytes: usize) {
        add(&self.heap.freed, bytes as u64);
    }
}

impl HeapCells {
    #[inline]
    fn book(&self, change: Counts, peak: i64) {
        add(&self.allocated, change.allocated);
        add(&self.freed, change.freed);
        add(&self.allocations, change.allocations);
        self.raise(peak);
    }

    #[inline]
    fn raise(&self, peak: i64) {
        if peak > self.peak.load(Relaxed) {
            self.peak.store(peak, Relaxed);
        }
    }

    fn sum(&self) -> (Counts, u64) {
        let counts = Counts {
            allocated: self.allocated.load(Relaxed),
            freed: self.freed.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        };
        let peak = self.peak.load(Relaxed);
        (counts, u64::try_from(peak).unwrap_or(0))
    }
}

/// With a single writer no atomic read-modify-write is needed: this compiles to one plain addition.
#[inline]
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
}
