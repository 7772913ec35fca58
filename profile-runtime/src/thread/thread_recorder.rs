//! A thread's own book: its calls in progress, the lines they are at, and what it has added up.
//!
//! A thread takes a recorder at its first annotated call and gives it back when it ends; the next thread
//! goes on in the same book. So there are as many recorders as there were threads at once, however many
//! came and went, and a recorder is never freed.
//!
//! A probe looks at one number, `slow_path`. While it is 0 the probe counts its hit, writes down which
//! line runs, and is done: a few nanoseconds; calls are entered and left without more ado, too (see
//! `counted`). Otherwise it takes the recorder's lock and, if a reading is due, takes one; what has changed
//! since the line's own last reading is then booked on the line that was running. When the recorder's
//! budget is used up it goes to 0; the sampler sets it again at its next tick, at a moment that
//! favours no line but the ones that take long.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::call_stack::ThreadState;
use super::ended_call::EndedCall;
use super::open_call::{CallStart, Kind, OpenCall, Position};
use crate::counters::counted_calls::CountedCalls;
use crate::counters::counts::Counts;
use crate::counters::hits;
use crate::counters::line::{CurrentLine, LineCounters, NO_LINE};
use crate::counters::site::SiteCounters;
use crate::counters::site_directory::SiteDirectory;
use crate::heap::{self, origins};
use crate::reading::instruments::Instruments;
use crate::reading::meter::PeakListener;
use crate::reading::one_reading::LastReading;
use crate::recording;
use crate::site::registered::RegisteredSite;
use crate::sync::lock;

/// A reading is due at the next probe.
pub(super) const READING_DUE: i64 = 1 << 62;
/// A call inside this one took readings: the line that made it must book them when it is over. Calls that it
/// makes until then put that off (`ThreadRecorder::books_later`, and `OpenCall::has_unbooked`).
const BOOKING_DUE: i64 = 1 << 61;
// A probe asks for slow_path and for its line's turn with one comparison.
const _: () = assert!(BOOKING_DUE as u64 > hits::MOST && READING_DUE as u64 > hits::MOST);

/// CountedCalls calls that can be in progress at once on a thread.
const LIGHT_CALLS: usize = 31;

/// What a reading that only looks at the clock is booked as.
const CLOCK_NS: u64 = 100;

/// One thread's book.
#[derive(Debug)]
pub(crate) struct ThreadRecorder {
    pub(super) instruments: &'static Instruments,
    /// Number of the thread that holds it.
    pub(super) thread: AtomicU64,
    pub(super) counted: CountedCalls<RegisteredSite, SiteCounters, LineCounters>,
    /// `BOOKING_DUE` of the innermost measured call, while a counted one is in progress inside it.
    pub(super) books_later: AtomicBool,
    pub(super) directory: SiteDirectory,
    /// Highest RSS that anybody saw since this recorder's last reading.
    pub(super) high: AtomicU64,
    pub(super) log: Mutex<ThreadState>,
}

impl ThreadRecorder {
    pub(crate) fn new(instruments: &'static Instruments) -> ThreadRecorder {
        ThreadRecorder {
            instruments,
            thread: AtomicU64::new(0),
            counted: CountedCalls::with_room_for(LIGHT_CALLS, READING_DUE),
            books_later: AtomicBool::new(false),
            directory: SiteDirectory::new(),
            high: AtomicU64::new(0),
            log: Mutex::default(),
        }
    }

    #[inline]
    pub(crate) fn current_line(&self) -> &CurrentLine {
        &self.counted.current_line
    }

