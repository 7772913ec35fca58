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

mod copy;
mod fast;
mod hot;
mod known;
mod light;
/// What `hot` and `light` build on.
mod sync {
    pub(super) use std::sync::atomic::{
        AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering, fence,
    };
}

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use self::known::Known;
use self::light::Light;
use crate::heap::{self, Counts, origins};
use crate::log::{Ended, Kind, Log, OpenCall};
use crate::meter::{Reading, Witness};
use crate::own::Probe;
use crate::recorder::Recorder;
use crate::run::{Call, Outcome};
use crate::site::Registered;
use crate::tally::{Cells, LineCells, SiteTally, hits};

/// In place of a line, while none of the call has begun.
pub(crate) const NO_LINE: u32 = u32::MAX;

/// A call, as it began.
pub(crate) type Begun = light::Begun<Registered, Cells>;

/// Where a call is.
pub(crate) type Stand = light::Stand<LineCells>;

/// What a probe writes to.
pub(crate) type Hot = hot::Hot<LineCells>;

/// Stands for that of a lane where there is none; nothing is ever written to it.
pub(crate) static NO_LANE: Hot = Hot {
    attention: AtomicI64::new(0),
    line: AtomicPtr::new(ptr::null_mut()),
    heap_start: AtomicI64::new(0),
};

/// A reading is due at the next probe.
const DUE: i64 = 1 << 62;
/// A call inside this one took readings: the line that made it must book them when it is over. Calls that it
/// makes until then put that off (`Lane::settles_later`, and in the log `OpenCall::settles`).
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
    /// Number of the thread that holds it.
    thread: AtomicU64,
    light: Light<Registered, Cells, LineCells>,
    /// `SETTLE` of the innermost logged call, while a light one is in progress inside it.
    settles_later: AtomicBool,
    known: Known,
    /// Highest RSS that anybody saw since this lane's last reading.
    high: AtomicU64,
    log: Mutex<Log>,
}

