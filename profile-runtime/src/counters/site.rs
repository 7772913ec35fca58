//! The counters of one site on one thread: calls, and what each line did.

use std::sync::OnceLock;

use crate::counters::atomics::{AtomicU64, Ordering::Relaxed, add};
use crate::counters::line::{HeapSums, Highest, LineCounters, NO_LINE};
use crate::counters::spread::HeapSpread;

/// So many of a site's calls that were short in succession show that they are. The first is longer, because
/// its code is new.
const SHORT_IN_SUCCESSION: u64 = 4;

/// What one thread counts of one site without taking the lock of its recorder.
///
/// Only the recorder's own thread writes, with plain loads and stores; anybody reads.
#[derive(Debug)]
pub(crate) struct SiteCounters {
    /// All calls, measured or counted, ended or in progress.
    calls: AtomicU64,
    /// How often a call ended or was suspended, less how often a suspended one went on here.
    left: AtomicU64,
    /// The number of the last thread that called the site through this recorder.
    thread: AtomicU64,
    /// The number of the thread's stretch of time between two readings in which it called the site last.
    stretch: AtomicU64,
    /// `calls` when that stretch began.
    calls_before: AtomicU64,
    /// Panics of counted calls.
    panics: AtomicU64,
    /// The highest rise of live heap bytes in a counted call.
    heap_peak: Highest,
    /// How all calls, measured or counted, are spread by what they did on the heap. Made at the first that did
    /// something.
    spread: OnceLock<Box<HeapSpread>>,
    /// A counted call with at least this heap peak is worth a record.
    least_height: AtomicU64,
    /// How many of its calls that were read were short in succession.
    short: AtomicU64,
    lines: Box<[LineCounters]>,
    /// The current line of a call that has not reached its first line.
    before_lines: LineCounters,
}