    pub(super) fn log(&self) -> MutexGuard<'_, ThreadState> {
        lock(&self.log)
    }

    /// A new thread takes the recorder.
    pub(crate) fn take(&self, thread: u64) {
        let mut log = self.log();
        log.thread = thread;
        self.thread.store(thread, Relaxed);
        log.last_reading = LastReading::default();
        self.ask_for_reading();
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.counted.depth() > 0
    }

    /// From now on the next probe takes a reading.
    pub(crate) fn ask_for_reading(&self) {
        self.current_line().slow_path.fetch_or(READING_DUE, Relaxed);
    }

    /// Until somebody asks again the next probe takes none: as when the budget is used up.
    #[cfg(test)]
    pub(crate) fn stop_asking_for_readings(&self) {
        self.current_line()
            .slow_path
            .fetch_and(!READING_DUE, Relaxed);
    }

    pub(super) fn is_due(&self) -> bool {
        self.current_line().slow_path.load(Relaxed) & READING_DUE != 0
    }

    /// Opens a call of `site`.
    pub(crate) fn enter(&'static self, site: &'static RegisteredSite, kind: Kind) -> CallHandle {
        let mut guard = self.log();
        let log = &mut *guard;
        self.promote_counted_calls(log);
        log.discard_measured_hit();
        let heap = self.pause(log);
        // Whatever needs memory comes before the reading, so as not to show up in the call.
        let (counters, forced, details) = heap::without_counting(|| {
            let forced = kind == Kind::Call && log.must_be_exact(site);
            let counters = log.make_room(site, kind, forced || self.is_due());
            let per_call = kind == Kind::Call && site.per_call.is_some();
            if kind == Kind::Call && !site.is_usage() && !per_call {
                self.directory.set(site.id, counters);
            }
            let details = per_call.then(|| log.take_details(site.spec.lines.len()));
            (counters, forced, details)
        });
        let exact = self.read_at_entry(log, kind, forced);
        self.leave_caller(log);
        if kind == Kind::Call {
            let thread = log.thread;
            log.totals(site).count_call(thread);
        }
        let start = CallStart {
            call_id: log.call_id_for(kind),
            ..CallStart::now(site, counters, heap)
        };
        log.open(start, start.position(), kind, exact);
        if let Some(details) = details {
            log.details(details);
        }
        let depth = self.begin_innermost(log, heap);
        CallHandle::new(self, counters, depth)
    }

    /// A call begins or goes on inside of the innermost one, which stays where it is meanwhile.
    pub(super) fn leave_caller(&self, log: &mut ThreadState) {
        if let Some(outer) = log.stack.last_mut() {
            outer.line = self.line();
            outer.has_unbooked |= self.take_booking_due();
        }
    }

    /// Takes the reading with which something of this kind begins, if one is due or `forced`: a function's
    /// first call is to be exact whatever the budget says.
    pub(super) fn read_at_entry(&self, log: &mut ThreadState, kind: Kind, forced: bool) -> bool {
        let due = self.is_due();
        if !due && !forced {
            return false;
        }
        match kind {
            Kind::OtherThread => self.read(log),
            // RSS at its entry is its own, wherever it begins: inside of a closure of another thread, too.
            Kind::Call | Kind::NestedClosure(_) => self.read_rss(log),
        }
        if !due {
            log.book_stretch();
        }
        true
    }

    /// The innermost call has just been put on the stack, or back on it; gives its depth.
    pub(super) fn begin_innermost(&self, log: &ThreadState, heap: Counts) -> u32 {
        let depth = log.stack.len() - 1;
        let call = &log.stack[depth];
        let calls = depth as u32 + 1;
        let position = Position {
            line: call.counters.position_at(call.line),
            heap_line_start: heap.live(),
            heap_high: heap.live(),
        };
        self.counted
            .set_measured(calls, Some((call.start(), position)));
        if let Some(heap_counters) = heap::of_this_thread() {
            heap_counters.set_high(heap.live());
        }
        if call.entry_exact {
            let next_sample_ns = call.booked_until.t_ns.saturating_add(call.site.interval_ns);
            self.instruments.sampler.expect(next_sample_ns);
        }
        depth as u32
    }

    /// Puts the counted calls on the log's stack, before anything happens there.
    pub(super) fn promote_counted_calls(&self, log: &mut ThreadState) {
        if !self.counted.is_empty() {
            if let Some(outer) = log.stack.last_mut() {
                outer.has_unbooked |= self.books_later.swap(false, Relaxed);
            }
            let (_, innermost) = self.pause_heap(heap::of_this_thread());
            heap::without_counting(|| {
                self.counted
                    .promote(innermost, |start, position| match start {
                        Some(start) => log.open_promoted(start, position),
                        None => log.position(position),
                    });
            });
        }
        log.clear_deferred();
        if let Some(call) = log.stack.last_mut() {
            call.call_id = self.counted.call_id(|| 0);
        }
    }

    /// Closes the call at `depth`, and whatever a leaked frame left above it; hands it to `last`.
    pub(crate) fn close<T>(
        &self,
        depth: u32,
        cancelled: bool,
        last: impl FnOnce(&mut ThreadState, EndedCall<'_>) -> T,
    ) -> Option<T> {
        if recording::has_given_up() {
            return None;
        }
        let mut guard = self.log();
        let log = &mut *guard;
        self.promote_counted_calls(log);
        self.close_above(log, depth as usize)?;
        self.close_innermost(log, cancelled, last)
    }

    /// Closes what leaked frames left above the call at `depth`; `None` if that one is gone, too.
    pub(super) fn close_above(&self, log: &mut ThreadState, depth: usize) -> Option<()> {
        while log.stack.len() > depth + 1 {
            self.close_innermost(log, false, ThreadState::finish_call)?;
        }
        (log.stack.len() == depth + 1).then_some(())
    }

    fn close_innermost<T>(
        &self,
        log: &mut ThreadState,
        cancelled: bool,
        last: impl FnOnce(&mut ThreadState, EndedCall<'_>) -> T,
    ) -> Option<T> {
        let heap = self.pause(log);
        self.read_at_end(log);
        let mut call = log.pop()?;
        call.suspend_details();
        if call.kind == Kind::Call {
            origins::call_ended(call.call_id);
        }
        let record = log.add_to_totals(&call, cancelled, heap);
        self.go_back_to_caller(log, &call, heap);
        let call = &mut call;
        Some(heap::without_counting(|| {
            last(log, EndedCall { call, record, heap })
        }))
    }

    /// The last reading of the innermost call, and the end of its last line.
    pub(super) fn read_at_end(&self, log: &mut ThreadState) {
        let due = self.is_due();
        // A call that began with a reading ends with one: its record must not borrow from others.
        let read = due || log.stack.last().is_some_and(|call| call.entry_exact);
        if read {
            self.read(log);
        }
        let turn = log.end_measured_hit();
        if read && (turn || !due) {
            log.book_stretch();
        }
        log.book_last_line(self.line(), read);
    }

    /// `inner` has left the stack: its caller's line goes on, and what `inner` did on the heap is
    /// that line's, too.
    pub(super) fn go_back_to_caller(&self, log: &mut ThreadState, inner: &OpenCall, heap: Counts) {
        let high = inner.heap_high;
        let change = heap.since(inner.heap_entry);
        if let Kind::NestedClosure(depth) = inner.kind
            && let Some(outer) = log.stack.get(depth)
        {
            // Booked on its own lines already: it must not be booked on the line around it again.
            let taken_off = Counts::default().since(change);
            outer.book_heap(taken_off, i64::MIN);
        }
        let calls = log.stack.len() as u32;
        // What was left for `inner`'s next line to do.
        self.take_booking_due();
        let Some(outer) = log.stack.last_mut() else {
            self.counted.set_measured(0, None);
            return;
        };
        let has_unbooked =
            std::mem::take(&mut outer.has_unbooked) || inner.has_unbooked_since_entry();
        outer.book_heap(change, high.wrapping_sub(outer.heap_line_start));
        let position = outer.position();
        self.counted
            .set_measured(calls, Some((outer.start(), position)));
        if let Some(heap_counters) = heap::of_this_thread() {
            heap_counters.set_high(position.heap_high.max(high));
        }
        if has_unbooked {
            self.ask_for_booking();
        }
    }

    /// The innermost call's line has to book_change at the next probe.
    pub(super) fn ask_for_booking(&self) {
        self.current_line().slow_path.fetch_or(BOOKING_DUE, Relaxed);
    }

    /// Whether the innermost call's line had to book_change; now it need not.
    pub(super) fn take_booking_due(&self) -> bool {
        self.current_line()
            .slow_path
            .fetch_and(!BOOKING_DUE, Relaxed)
            & BOOKING_DUE
            != 0
    }

    /// The call at `depth` has the size `n`.
    pub(crate) fn set_size(&self, depth: u32, n: f64) {
        if let Some(call) = self.log().stack.get_mut(depth as usize)
            && let Some(details) = &mut call.details
        {
            details.by = Some(n);
        }
    }

    /// Depth of the innermost call of `site` in progress on this thread, or of the run of a closure of such a
    /// call, if there is one.
    pub(crate) fn find(&self, site: &'static RegisteredSite) -> Option<usize> {
        let mut log = self.log();
        self.promote_counted_calls(&mut log);
        log.stack
            .iter()
            .rposition(|call| call.kind != Kind::OtherThread && std::ptr::eq(call.site, site))
    }

    /// The line at which the innermost call is. By the owner only.
    pub(crate) fn line(&self) -> u32 {
        match self.counted.innermost() {
            Some((_, counters)) => counters.place(self.current_line().line()),
            None => NO_LINE,
        }
    }

    /// Takes a reading for the innermost call. A closure of another thread's call is timed, and no more:
    /// RSS is for the call that it works for.
    pub(super) fn read(&self, log: &mut ThreadState) {
        let innermost = log.stack.last();
        if innermost.is_none_or(|call| call.kind != Kind::OtherThread) {
            return self.read_rss(log);
        }
        log.last = log.last.at(self.instruments.meter.now_ns());
        self.spend(log, CLOCK_NS);
    }

    /// Takes a reading of RSS and tells the calls in progress.
    fn read_rss(&self, log: &mut ThreadState) {
        let before = log.last;
        let outermost = log.stack.len() <= 1;
        let meter = &self.instruments.meter;
        let (reading, high, cost_ns) = meter.read(self, &mut log.last_reading, outermost);
        log.last = reading;
        let line = self.line();
        log.raise(before, high, line);
        log.sample(reading, line, None);
        self.spend(log, cost_ns);
    }

    /// Books what a reading cost; clears `READING_DUE` when the budget is used up.
    fn spend(&self, log: &mut ThreadState, cost_ns: u64) {
        let share = self.instruments.threads_per_processor();
        if log.budget.spend(log.last.t_ns, cost_ns, share) {
            self.ask_for_reading();
        } else {
            self.current_line()
                .slow_path
                .fetch_and(!READING_DUE, Relaxed);
        }
    }

    /// Something begins inside of the innermost measured call's line in progress, or its call ends; gives
    /// the thread's heap.
    pub(super) fn pause(&self, log: &mut ThreadState) -> Counts {
        let (heap, position) = self.pause_heap(heap::of_this_thread());
        if let Some(call) = log.stack.last_mut() {
            call.heap_line_start = position.heap_line_start;
            call.heap_high = position.heap_high;
        }
        heap
    }

    /// Bytes that it holds, but for what totals do.
    pub(crate) fn bytes(&self) -> u64 {
        let fixed =
            size_of::<ThreadRecorder>() as u64 + self.counted.bytes() + self.directory.bytes();
        fixed + self.log().bytes()
    }
}

impl PeakListener for ThreadRecorder {
    fn raise_peak(&self, rss: u64) {
        if self.is_busy() {
            self.high.fetch_max(rss, Relaxed);
        }
    }

    fn take_peak(&self) -> u64 {
        self.high.swap(0, Relaxed)
    }

    fn is_busy(&self) -> bool {
        ThreadRecorder::is_busy(self)
    }
}

/// What the probes of a call write to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallHandle {
    pub recorder: &'static ThreadRecorder,
    pub counters: &'static SiteCounters,
    pub depth: u32,
}

