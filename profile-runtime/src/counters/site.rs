//! What a thread counts of one site without a lock.

use crate::counters::atomics::{AtomicU64, Ordering::Relaxed, add};
use crate::counters::counts::Counts;
use crate::counters::line::{HeapCells, LineCells, NO_LINE};

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

impl Cells {
    /// For so many lines, whose blocks are `followed` or not. Leaked: live frames point to it.
    pub(crate) fn leaked(lines: usize, followed: bool) -> &'static Cells {
        Box::leak(Box::new(Cells {
            calls: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            heap: HeapCells::default(),
            lines: (0..lines).map(|_| LineCells::new(followed)).collect(),
            before_lines: LineCells::new(followed),
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