impl Lane {
    pub(crate) fn new() -> Lane {
        Lane {
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

    fn log(&self) -> MutexGuard<'_, Log> {
        crate::lock(&self.log)
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

    pub(crate) fn raise_high(&self, rss: u64) {
        if self.is_busy() {
            self.high.fetch_max(rss, Relaxed);
        }
    }

    pub(crate) fn take_high(&self) -> u64 {
        self.high.swap(0, Relaxed)
    }

    fn is_due(&self) -> bool {
        self.hot().attention.load(Relaxed) & DUE != 0
    }

    /// Opens a call of `site`.
    pub(crate) fn enter(
        &'static self,
        recorder: &'static Recorder,
        site: &'static Registered,
        kind: Kind,
    ) -> Probe {
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
        let exact = self.read_at_entry(recorder, log, forced);
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
    fn leave_caller(&self, log: &mut Log) {
        if let Some(outer) = log.stack.last_mut() {
            outer.line = self.line();
            outer.settles |= self.take_settle();
        }
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

    /// The innermost call has just been put on the stack, or back on it; gives its depth.
    fn begin_innermost(&self, log: &Log, heap: Counts) -> u32 {
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
            let recorder_wakes = call.settled.t_ns.saturating_add(call.site.interval_ns);
            if let Some(recorder) = Recorder::running() {
                recorder.sampler().expect(recorder_wakes);
            }
        }
        depth as u32
    }

    /// Puts the light calls on the log's stack, before anything happens there.
    fn log_light_calls(&self, log: &mut Log) {
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

    /// The same where there is more to do, or may be: a hit can be the line's turn to be read.
    #[cold]
    #[inline(never)]
    pub(crate) fn switch_line_with_attention(&self, line: &'static LineCells, hit: bool) {
        let Some(recorder) = Recorder::running() else {
            return;
        };
        let first = hit && line.own_hits() == 1;
        if self.hot().attention() == 0 && !self.light.is_empty() && !first {
            // Light calls stay light for no turn.
            line.set_turn(line.own_hits());
            self.hot().begin(line);
            return;
        }
        let mut guard = self.log();
        let log = &mut *guard;
        self.log_light_calls(log);
        let due = self.is_due();
        // A line's first hit is read whatever the budget says: most lines that take much run once.
        let first = first && log.is_of_rss();
        let read = due || first;
        if read {
            self.read(recorder, log);
        }
        let settle = self.take_settle();
        if first {
            // For the reading at its end.
            self.ask_for_reading();
        }
        let closing = self.line();
        let place = place_of(log.stack.last(), Some(line));
        if log.end_turn() {
            // The stretch goes on, unless lines are read one by one again.
            if self.is_due() {
                log.settle_stretch();
                log.begin_line(place, hit, true);
            }
        } else if read || settle {
            let ran = match due || settle {
                true => closing,
                false => log.stands_for_stretch(closing),
            };
            let was_exact = log.settle(ran, read);
            log.begin_line(place, hit, read && self.is_due());
            if due && !was_exact {
                log.stretch_is_like(closing);
            }
        }
        if hit && line.is_turn() {
            self.take_turn(recorder, log, line, place);
        }
        self.hot().begin(line);
    }

    /// It is the turn of `line`, which begins, to be read, if there is budget for it.
    fn take_turn(&self, recorder: &'static Recorder, log: &mut Log, line: &LineCells, place: u32) {
        let read_anyway = log.reads_every_line();
        let read = !read_anyway && log.may_take_turns();
        if read {
            self.read(recorder, log);
            log.begin_turn(place);
            // For the reading at its end.
            self.ask_for_reading();
        }
        let now_ns = (read || read_anyway).then_some(log.last.t_ns);
        if let Some(hits) = log.next_turn(place, now_ns) {
            line.set_turn(hits);
        }
    }

    /// Closes the call at `depth`, and whatever a leaked frame left above it; hands it to `last`.
    pub(crate) fn close<T>(
        &self,
        depth: u32,
        cancelled: bool,
        last: impl FnOnce(&mut Log, Ended<'_>) -> T,
    ) -> Option<T> {
        let recorder = Recorder::running()?;
        let mut guard = self.log();
        let log = &mut *guard;
        self.log_light_calls(log);
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
        let heap = self.pause(log);
        self.read_at_end(recorder, log);
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
    fn read_at_end(&self, recorder: &'static Recorder, log: &mut Log) {
        let due = self.is_due();
        // A call that began with a reading ends with one: its record must not borrow from others.
        let read = due || log.stack.last().is_some_and(|call| call.entry_exact);
        if read {
            self.read(recorder, log);
        }
        let turn = log.end_turn();
        if read && (turn || !due) {
            log.settle_stretch();
        }
        log.settle_all(self.line(), read);
    }

    /// `inner` has left the stack: its caller's line goes on, and what `inner` did on the heap is
    /// that line's, too.
    fn go_back_to_caller(&self, log: &mut Log, inner: &OpenCall, heap: Counts) {
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
    fn ask_to_settle(&self) {
        self.hot().attention.fetch_or(SETTLE, Relaxed);
    }

    /// Whether the innermost call's line had to settle; now it need not.
    fn take_settle(&self) -> bool {
        self.hot().attention.fetch_and(!SETTLE, Relaxed) & SETTLE != 0
    }

    /// Takes the call at `depth`, and leaks above it, off the stack until it is resumed.
    pub(crate) fn suspend(&self, depth: u32) -> Option<OpenCall> {
        let recorder = Recorder::running()?;
        let mut guard = self.log();
        let log = &mut *guard;
        self.log_light_calls(log);
        self.close_above(recorder, log, depth as usize)?;
        let heap = self.pause(log);
        self.read_at_end(recorder, log);
        let call = heap::outside_the_figures(|| log.suspend(self.line(), heap))?;
        self.go_back_to_caller(log, &call, heap);
        Some(call)
    }

    /// Puts a suspended call back on the stack of this thread.
    pub(crate) fn resume(&self, recorder: &'static Recorder, call: OpenCall) -> u32 {
        let mut guard = self.log();
        let log = &mut *guard;
        self.log_light_calls(log);
        log.give_up_turn();
        let heap = self.pause(log);
        heap::outside_the_figures(|| log.make_room(call.site, Kind::Call, false));
        let exact = self.read_at_entry(recorder, log, call.entry_exact);
        self.leave_caller(log);
        log.resume(call, exact, heap);
        self.begin_innermost(log, heap)
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
    fn read(&self, recorder: &'static Recorder, log: &mut Log) {
        let before = log.last;
        let cost_ns = if log
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
            let (reading, high, cost_ns) = meter.read(self, &mut log.witness, outermost);
            log.last = reading;
            let line = self.line();
            log.raise(before, high, line);
            log.sample(reading, line, None);
            cost_ns
        };
        let share = recorder.lanes_per_processor();
        if log.budget.spend(log.last.t_ns, cost_ns, share) {
            self.ask_for_reading();
        } else {
            self.hot().attention.fetch_and(!DUE, Relaxed);
        }
    }

    /// Something begins inside of the innermost logged call's line in progress, or its call ends; gives
    /// the thread's heap.
    fn pause(&self, log: &mut Log) -> Counts {
        let (heap, stand) = self.pause_heap(heap::of_this_thread());
        if let Some(call) = log.stack.last_mut() {
            call.heap_line_start = stand.heap_line_start;
            call.heap_high = stand.heap_high;
        }
        heap
    }

    /// The sampler's part: adds a sample to the series of every call whose interval is in `due`,
    /// asks for a reading, and reports the intervals in use to `intervals`.
    pub(crate) fn tick(&self, due: Option<(Reading, &[u64])>, intervals: &mut Vec<u64>) {
        if !self.is_busy() {
            return;
        }
        let mut log = self.log();
        if let Some((reading, due)) = due {
            let line = self.line_of_logged(&log);
            log.sample(reading, line, Some(due));
            if !self.light.is_empty() {
                log.owe_samples(due);
            }
            self.ask_for_reading();
        }
        let timed = log.timelines.iter().map(|&depth| log.stack[depth].site);
        for site in timed.chain(self.light.sites()) {
            if !intervals.contains(&site.interval_ns) {
                intervals.push(site.interval_ns);
            }
        }
    }

    /// What the lane has added up, as if every call in progress ended with `now`, and these calls.
    ///
    /// `with_series`: the calls with their samples, for which the thread may have to wait longer.
    pub(crate) fn snapshot(
        &self,
        now: Reading,
        with_series: bool,
    ) -> (Vec<SiteTally>, Vec<(OpenCall, Call)>) {
        let copy = self.copy_ahead(with_series);
        let guard = self.log();
        let look = self.light.look(|tries| self.hold_still(tries));
        let light = look.iter().flat_map(|look| &look.light);
        let light = light.map(|(begun, _)| begun.site.id);
        let mut log = Log {
            last: guard.last.or_later(now),
            thread: guard.thread,
            ..copy.finish(&guard, light)
        };
        let before = guard.last;
        let mut line = self.line_of_logged(&guard);
        let high = self.high.load(Relaxed);
        drop(guard);
        if let Some(look) = look {
            line = place_of(log.stack.last(), look.logged);
            for (begun, inner_line) in look.light {
                if let Some(outer) = log.stack.last_mut() {
                    outer.line = line;
                }
                log.open_light(begun, begun.stand());
                line = begun.cells.place(inner_line);
            }
        }
        log.raise(before, high, line);
        let mut running = Vec::new();
        while !log.stack.is_empty() {
            log.end_turn();
            log.settle_all(line, false);
            let Some(mut call) = log.pop() else { break };
            call.line = line;
            line = log.stack.last().map_or(NO_LINE, |outer| outer.line);
            let mut record = log.book(&call, false, call.heap_entry);
            record.outcome = Outcome::Running;
            if call.kind == Kind::Call {
                running.push((call, record));
            }
        }
        (log.tallies.into_iter().flatten().collect(), running)
    }

    /// By anybody who holds the log: the line at which the innermost logged call is.
    fn line_of_logged(&self, log: &Log) -> u32 {
        let line = self.light.line_of_logged(log.stack.len());
        place_of(log.stack.last(), line)
    }

    /// Somebody else waits for the calls to stay as they are: with a reading due the thread comes for
    /// the lock, which they hold.
    fn hold_still(&self, tries: usize) {
        match tries {
            0..10 => std::hint::spin_loop(),
            10 => self.ask_for_reading(),
            // Not giving the processor away at once: the thread may be on its way to the lock.
            11..1_000 => std::hint::spin_loop(),
            _ => std::thread::yield_now(),
        }
    }

    /// Bytes that it holds, but for what tallies do.
    pub(crate) fn bytes(&self) -> u64 {
        let fixed = size_of::<Lane>() as u64 + self.light.bytes() + self.known.bytes();
        fixed + self.log().bytes()
    }
}

/// Which of the lines of `call` is `line`.
fn place_of(call: Option<&OpenCall>, line: Option<&LineCells>) -> u32 {
    call.map_or(NO_LINE, |call| call.cells.place(line))
}

impl Begun {
    #[inline]
    fn now(site: &'static Registered, cells: &'static Cells, heap: Counts) -> Begun {
        Begun {
            site,
            cells,
            panicking: std::thread::panicking(),
            heap,
            token: 0,
        }
    }

    /// Before its first line.
    fn stand(&self) -> Stand {
        Stand {
            line: self.cells.before_lines(),
            heap_line_start: self.heap.live(),
            heap_high: self.heap.live(),
        }
    }
}