impl CallHandle {
    /// For a call of the calling thread, whose recorder this is.
    #[inline]
    pub(crate) fn new(
        recorder: &'static ThreadRecorder,
        counters: &'static SiteCounters,
        depth: u32,
    ) -> CallHandle {
        CallHandle {
            recorder,
            counters,
            depth,
        }
    }

    /// `line` begins: one hit.
    #[inline]
    pub(crate) fn line(&self, line: u32) {
        if let Some(counters) = self.counters.line(line as usize) {
            self.recorder.hit_line(counters);
        }
    }

    /// Goes back to `line` without a hit.
    #[inline]
    pub(crate) fn resume(&self, line: u32) {
        self.recorder.resume_line(self.counters.at(line));
    }

    /// The line at which the call is, if it is the innermost.
    pub(crate) fn current(&self) -> u32 {
        self.counters.place(self.recorder.current_line().line())
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The call has the size `n`.
    pub(crate) fn set_size(&self, n: f64) {
        self.recorder.set_size(self.depth, n);
    }

    /// Ends the call.
    pub(crate) fn exit(&self) {
        self.recorder.exit(self.depth);
    }
}

/// Which of the lines of `call` is `line`.
pub(super) fn place_of(call: Option<&OpenCall>, line: Option<&LineCounters>) -> u32 {
    call.map_or(NO_LINE, |call| call.counters.place(line))
}
