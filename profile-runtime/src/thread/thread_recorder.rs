//! A thread's own book: its calls in progress, the lines they are at, and what it has added up.
//!
//! A thread takes a lane at its first annotated call and gives it back when it ends; the next thread
//! goes on in the same book. So there are as many lanes as there were threads at once, however many
//! came and went, and a lane is never freed.
//!
//! A probe looks at one number, `attention`. While it is 0 the probe counts its hit, writes down which
//! line runs, and is done: a few nanoseconds; calls are entered and left without more ado, too (see
//! `light`). Otherwise it takes the lane's lock and, if a reading is due, takes one; what has changed
//! since the line's own last reading is then booked on the line that was running. When the lane's
//! budget is used up it goes to 0; the sampler sets it again at its next tick, at a moment that
//! favours no line but the ones that take long.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::call_stack::Log;
use super::ended_call::Ended;
use super::open_call::{Begun, Kind, OpenCall, Stand};
use crate::counters::counted_calls::Light;
use crate::counters::counts::Counts;
use crate::counters::hits;
use crate::counters::line::{Hot, LineCells, NO_LINE};
use crate::counters::site::Cells;
use crate::counters::site_directory::Known;
use crate::heap::{self, origins};
use crate::reading::instruments::Instruments;
use crate::reading::meter::PeakListener;
use crate::reading::one_reading::Witness;
use crate::recording;
use crate::site::registered::Registered;
use crate::sync::lock;

/// A reading is due at the next probe.
pub(super) const DUE: i64 = 1 << 62;
/// A call inside this one took readings: the line that made it must book them when it is over. Calls that it
/// makes until then put that off (`Lane::settles_later`, and `OpenCall::settles`).
const SETTLE: i64 = 1 << 61;
// A probe asks for attention and for its line's turn with one comparison.
const _: () = assert!(SETTLE as u64 > hits::MOST && DUE as u64 > hits::MOST);

/// Light calls that can be in progress at once on a thread.
const LIGHT_CALLS: usize = 31;

/// What a reading that only looks at the clock is booked as.
const CLOCK_NS: u64 = 100;

/// One thread's book.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(super) instruments: &'static Instruments,
    /// Number of the thread that holds it.
    pub(super) thread: AtomicU64,
    pub(super) light: Light<Registered, Cells, LineCells>,
    /// `SETTLE` of the innermost logged call, while a light one is in progress inside it.
    pub(super) settles_later: AtomicBool,
    pub(super) known: Known,
    /// Highest RSS that anybody saw since this lane's last reading.
    pub(super) high: AtomicU64,
    pub(super) log: Mutex<Log>,
}

impl Lane {
    pub(crate) fn new(instruments: &'static Instruments) -> Lane {
        Lane {
            instruments,
            thread: AtomicU64::new(0),
            light: Light::with_room_for(LIGHT_CALLS, DUE),
            settles_later: AtomicBool::new(false),
            known: Known::new(),
            high: AtomicU64::new(0),
            log: Mutex::default(),
        }
    }