impl SiteCounters {
    /// Counters of a site with so many lines. Leaked, because live frames point to them.
    /// `followed`: whether blocks are followed.
    pub(crate) fn leaked(lines: usize, followed: bool) -> &'static SiteCounters {
        // The blocks of a site without lines could be shown nowhere.
        let followed = followed && lines > 0;
        Box::leak(Box::new(SiteCounters {
            calls: AtomicU64::new(0),
            left: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            stretch: AtomicU64::new(0),
            calls_before: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            heap_peak: Highest::default(),
            spread: OnceLock::new(),
            least_height: AtomicU64::new(1),
            short: AtomicU64::new(0),
            lines: (0..lines).map(|_| LineCounters::new(followed)).collect(),
            before_lines: LineCounters::new(followed),
        }))
    }

    /// The current line of a call that has not reached its first line. A site without lines has no other.
    #[inline]
    pub(crate) fn before_lines(&self) -> &LineCounters {
        &self.before_lines
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

    /// What the thread did on the heap in the line at this place. What happened before the first line counts
    /// for that line: a site without lines has all of it there.
    pub(crate) fn line_heap(&self, place: usize) -> HeapSums {
        let lines = self.lines_at(place).map(LineCounters::heap);
        lines.fold(HeapSums::default(), HeapSums::plus)
    }

    fn lines_at(&self, place: usize) -> impl Iterator<Item = &LineCounters> {
        let before_lines = (place == 0).then_some(&self.before_lines);
        self.line(place).into_iter().chain(before_lines)
    }

    /// A call begins whose lines are also recorded by themselves: gives what the line at this place has
    /// booked so far, and restarts its heap peak.
    pub(crate) fn begin_details(&self, place: usize) -> HeapSums {
        let before = self.line_heap(place);
        self.lines_at(place).for_each(|line| line.peak.restart());
        before
    }

    /// The call ends or is suspended: gives what is booked by now, with the heap peak since `begin_details`,
    /// which gave `peak`. The line's peak is the higher of the two again.
    pub(crate) fn end_details(&self, place: usize, peak: u64) -> HeapSums {
        let now = self.line_heap(place);
        self.lines_at(place)
            .for_each(|line| line.peak.raise(peak as i64));
        now
    }

    #[inline]
    pub(crate) fn lines(&self) -> &[LineCounters] {
        &self.lines
    }

    /// Counts a call by `thread` in this stretch. Says whether the previous call was made by another thread.
    pub(crate) fn count_call(&self, thread: u64, stretch: u64) -> bool {
        if !self.is_called_in(stretch) {
            self.begin_stretch(stretch);
        }
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

    /// Whether the last call was made in this stretch. Stretches of two threads have different numbers.
    #[inline]
    pub(crate) fn is_called_in(&self, stretch: u64) -> bool {
        self.stretch.load(Relaxed) == stretch
    }

    /// The first call in this stretch begins.
    pub(crate) fn begin_stretch(&self, stretch: u64) {
        self.calls_before.store(self.calls(), Relaxed);
        self.stretch.store(stretch, Relaxed);
    }

    /// How many calls began in this stretch.
    pub(crate) fn calls_in(&self, stretch: u64) -> u64 {
        match self.is_called_in(stretch) {
            true => self.calls() - self.calls_before.load(Relaxed),
            false => 0,
        }
    }

    /// Whether `thread` made the last call.
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

    /// A call ends, or is suspended.
    #[inline]
    pub(crate) fn count_leaving(&self) {
        add(&self.left, 1);
    }

    /// A suspended call goes on.
    pub(crate) fn count_coming_back(&self) {
        self.left
            .store(self.left.load(Relaxed).wrapping_sub(1), Relaxed);
    }

    /// Whether the innermost call is inside of another one. By the owner only.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        self.calls
            .load(Relaxed)
            .wrapping_sub(self.left.load(Relaxed))
            > 1
    }

    /// In a counted call live heap bytes rose by `rise`.
    #[inline]
    pub(crate) fn raise_heap_peak(&self, rise: i64) {
        self.heap_peak.raise(rise);
    }

    /// The highest rise of live heap bytes in a counted call.
    pub(crate) fn heap_peak(&self) -> u64 {
        self.heap_peak.get()
    }

    /// Counts a call that did just what the one before did. `false` if it did not; then it is not counted.
    #[inline]
    pub(crate) fn spread_again(&self, allocated: u64, peak: u64) -> bool {
        let spread = self.spread.get();
        spread.is_some_and(|spread| spread.count_again(allocated, peak))
    }

    /// Counts a call that allocated something among those that did about as much on the heap. `false` if that has no
    /// room yet ([`SiteCounters::make_room_and_spread`]); then it is not counted.
    pub(crate) fn spread_call(&self, allocated: u64, peak: u64) -> bool {
        let spread = self.spread.get();
        spread.is_some_and(|spread| spread.count(allocated, peak))
    }

    /// Makes room for a call like this one, and counts it.
    pub(crate) fn make_room_and_spread(&self, allocated: u64, peak: u64) {
        let spread = self.spread.get_or_init(Box::default);
        spread.make_room(allocated, peak);
        spread.count(allocated, peak);
    }

    /// How the calls are spread; `None` if none allocated anything.
    pub(crate) fn spread(&self) -> Option<&HeapSpread> {
        self.spread.get().map(|spread| &**spread)
    }

    /// Whether a counted call with this heap peak is worth a record.
    #[inline]
    pub(crate) fn is_high(&self, peak: u64) -> bool {
        peak >= self.least_height.load(Relaxed)
    }

    /// From now on a counted call is worth a record if its heap peak is at least so high.
    pub(crate) fn set_least_height(&self, height: u64) {
        self.least_height.store(height.max(1), Relaxed);
    }

    /// A call ends that was read.
    pub(crate) fn note_length(&self, is_short: bool) {
        let short = self.short.load(Relaxed);
        self.short
            .store(if is_short { short + 1 } else { 0 }, Relaxed);
    }

    /// Whether its calls are short, as far as is known.
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Relaxed) >= SHORT_IN_SUCCESSION
    }

    pub(crate) fn line(&self, line: usize) -> Option<&LineCounters> {
        self.lines.get(line)
    }
}
