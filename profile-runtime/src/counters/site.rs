//! The counters of one site on one thread: calls, and what each line did.

use std::sync::OnceLock;

use crate::counters::atomics::{AtomicI64, AtomicU64, Ordering::Relaxed, add};
use crate::counters::counts::Counts;
use crate::counters::line::{HeapCounters, LineCounters, NO_LINE};
use crate::counters::spread::HeapSpread;

/// What one thread counts of one site without taking the lock of its recorder.
///
/// Only the recorder's own thread writes, with plain loads and stores; anybody reads.
#[derive(Debug)]
pub(crate) struct SiteCounters {
    /// All calls, measured or counted, ended or in progress.
    calls: AtomicU64,
    /// The number of the last thread that called the site through this recorder.
    thread: AtomicU64,
    /// Panics of counted calls.
    panics: AtomicU64,
    /// What counted calls did on the heap.
    heap: HeapCounters,
    /// How all calls, measured or counted, are spread by what they did on the heap. Made at the first that did
    /// something.
    spread: OnceLock<Box<HeapSpread>>,
    /// A counted call with at least this heap peak is worth a record.
    least_height: AtomicI64,
    lines: Box<[LineCounters]>,
    /// The current line of a call that has not reached its first line.
    before_lines: LineCounters,
}

impl SiteCounters {
    /// Counters of a site with so many lines. Leaked, because live frames point to them.
    /// `followed`: whether blocks are followed.
    pub(crate) fn leaked(lines: usize, followed: bool) -> &'static SiteCounters {
        Box::leak(Box::new(SiteCounters {
            calls: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            heap: HeapCounters::default(),
            spread: OnceLock::new(),
            least_height: AtomicI64::new(1),
            lines: (0..lines).map(|_| LineCounters::new(followed)).collect(),
            before_lines: LineCounters::new(followed),
        }))
    }

    /// The current line of a call that has not reached its first line. `None` for a site without lines.
    #[inline]
    pub(crate) fn before_lines(&self) -> Option<&LineCounters> {
        (!self.lines.is_empty()).then_some(&self.before_lines)
    }

    /// The current line of a call at this place in the site's list, or before the first line.
    pub(crate) fn position_at(&self, place: u32) -> Option<&LineCounters> {
        self.line(place as usize).or(self.before_lines())
    }

    /// The place of `line` in the site's list; `NO_LINE` if it is none of them.
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

    /// The line at this place, or what stands before the first line.
    pub(crate) fn at(&self, place: u32) -> &LineCounters {
        self.line(place as usize).unwrap_or(&self.before_lines)
    }

    /// What the thread did on the heap in the line at this place, and the highest rise of live bytes.
    /// What happened before the first line counts for that line.
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

    /// A call begins whose lines are also recorded by themselves: gives what the line at this place has
    /// booked so far, and restarts its heap peak.
    pub(crate) fn begin_details(&self, place: usize) -> (Counts, u64) {
        let before = self.line_heap(place);
        self.heap_counters(place)
            .for_each(|heap| heap.peak.store(0, Relaxed));
        before
    }

    /// The call ends or is suspended: gives what is booked by now, and the heap peak since
    /// `begin_details`, which gave `peak`. The line's peak is the higher of the two again.
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

    /// Counts a call by `thread`. Says whether the previous call was made by another thread.
    #[inline]
    pub(crate) fn count_call(&self, thread: u64) -> bool {
        self.count_another_call();
        let is_new = !self.is_called_by(thread);
        if is_new {
            self.thread.store(thread, Relaxed);
        }
        is_new
    }

    /// Counts a call by the thread that made the previous one.
    #[inline]
    pub(crate) fn count_another_call(&self) {
        add(&self.calls, 1);
    }

    /// Whether `thread` made the last call.
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

    /// Books what a counted call did on the heap; live bytes rose by `peak` at most.
    #[inline]
    pub(crate) fn book_heap(&self, change: Counts, peak: i64) {
        self.heap.book(change, peak);
    }

    /// What counted calls did on the heap, and their highest peak.
    pub(crate) fn heap(&self) -> (Counts, u64) {
        self.heap.sum()
    }

    /// Counts a call that did something on the heap among those that did about as much. `false` if that has no
    /// room yet ([`SiteCounters::make_room`]); then it is not counted.
    #[inline]
    pub(crate) fn spread_call(&self, change: Counts, peak: i64) -> bool {
        if change.allocated == 0 {
            return true;
        }
        let spread = self.spread.get();
        spread.is_some_and(|spread| spread.count(change.allocated, peak.max(0) as u64))
    }

    /// Makes room for a call like this one, and counts it.
    pub(crate) fn make_room_and_spread(&self, change: Counts, peak: i64) {
        let spread = self.spread.get_or_init(Box::default);
        spread.make_room(change.allocated, peak.max(0) as u64);
        self.spread_call(change, peak);
    }

    /// How the calls are spread; `None` if none allocated anything.
    pub(crate) fn spread(&self) -> Option<&HeapSpread> {
        self.spread.get().map(|spread| &**spread)
    }

    /// Whether a counted call with this heap peak is worth a record.
    #[inline]
    pub(crate) fn is_high(&self, peak: i64) -> bool {
        peak >= self.least_height.load(Relaxed)
    }

    /// From now on a counted call is worth a record if its heap peak is at least so high.
    pub(crate) fn set_least_height(&self, height: u64) {
        let height = i64::try_from(height.max(1)).unwrap_or(i64::MAX);
        self.least_height.store(height, Relaxed);
    }

    pub(crate) fn line(&self, line: usize) -> Option<&LineCounters> {
        self.lines.get(line)
    }
}