    #[inline]
    pub(crate) fn hot(&self) -> &Hot {
        &self.light.hot
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// A new thread takes the lane.
    pub(crate) fn take(&self, thread: u64) {
        let mut log = self.log();
        log.thread = thread;
        self.thread.store(thread, Relaxed);
        log.witness = Witness::default();
        self.ask_for_reading();
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.light.depth() > 0
    }

    /// From now on the next probe takes a reading.
    pub(crate) fn ask_for_reading(&self) {
        self.hot().attention.fetch_or(DUE, Relaxed);
    }

    pub(super) fn is_due(&self) -> bool {
        self.hot().attention.load(Relaxed) & DUE != 0
    }

    /// Opens a call of `site`.
    pub(crate) fn enter(&'static self, site: &'static Registered, kind: Kind) -> Probe {
        let mut guard = self.log();
        let log = &mut *guard;
        self.log_light_calls(log);
        log.give_up_turn();
        let heap = self.pause(log);
        // Whatever needs memory comes before the reading, so as not to show up in the call.
        let (cells, forced, watch) = heap::outside_the_figures(|| {
            let forced = kind == Kind::Call && log.must_be_exact(site);
            let cells = log.make_room(site, kind, forced || self.is_due());
            let watched = kind == Kind::Call && site.watched.is_some();
            if kind == Kind::Call && !site.is_usage() && !watched {
                self.known.set(site.id, cells);
            }
            let watch = watched.then(|| log.new_watch(site.spec.lines.len()));
            (cells, forced, watch)
        });
        let exact = self.read_at_entry(log, forced);
        self.leave_caller(log);
        if kind == Kind::Call {
            let thread = log.thread;
            log.tally(site).count_call(thread);
        }
        let begun = Begun {
            token: log.token_for(kind),
            ..Begun::now(site, cells, heap)
        };
        log.open(begun, begun.stand(), kind, exact);
        if let Some(watch) = watch {
            log.watch(watch);
        }
        let depth = self.begin_innermost(log, heap);
        Probe::new(self, cells, depth)
    }

    /// A call begins or goes on inside of the innermost one, which stays where it is meanwhile.
    pub(super) fn leave_caller(&self, log: &mut Log) {
        if let Some(outer) = log.stack.last_mut() {
            outer.line = self.line();
            outer.settles |= self.take_settle();
        }
    }

    /// Takes the reading of an entry, if one is due or `forced`, because a function's first call is
    /// to be exact whatever the budget says.
    pub(super) fn read_at_entry(&self, log: &mut Log, forced: bool) -> bool {
        let due = self.is_due();
        if !due && !forced {
            return false;
        }
        self.read(log);
        if !due {
            log.settle_stretch();
        }
        true
    }

    /// The innermost call has just been put on the stack, or back on it; gives its depth.
    pub(super) fn begin_innermost(&self, log: &Log, heap: Counts) -> u32 {
        let depth = log.stack.len() - 1;
        let call = &log.stack[depth];
        let calls = depth as u32 + 1;
        let stand = Stand {
            line: call.cells.stand_at(call.line),
            heap_line_start: heap.live(),
            heap_high: heap.live(),
        };
        self.light.set_logged(calls, Some((call.begun(), stand)));
        if let Some(counters) = heap::of_this_thread() {
            counters.set_high(heap.live());
        }
        if call.entry_exact {
            let next_sample_ns = call.settled.t_ns.saturating_add(call.site.interval_ns);
            self.instruments.sampler.expect(next_sample_ns);
        }
        depth as u32
    }

    /// Puts the light calls on the log's stack, before anything happens there.
    pub(super) fn log_light_calls(&self, log: &mut Log) {
        if !self.light.is_empty() {
            if let Some(outer) = log.stack.last_mut() {
                outer.settles |= self.settles_later.swap(false, Relaxed);
            }
            let (_, innermost) = self.pause_heap(heap::of_this_thread());
            heap::outside_the_figures(|| {
                self.light.drain(innermost, |begun, stand| match begun {
                    Some(begun) => log.open_light(begun, stand),
                    None => log.stand(stand),
                });
            });
        }
        log.owe_nothing();
        if let Some(call) = log.stack.last_mut() {
            call.token = self.light.token(|| 0);
        }
    }

    /// Closes the call at `depth`, and whatever a leaked frame left above it; hands it to `last`.
    pub(crate) fn close<T>(
        &self,
        depth: u32,
        cancelled: bool,
        last: impl FnOnce(&mut Log, Ended<'_>) -> T,
    ) -> Option<T> {
        if recording::has_given_up() {
            return None;
        }
        let mut guard = self.log();
        let log = &mut *guard;
        self.log_light_calls(log);
        self.close_above(log, depth as usize)?;
        self.close_innermost(log, cancelled, last)
    }

    /// Closes what leaked frames left above the call at `depth`; `None` if that one is gone, too.
    pub(super) fn close_above(&self, log: &mut Log, depth: usize) -> Option<()> {
        while log.stack.len() > depth + 1 {
            self.close_innermost(log, false, Log::keep)?;
        }
        (log.stack.len() == depth + 1).then_some(())
    }

    fn close_innermost<T>(
        &self,
        log: &mut Log,
        cancelled: bool,
        last: impl FnOnce(&mut Log, Ended<'_>) -> T,
    ) -> Option<T> {
        let heap = self.pause(log);
        self.read_at_end(log);
        let mut call = log.pop()?;
        call.pause_watch();
        if call.kind == Kind::Call {
            origins::call_ended(call.token);
        }
        let record = log.book(&call, cancelled, heap);
        self.go_back_to_caller(log, &call, heap);
        let call = &mut call;
        Some(heap::outside_the_figures(|| {
            last(log, Ended { call, record, heap })
        }))
    }

    /// The last reading of the innermost call, and the end of its last line.
    pub(super) fn read_at_end(&self, log: &mut Log) {
        let due = self.is_due();
        // A call that began with a reading ends with one: its record must not borrow from others.
        let read = due || log.stack.last().is_some_and(|call| call.entry_exact);
        if read {
            self.read(log);
        }
        let turn = log.end_turn();
        if read && (turn || !due) {
            log.settle_stretch();
        }
        log.settle_all(self.line(), read);
    }

    /// `inner` has left the stack: its caller's line goes on, and what `inner` did on the heap is
    /// that line's, too.
    pub(super) fn go_back_to_caller(&self, log: &mut Log, inner: &OpenCall, heap: Counts) {
        let high = inner.heap_high;
        let change = heap.since(inner.heap_entry);
        if let Kind::Part(depth) = inner.kind
            && let Some(outer) = log.stack.get(depth)
        {
            // Booked on its own lines already: it must not be booked on the line around it again.
            let taken_off = Counts::default().since(change);
            outer.book_heap(taken_off, i64::MIN);
        }
        let calls = log.stack.len() as u32;
        // What was left for `inner`'s next line to do.
        self.take_settle();
        let Some(outer) = log.stack.last_mut() else {
            self.light.set_logged(0, None);
            return;
        };
        let settles = std::mem::take(&mut outer.settles) || inner.settled_since_entry();
        outer.book_heap(change, high.wrapping_sub(outer.heap_line_start));
        let stand = outer.stand();
        self.light.set_logged(calls, Some((outer.begun(), stand)));
        if let Some(counters) = heap::of_this_thread() {
            counters.set_high(stand.heap_high.max(high));
        }
        if settles {
            self.ask_to_settle();
        }
    }

    /// The innermost call's line has to settle at the next probe.
    pub(super) fn ask_to_settle(&self) {
        self.hot().attention.fetch_or(SETTLE, Relaxed);
    }

    /// Whether the innermost call's line had to settle; now it need not.
    pub(super) fn take_settle(&self) -> bool {
        self.hot().attention.fetch_and(!SETTLE, Relaxed) & SETTLE != 0
    }

    /// The call at `depth` has the size `n`.
    pub(crate) fn set_size(&self, depth: u32, n: f64) {
        if let Some(call) = self.log().stack.get_mut(depth as usize)
            && let Some(watch) = &mut call.watch
        {
            watch.by = Some(n);
        }
    }

    /// Depth of the innermost call of `site` in progress on this thread, if there is one.
    pub(crate) fn find(&self, site: &'static Registered) -> Option<usize> {
        let mut log = self.log();
        self.log_light_calls(&mut log);
        log.stack
            .iter()
            .rposition(|call| call.kind == Kind::Call && std::ptr::eq(call.site, site))
    }

    /// The line at which the innermost call is. By the owner only.
    pub(crate) fn line(&self) -> u32 {
        match self.light.innermost() {
            Some((_, cells)) => cells.place(self.hot().line()),
            None => NO_LINE,
        }
    }

    /// Takes a reading and tells the calls in progress; clears `DUE` when the budget is used up.
    pub(super) fn read(&self, log: &mut Log) {
        let before = log.last;
        let cost_ns = if log
            .stack
            .last()
            .is_some_and(|call| call.kind == Kind::Worker)
        {
            // A worker's lines are timed, and no more: RSS is for the call that they work for.
            log.last = before.at(self.instruments.meter.now_ns());
            CLOCK_NS
        } else {
            let outermost = log.stack.len() <= 1;
            let meter = &self.instruments.meter;
            let (reading, high, cost_ns) = meter.read(self, &mut log.witness, outermost);
            log.last = reading;
            let line = self.line();
            log.raise(before, high, line);
            log.sample(reading, line, None);
            cost_ns
        };
        let share = self.instruments.threads_per_processor();
        if log.budget.spend(log.last.t_ns, cost_ns, share) {
            self.ask_for_reading();
        } else {
            self.hot().attention.fetch_and(!DUE, Relaxed);
        }
    }

    /// Something begins inside of the innermost logged call's line in progress, or its call ends; gives
    /// the thread's heap.
    pub(super) fn pause(&self, log: &mut Log) -> Counts {
        let (heap, stand) = self.pause_heap(heap::of_this_thread());
        if let Some(call) = log.stack.last_mut() {
            call.heap_line_start = stand.heap_line_start;
            call.heap_high = stand.heap_high;
        }
        heap
    }

    /// Bytes that it holds, but for what tallies do.
    pub(crate) fn bytes(&self) -> u64 {
        let fixed = size_of::<Lane>() as u64 + self.light.bytes() + self.known.bytes();
        fixed + self.log().bytes()
    }
}

impl PeakListener for Lane {
    fn raise_peak(&self, rss: u64) {
        if self.is_busy() {
            self.high.fetch_max(rss, Relaxed);
        }
    }

    fn take_peak(&self) -> u64 {
        self.high.swap(0, Relaxed)
    }

    fn is_busy(&self) -> bool {
        Lane::is_busy(self)
    }
}

/// What the probes of a call write to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe {
    pub lane: &'static Lane,
    pub cells: &'static Cells,
    pub depth: u32,
}

impl Probe {
    /// For a call of the calling thread, whose lane this is.
    #[inline]
    pub(crate) fn new(lane: &'static Lane, cells: &'static Cells, depth: u32) -> Probe {
        Probe { lane, cells, depth }
    }

    /// `line` begins: one hit.
    #[inline]
    pub(crate) fn line(&self, line: u32) {
        if let Some(cells) = self.cells.line(line as usize) {
            self.lane.hit_line(cells);
        }
    }

    /// Goes back to `line` without a hit.
    #[inline]
    pub(crate) fn resume(&self, line: u32) {
        self.lane.resume_line(self.cells.at(line));
    }

    /// The line at which the call is, if it is the innermost.
    pub(crate) fn current(&self) -> u32 {
        self.cells.place(self.lane.hot().line())
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The call has the size `n`.
    pub(crate) fn set_size(&self, n: f64) {
        self.lane.set_size(self.depth, n);
    }

    /// Ends the call.
    pub(crate) fn exit(&self) {
        self.lane.exit(self.depth);
    }
}

/// Which of the lines of `call` is `line`.
pub(super) fn place_of(call: Option<&OpenCall>, line: Option<&LineCells>) -> u32 {
    call.map_or(NO_LINE, |call| call.cells.place(line))
}
