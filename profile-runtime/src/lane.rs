//! A thread's own book: its calls in progress, the lines they are at, and what it has added up.
//!
//! A thread takes a lane at its first annotated call and gives it back when it ends; the next thread
//! goes on in the same book. So there are as many lanes as there were threads at once, however many
//! came and went, and a lane is never freed.
//!
//! A probe looks at one byte, `attention`. While it is 0 the probe counts its hit, writes down which
//! line runs, and is done: a few nanoseconds. Otherwise it takes the lane's lock and, if a reading
//! is due, takes one; what has changed since the line's own last reading is then booked on the line
//! that was running. When the lane's budget is used up the byte goes to 0; the sampler sets it again
//! at its next tick, at a moment that favours no line but the ones that take long.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use crate::heap::{self, Counters, Counts};
use crate::log::{Ended, Kind, Log, NO_LINE, OpenCall};
use crate::meter::{Reading, Witness};
use crate::own::{self, Innermost};
use crate::recorder::Recorder;
use crate::run::{Call, Outcome};
use crate::site::Registered;
use crate::tally::{Cells, SiteTally};

/// A reading is due at the next probe.
const DUE: u8 = 1;
/// A call inside this one took readings: the line that made it must book them.
const SETTLE: u8 = 2;

/// What a reading that only looks at the clock is booked as.
const CLOCK_NS: u64 = 100;

/// One thread's book.
#[derive(Debug)]
pub(crate) struct Lane {
    attention: AtomicU8,
    /// The line at which the innermost call is.
    line: AtomicU32,
    /// Calls in progress.
    depth: AtomicU32,
    /// Highest RSS that anybody saw since this lane's last reading.
    high: AtomicU64,
    heap: HeapMark,
    log: Mutex<Log>,
}

/// Up to where the thread's heap has been booked. Written by the lane's thread alone.
#[derive(Debug, Default)]
struct HeapMark {
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    /// Live bytes when the line in progress began.
    line_start: AtomicI64,
    /// Highest live bytes since the innermost call began.
    high: AtomicI64,
}

