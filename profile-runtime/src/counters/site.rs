//! What a thread counts of one site without a lock.

use crate::counters::atomics::{AtomicU64, Ordering::Relaxed, add};
use crate::counters::counts::Counts;
use crate::counters::line::{HeapCounters, LineCounters, NO_LINE};

/// What is counted without the lane's lock.
///
/// Written by the lane's thread alone, with plain loads and stores, read by anybody.
#[derive(Debug)]
pub(crate) struct SiteCounters {
    /// All calls, those in progress among them.
    calls: AtomicU64,
    /// The last thread that called it from this lane.
    thread: AtomicU64,
    /// Of counted calls.
    panics: AtomicU64,
    heap: HeapCounters,
    lines: Box<[LineCounters]>,
    /// Stands for the first line until a line has start.
    before_lines: LineCounters,
}

impl SiteCounters {
    /// For so many lines, whose blocks are `followed` or not. Leaked: live frames point to it.
    pub(crate) fn leaked(lines: usize, followed: bool) -> &'static SiteCounters {
        Box::leak(Box::new(SiteCounters {
            calls: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            heap: HeapCounters::default(),
            lines: (0..lines).map(|_| LineCounters::new(followed)).collect(),
            before_lines: LineCounters::new(followed),
        }))
    }

    /// Where a call is that has not come to a line; `None` where there are no lines to come to.
    #[inline]
    pub(crate) fn before_lines(&self) -> Option<&LineCounters> {
        (!self.lines.is_empty()).then_some(&self.before_lines)
    }

    /// Where a call is that is at the line at this place, or before the first.
    pub(crate) fn position_at(&self, place: u32) -> Option<&LineCounters> {
        self.line(place as usize).or(self.before_lines())
    }

    /// Which of the lines `line` is; `NO_LINE` for none of them.
    pub(crate) fn place(&self, line: Option<&LineCounters>) -> u32 {
        let Some(line) = line else { return NO_LINE };
        let first = self.lines.as_ptr().addr();
        let distance = std::ptr::from_ref(line).addr().wrapping_sub(first);
        if distance < size_of_val::<[_]>(&self.lines) {
            (distance / size_of::<LineCounters>()) as u32
        } else {
            NO_LINE
        }
    }

    /// The line at this place.
    pub(crate) fn at(&self, place: u32) -> &LineCounters {
        self.line(place as usize).unwrap_or(&self.before_lines)
    }

    /// What the thread did on the heap in the line at this place, and its peak. What came before any
    /// line is the first one's.
    pub(crate) fn line_heap(&self, place: usize) -> (Counts, u64) {
        let lines = self.heap_counters(place).map(HeapCounters::sum);
        lines.fold((Counts::default(), 0), |(counts, peak), line| {
            (counts.plus(line.0), peak.max(line.1))
        })
    }

    fn heap_counters(&self, place: usize) -> impl Iterator<Item = &HeapCounters> {
        let before_lines = (place == 0).then_some(&self.before_lines);
        let lines = self.line(place).into_iter().chain(before_lines);
        lines.map(|line| &line.heap)
    }

    /// What was booked so far on the line at this place. Its peak begins anew, for a call that is
    /// watched.
    pub(crate) fn begin_details(&self, place: usize) -> (Counts, u64) {
        let before = self.line_heap(place);
        self.heap_counters(place)
            .for_each(|heap| heap.peak.store(0, Relaxed));
        before
    }

    /// What was booked until now, and the peak since the watch began, before which it was `peak`.
    pub(crate) fn end_details(&self, place: usize, peak: u64) -> (Counts, u64) {
        let (now, own_peak) = self.line_heap(place);
        self.heap_counters(place)
            .for_each(|heap| heap.raise(peak as i64));
        (now, own_peak)
    }

    #[inline]
    pub(crate) fn lines(&self) -> &[LineCounters] {
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

    /// What a counted call did on the heap, whose live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_heap(&self, change: Counts, peak: i64) {
        self.heap.book(change, peak);
    }

    /// What counted calls did on the heap, and their highest peak.
    pub(crate) fn heap(&self) -> (Counts, u64) {
        self.heap.sum()
    }

    pub(crate) fn line(&self, line: usize) -> Option<&LineCounters> {
        self.lines.get(line)
    }
}