impl Lane {
    pub(crate) fn new() -> Lane {
        Lane {
            attention: AtomicU8::new(DUE),
            line: AtomicU32::new(NO_LINE),
            depth: AtomicU32::new(0),
            high: AtomicU64::new(0),
            heap: HeapMark::default(),
            log: Mutex::default(),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        crate::lock(&self.log)
    }

    /// A new thread takes the lane.
    pub(crate) fn take(&self, thread: u64) {
        let mut log = self.log();
        log.thread = thread;
        log.witness = Witness::default();
        self.ask_for_reading();
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.depth.load(Relaxed) > 0
    }

    /// From now on the next probe takes a reading.
    pub(crate) fn ask_for_reading(&self) {
        self.attention.fetch_or(DUE, Relaxed);
    }

    pub(crate) fn raise_high(&self, rss: u64) {
        if self.is_busy() {
            self.high.fetch_max(rss, Relaxed);
        }
    }

    pub(crate) fn take_high(&self) -> u64 {
        self.high.swap(0, Relaxed)
    }

    fn is_due(&self) -> bool {
        self.attention.load(Relaxed) & DUE != 0
    }

    /// Opens a call of `site`: gives the cells that its probes count on, and its depth.
    pub(crate) fn enter(
        &self,
        recorder: &'static Recorder,
        site: &'static Registered,
        kind: Kind,
    ) -> (&'static Cells, u32) {
        let mut guard = self.log();
        let log = &mut *guard;
        let heap = self.pause_heap(log);
        // Whatever needs memory comes before the reading, so as not to show up in the call.
        let first = heap::outside_the_figures(|| {
            log.make_room(site, kind);
            log.tally(site).calls == 0
        });
        let exact = self.read_at_entry(recorder, log, first && kind == Kind::Call);
        if let Some(outer) = log.stack.last_mut() {
            outer.line = self.line.load(Relaxed);
        }
        log.open(site, kind, exact, heap);
        self.begin_innermost(log, heap)
    }

    /// Takes the reading of an entry, if one is due or `forced`, because a function's first call is
    /// to be exact whatever the budget says.
    fn read_at_entry(&self, recorder: &'static Recorder, log: &mut Log, forced: bool) -> bool {
        let due = self.is_due();
        if !due && !forced {
            return false;
        }
        self.read(recorder, log);
        if !due {
            log.settle_stretch();
        }
        true
    }

    /// The innermost call has just been put on the stack.
    fn begin_innermost(&self, log: &Log, heap: Counts) -> (&'static Cells, u32) {
        let depth = log.stack.len() - 1;
        let call = &log.stack[depth];
        self.line.store(call.line, Relaxed);
        self.depth.store(depth as u32 + 1, Relaxed);
        self.heap.line_start.store(heap.live(), Relaxed);
        self.heap.high.store(heap.live(), Relaxed);
        own::set_innermost(Some(Innermost {
            site: call.site,
            cells: call.cells,
        }));
        if call.entry_exact {
            let recorder_wakes = call.settled.t_ns.saturating_add(call.site.interval_ns);
            if let Some(recorder) = Recorder::running() {
                recorder.sampler().expect(recorder_wakes);
            }
        }
        (call.cells, depth as u32)
    }

    /// A probe of the innermost call, which counts on `cells`: the line that ran is over, `line`
    /// begins, with a hit or (after something inside it) without.
    #[inline]
    pub(crate) fn switch_line(&self, cells: &Cells, line: u32, hit: bool) {
        if let Some(counters) = heap::of_this_thread()
            && counters.events() != self.heap.events()
        {
            self.settle_heap(cells, counters, true);
        }
        if self.attention.load(Relaxed) == 0 {
            self.line.store(line, Relaxed);
        } else {
            self.switch_line_with_attention(line, hit);
        }
    }

    #[cold]
    #[inline(never)]
    fn switch_line_with_attention(&self, line: u32, hit: bool) {
        let Some(recorder) = Recorder::running() else {
            return;
        };
        let mut guard = self.log();
        let log = &mut *guard;
        let due = self.is_due();
        if due {
            self.read(recorder, log);
        }
        self.attention.fetch_and(!SETTLE, Relaxed);
        let closing = self.line.load(Relaxed);
        let was_exact = log.settle(closing, due);
        log.begin_line(line, hit, due && self.is_due());
        if due && !was_exact {
            log.stretch_is_like(closing);
        }
        self.line.store(line, Relaxed);
    }

    /// Closes the call at `depth`, and whatever a leaked frame left above it.
    pub(crate) fn exit(&self, depth: u32) {
        self.close(depth, false, Log::keep);
    }

    /// Closes the call at `depth` like [`Lane::exit`], and hands it to `last` instead of the book.
    pub(crate) fn close<T>(
        &self,
        depth: u32,
        cancelled: bool,
        last: impl FnOnce(&mut Log, Ended<'_>) -> T,
    ) -> Option<T> {
        let recorder = Recorder::running()?;
        let mut guard = self.log();
        let log = &mut *guard;
        self.close_above(recorder, log, depth as usize)?;
        self.close_innermost(recorder, log, cancelled, last)
    }

    /// Closes what leaked frames left above the call at `depth`; `None` if that one is gone, too.
    fn close_above(&self, recorder: &'static Recorder, log: &mut Log, depth: usize) -> Option<()> {
        while log.stack.len() > depth + 1 {
            self.close_innermost(recorder, log, false, Log::keep)?;
        }
        (log.stack.len() == depth + 1).then_some(())
    }

    fn close_innermost<T>(
        &self,
        recorder: &'static Recorder,
        log: &mut Log,
        cancelled: bool,
        last: impl FnOnce(&mut Log, Ended<'_>) -> T,
    ) -> Option<T> {
        let heap = self.pause_heap(log);
        self.read_at_end(recorder, log);
        let mut call = log.pop()?;
        let record = log.book(&call, cancelled, heap);
        self.go_back_to_caller(log, &call, heap);
        let call = &mut call;
        Some(heap::outside_the_figures(|| {
            last(log, Ended { call, record })
        }))
    }

    /// The last reading of the innermost call, and the end of its last line.
    fn read_at_end(&self, recorder: &'static Recorder, log: &mut Log) {
        let due = self.is_due();
        // A call that began with a reading ends with one: its record must not borrow from others.
        let read = due || log.stack.last().is_some_and(|call| call.entry_exact);
        if read {
            self.read(recorder, log);
        }
        if read && !due {
            log.settle_stretch();
        }
        log.settle(self.line.load(Relaxed), read);
    }

    /// `inner` has left the stack: its caller's line goes on, and what `inner` did on the heap is
    /// that line's, too.
    fn go_back_to_caller(&self, log: &mut Log, inner: &OpenCall, heap: Counts) {
        self.depth.store(log.stack.len() as u32, Relaxed);
        let high = inner.heap_high;
        let change = heap.since(inner.heap_entry);
        if let Kind::Part(depth) = inner.kind
            && let Some(outer) = log.stack.get(depth)
        {
            // Booked on its own lines already: it must not be booked on the line around it again.
            let taken_off = Counts::default().since(change);
            outer.cells.book_heap(outer.line, taken_off, i64::MIN);
        }
        let Some(outer) = log.stack.last() else {
            own::set_innermost(None);
            return;
        };
        let rise = high.wrapping_sub(outer.heap_line_start);
        outer.cells.book_heap(outer.line, change, rise);
        self.line.store(outer.line, Relaxed);
        self.heap.line_start.store(outer.heap_line_start, Relaxed);
        self.heap.high.store(outer.heap_high.max(high), Relaxed);
        own::set_innermost(Some(Innermost {
            site: outer.site,
            cells: outer.cells,
        }));
        if inner.settled_since_entry() {
            self.attention.fetch_or(SETTLE, Relaxed);
        }
    }

    /// Takes the call at `depth`, and leaks above it, off the stack until it is resumed.
    pub(crate) fn suspend(&self, depth: u32) -> Option<OpenCall> {
        let recorder = Recorder::running()?;
        let mut guard = self.log();
        let log = &mut *guard;
        self.close_above(recorder, log, depth as usize)?;
        let heap = self.pause_heap(log);
        self.read_at_end(recorder, log);
        let call = heap::outside_the_figures(|| log.suspend(self.line.load(Relaxed), heap))?;
        self.go_back_to_caller(log, &call, heap);
        Some(call)
    }

    /// Puts a suspended call back on the stack of this thread.
    pub(crate) fn resume(&self, recorder: &'static Recorder, call: OpenCall) -> u32 {
        let mut guard = self.log();
        let log = &mut *guard;
        let heap = self.pause_heap(log);
        heap::outside_the_figures(|| log.make_room(call.site, Kind::Call));
        let exact = self.read_at_entry(recorder, log, call.entry_exact);
        if let Some(outer) = log.stack.last_mut() {
            outer.line = self.line.load(Relaxed);
        }
        log.resume(call, exact, heap);
        self.begin_innermost(log, heap).1
    }

    /// Depth of the innermost call of `site` in progress on this thread, if there is one.
    pub(crate) fn find(&self, site: &'static Registered) -> Option<usize> {
        let log = self.log();
        log.stack
            .iter()
            .rposition(|call| call.kind == Kind::Call && std::ptr::eq(call.site, site))
    }

    /// The line at which the innermost call is.
    pub(crate) fn line(&self) -> u32 {
        self.line.load(Relaxed)
    }

    /// Takes a reading and tells the calls in progress; clears `DUE` when the budget is used up.
    fn read(&self, recorder: &'static Recorder, log: &mut Log) {
        let before = log.last;
        let took_ns = if log
            .stack
            .last()
            .is_some_and(|call| call.kind == Kind::Worker)
        {
            // A worker's lines are timed, and no more: RSS is for the call that they work for.
            log.last = before.at(recorder.meter().now_ns());
            CLOCK_NS
        } else {
            let outermost = log.stack.len() <= 1;
            let meter = recorder.meter();
            let (reading, high, took_ns) = meter.read(self, &mut log.witness, outermost);
            log.last = reading;
            let line = self.line.load(Relaxed);
            log.raise(before, high, line);
            log.sample(reading, line, None);
            took_ns
        };
        let share = recorder.lanes_per_processor();
        if log.budget.spend(log.last.t_ns, took_ns, share) {
            self.ask_for_reading();
        } else {
            self.attention.fetch_and(!DUE, Relaxed);
        }
    }

    /// Books the heap on the line in progress, before something inside it begins or its call ends;
    /// gives this thread's counts.
    fn pause_heap(&self, log: &mut Log) -> Counts {
        let Some(counters) = heap::of_this_thread() else {
            return Counts::default();
        };
        if let Some(call) = log.stack.last_mut() {
            self.settle_heap(call.cells, counters, false);
            call.heap_line_start = self.heap.line_start.load(Relaxed);
            call.heap_high = self.heap.high.load(Relaxed);
        }
        let now = counters.counts();
        counters.take_high();
        self.heap.set_seen(now);
        now
    }

    /// Books what this thread has done on the heap since it was booked last on the line in progress.
    /// `over`: that line is, too.
    #[inline(never)]
    fn settle_heap(&self, cells: &Cells, counters: &Counters, over: bool) {
        let now = counters.counts();
        let high = counters.take_high().max(now.live());
        if high > self.heap.high.load(Relaxed) {
            self.heap.high.store(high, Relaxed);
        }
        let line = self.line.load(Relaxed);
        // Before the first line: left to it, as everything else is.
        if line == NO_LINE {
            return;
        }
        let rise = high.wrapping_sub(self.heap.line_start.load(Relaxed));
        cells.book_heap(line, now.since(self.heap.seen()), rise);
        self.heap.set_seen(now);
        if over {
            self.heap.line_start.store(now.live(), Relaxed);
        }
    }

    /// The sampler's part: adds a sample to the series of every call whose interval is in `due`,
    /// asks for a reading, and reports the intervals in use to `intervals`.
    pub(crate) fn tick(&self, due: Option<(Reading, &[u64])>, intervals: &mut Vec<u64>) {
        if !self.is_busy() {
            return;
        }
        let mut log = self.log();
        if let Some((reading, due)) = due {
            log.sample(reading, self.line.load(Relaxed), Some(due));
            self.ask_for_reading();
        }
        for at in 0..log.timelines.len() {
            let interval_ns = log.stack[log.timelines[at]].site.interval_ns;
            if !intervals.contains(&interval_ns) {
                intervals.push(interval_ns);
            }
        }
    }

    /// What the lane has added up, as if every call in progress ended with `now`, and these calls.
    pub(crate) fn snapshot(&self, now: Reading) -> (Vec<SiteTally>, Vec<(OpenCall, Call)>) {
        let guard = self.log();
        let mut log = Log {
            stack: guard.stack.clone(),
            timelines: guard.timelines.clone(),
            tallies: guard.tallies.clone(),
            last: guard.last.or_later(now),
            thread: guard.thread,
            ..Log::default()
        };
        let before = guard.last;
        let mut line = self.line.load(Relaxed);
        let high = self.high.load(Relaxed);
        drop(guard);
        log.raise(before, high, line);
        let mut running = Vec::new();
        while !log.stack.is_empty() {
            log.settle(line, false);
            let Some(call) = log.pop() else { break };
            line = log.stack.last().map_or(NO_LINE, |outer| outer.line);
            let mut record = log.book(&call, false, call.heap_entry);
            record.outcome = Outcome::Running;
            if call.kind == Kind::Call {
                running.push((call, record));
            }
        }
        (log.tallies.into_iter().flatten().collect(), running)
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        size_of::<Lane>() as u64 + self.log().bytes()
    }
}

impl HeapMark {
    #[inline]
    fn seen(&self) -> Counts {
        Counts {
            allocated: self.allocated.load(Relaxed),
            freed: self.freed.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }

    #[inline]
    fn set_seen(&self, counts: Counts) {
        self.allocated.store(counts.allocated, Relaxed);
        self.freed.store(counts.freed, Relaxed);
        self.allocations.store(counts.allocations, Relaxed);
    }

    /// To compare with [`Counters::events`].
    #[inline]
    fn events(&self) -> u64 {
        let allocated = self.allocated.load(Relaxed);
        allocated.wrapping_add(self.freed.load(Relaxed))
    }
}
