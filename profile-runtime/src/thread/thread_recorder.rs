//! The recorder of one thread, and its careful way through an entry, a reading and an exit.
//!
//! A thread takes a recorder at its first annotated call and gives it back when it ends. A later thread goes
//! on with the same recorder and its totals. So there are as many recorders as there were threads at once,
//! and a recorder is never freed.
//!
//! Every probe looks at one number, `slow_path`:
//!
//! 1. While it is 0, the probe counts its hit and notes which line runs. Calls are only counted then. This
//!    takes a few nanoseconds and no lock (`fast_path.rs`, `counters/counted_calls.rs`).
//! 2. Otherwise the thread locks its state and takes a reading, if one is due. It books what changed since
//!    the previous reading on the line that ran (`line_change.rs`, `booking.rs`).
//! 3. When the budget for readings is used up, `slow_path` goes back to 0. The sampler sets it again at its
//!    next tick. That moment does not depend on the program, so it meets each line in proportion to the time
//!    that the line takes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use super::booking::Ending;
use super::call_stack::{ThreadHeap, ThreadState};
use super::ended_call::EndedCall;
use super::open_call::{Kind, OpenCall};
use super::own_tick::OwnTick;
use super::room::Room;
use crate::counters::atomics::add;
use crate::counters::counted_calls::CountedCalls;
use crate::counters::counts::Counts;
use crate::counters::hits;
use crate::counters::line::{CurrentLine, LineCounters, NO_LINE};
use crate::counters::site::SiteCounters;
use crate::counters::site_directory::SiteDirectory;
use crate::counters::static_cell::StaticCell;
use crate::heap::{self, ThreadCounters, origins};
use crate::own_code::{Uncancelled, uncancelled};
use crate::reading::budget::Edge;
use crate::reading::instruments::Instruments;
use crate::reading::meter::PeakListener;
use crate::recording;
use crate::site::registered::RegisteredSite;
use crate::sync::lock;

/// A reading is due at the next probe.
pub(super) const READING_DUE: i64 = 1 << 62;
/// Set when a callee took readings. The calling line still has to book the change; while it makes further
/// calls, booking is postponed (`ThreadRecorder::booking_postponed`, `OpenCall::has_unbooked`).
const BOOKING_DUE: i64 = 1 << 61;
// One comparison tells a probe whether its hit is to be measured and whether the slow path is asked for.
const _: () = assert!(BOOKING_DUE as u64 > hits::MOST && READING_DUE as u64 > hits::MOST);

/// So many short calls are left out at most before one is read: about as many as the budget would leave out.
const MOST_PASSED: u64 = 256;

/// What a reading costs the budget if it only looks at the clock.
const CLOCK_NS: u64 = 100;

/// What one thread records. Shared with the sampler and with snapshots; only `state` is behind a lock.
#[derive(Debug)]
pub(crate) struct ThreadRecorder {
    pub(super) instruments: &'static Instruments,
    pub(super) room: Room,
    /// Number of the thread that has this recorder.
    pub(super) thread: AtomicU64,
    /// Numbers the stretches of time between two readings, over all threads that have the recorder.
    pub(super) stretch: AtomicU64,
    /// The calls in progress that are only counted, and the line that runs.
    pub(super) counted: CountedCalls<RegisteredSite, SiteCounters, LineCounters>,
    /// Whether booking is due on the innermost measured call once the counted calls inside it have ended.
    pub(super) booking_postponed: AtomicBool,
    /// The next call is to be read: an outermost one, or one inside of a call that was read because of this.
    pub(super) call_due: AtomicBool,
    /// How many calls were not read meanwhile, because such calls are short.
    pub(super) passed: AtomicU64,
    pub(super) own_tick: OwnTick,
    /// The counters of the sites whose calls may be counted.
    pub(super) directory: SiteDirectory,
    /// The heap counters of the thread that has this recorder, if the heap is counted.
    heap: StaticCell<ThreadCounters>,
    /// When the sampler last found no call in progress.
    pub(super) idle_until_ns: AtomicU64,
    /// Highest RSS in any thread's reading since this recorder's last one.
    pub(super) high: AtomicU64,
    pub(super) state: Mutex<ThreadState>,
}

impl ThreadRecorder {
    pub(crate) fn new(instruments: &'static Instruments, room: Room) -> ThreadRecorder {
        ThreadRecorder {
            instruments,
            room,
            thread: AtomicU64::new(0),
            stretch: AtomicU64::new(1),
            counted: CountedCalls::with_room_for(room.counted_calls(), READING_DUE),
            booking_postponed: AtomicBool::new(false),
            call_due: AtomicBool::new(false),
            passed: AtomicU64::new(0),
            own_tick: OwnTick::default(),
            directory: SiteDirectory::new(),
            heap: StaticCell::new(),
            idle_until_ns: AtomicU64::new(0),
            high: AtomicU64::new(0),
            state: Mutex::new(ThreadState::with(room)),
        }
    }

    #[inline]
    pub(crate) fn current_line(&self) -> &CurrentLine {
        &self.counted.current_line
    }

    /// Locks the state.
    pub(super) fn state(&self) -> Uncancelled<MutexGuard<'_, ThreadState>> {
        uncancelled(|| lock(&self.state))
    }

    /// The thread with this number takes the recorder.
    pub(crate) fn take(&self, thread: u64) {
        let mut state = self.state();
        state.thread = thread;
        self.thread.store(thread, Relaxed);
        self.begin_stretch();
        state.last_reading = state.last_reading.of_next_thread();
        self.ask_for_reading();
    }

    /// The heap of the recorder's thread is counted on `heap` from now on.
    pub(crate) fn count_heap_on(&self, heap: Option<&'static ThreadCounters>) {
        self.heap.set(heap);
    }

    /// The thread is taken down inside of calls, which stay in progress for ever. Another thread may get its heap
    /// counters.
    pub(crate) fn leave_busy(&self) {
        self.state().heap_at_end = self.heap.get().map(ThreadHeap::of);
        self.heap.set(None);
    }

    /// What the thread has done on the heap, if that is counted. By anybody who holds the state's lock.
    pub(super) fn heap(&self, state: &ThreadState) -> Option<ThreadHeap> {
        let heap = self.heap.get().map(ThreadHeap::of);
        heap.or(state.heap_at_end)
    }

    /// Whether a call is in progress.
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
        if self.is_due() && self.counted.is_empty() && self.is_busy() {
            // As after a callee that has used up the budget: the line that was to be read by itself ends here.
            self.ask_for_booking();
        }
        self.current_line()
            .slow_path
            .fetch_and(!READING_DUE, Relaxed);
        self.call_due.store(false, Relaxed);
    }

    /// Whether the call of `site` that begins now is to be read because of `call_due`, and may be. A short one leaves that
    /// to another.
    pub(super) fn take_call_due(&self, state: &ThreadState, site: &'static RegisteredSite) -> bool {
        // At the site's first call its totals are not made yet, which allocates.
        let totals = state.totals.get(site.id).and_then(Option::as_ref);
        let left_out = totals.is_some_and(|totals| self.leaves_out(totals.counters));
        if !self.call_due.load(Relaxed) || left_out {
            return false;
        }
        self.call_due.store(false, Relaxed);
        self.passed.store(0, Relaxed);
        self.may_read_outermost(state, site)
    }

    /// Whether calls of a site are so short that a reading of a longer one says more, as far as there are longer ones.
    /// Without a sampler others are left out, too, while nothing is left for reading them.
    pub(super) fn leaves_out(&self, counters: &SiteCounters) -> bool {
        let passed = self.passed.load(Relaxed);
        (counters.is_short() && passed < MOST_PASSED)
            || passed < self.own_tick.calls_to_pass.load(Relaxed)
    }

    pub(super) fn is_due(&self) -> bool {
        self.current_line().slow_path.load(Relaxed) & READING_DUE != 0
    }

    /// Makes the counted calls measured. Comes before everything else that works on the stack.
    pub(super) fn promote_counted_calls(&self, state: &mut ThreadState) {
        state.pass_idle_time(self.idle_until_ns.load(Relaxed));
        if !self.counted.is_empty() {
            if let Some(outer) = state.stack.last_mut() {
                outer.has_unbooked |= self.booking_postponed.swap(false, Relaxed);
            }
            // Those inside of a call that began unread are not asked for.
            self.call_due.store(false, Relaxed);
            let (_, innermost) = self.pause_heap(heap::of_this_thread());
            heap::without_counting(|| {
                self.counted
                    .promote(innermost, |start, position| match start {
                        Some(start) => state.open_promoted(start, position),
                        None => state.set_position(position),
                    });
            });
        }
        state.clear_deferred();
        if let Some(call) = state.stack.last_mut() {
            call.call_id = self.counted.call_id(|| 0);
        }
    }

    /// Closes the call at `depth` and hands it to `last`. Calls that leaked frames left above it are closed,
    /// too.
    pub(crate) fn close<T>(
        &self,
        depth: u32,
        cancelled: bool,
        last: impl FnOnce(&mut ThreadState, EndedCall<'_>) -> T,
    ) -> Option<T> {
        if recording::has_given_up() {
            return None;
        }
        let closed = self.close_to(depth, cancelled, last);
        self.instruments.spare_moment.come();
        closed
    }

    fn close_to<T>(
        &self,
        depth: u32,
        cancelled: bool,
        last: impl FnOnce(&mut ThreadState, EndedCall<'_>) -> T,
    ) -> Option<T> {
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        self.close_above(state, depth as usize)?;
        self.close_innermost(state, cancelled, last)
    }

    /// Closes the calls that leaked frames left above the call at `depth`. `None` if that call is not on the
    /// stack.
    pub(super) fn close_above(&self, state: &mut ThreadState, depth: usize) -> Option<()> {
        while state.stack.len() > depth + 1 {
            self.close_innermost(state, false, ThreadState::finish_call)?;
        }
        (state.stack.len() == depth + 1).then_some(())
    }

    fn close_innermost<T>(
        &self,
        state: &mut ThreadState,
        cancelled: bool,
        last: impl FnOnce(&mut ThreadState, EndedCall<'_>) -> T,
    ) -> Option<T> {
        let heap = self.pause(state);
        self.read_at_end(state);
        let mut call = state.pop()?;
        call.suspend_details();
        if call.kind == Kind::Call {
            call.counters.count_leaving();
            origins::call_ended(call.call_id);
        }
        let record = state.add_to_totals(&call, cancelled, heap);
        if call.kind == Kind::Call {
            call.spread(heap);
            if !call.entry_exact {
                self.keep_unread(state, &call, &record);
            }
        }
        self.go_back_to_caller(state, &call, heap);
        let call = &mut call;
        Some(heap::without_counting(|| {
            last(state, EndedCall { call, record, heap })
        }))
    }

    /// Ends the last line of the innermost call, with a reading if the call has a right to one.
    pub(super) fn read_at_end(&self, state: &mut ThreadState) {
        let due = self.is_due();
        // A call that began with a reading ends with one, so that its record holds nothing of what ran
        // outside of it.
        // One that was read later ends with a reading if it is to be kept.
        let call = state.stack.last();
        let read = due || call.is_some_and(|call| call.entry_exact || call.is_high());
        if read {
            self.read_end(state);
        }
        let by_chance = due && !state.take_measured();
        state.book_change(Ending::of_call(self.line(), read, by_chance));
    }

    /// `inner` has left the stack: its caller's line goes on, and books what `inner` did on the heap.
    pub(super) fn go_back_to_caller(
        &self,
        state: &mut ThreadState,
        inner: &OpenCall,
        heap: Counts,
    ) {
        let high = inner.heap_high;
        let change = heap.since(inner.heap_entry);
        if let Some(around) = inner.around
            && let Some(outer) = state.stack.get(around as usize)
        {
            // Lines of the same function have booked this: taken off the line that is in progress there.
            outer.line_counters().take_off(change);
        }
        state.hand_self_on(inner, change.live(), heap.live());
        let calls = state.stack.len() as u32;
        // `inner` has no next line that could still book.
        self.take_booking_due();
        self.ask_for_outermost(state, inner);
        let Some(outer) = state.stack.last_mut() else {
            self.counted.set_measured(0, None);
            return;
        };
        let has_unbooked = std::mem::take(&mut outer.has_unbooked)
            || inner.has_unbooked_since_entry()
            || outer.line_exact;
        let rise = high.wrapping_sub(outer.heap_line_start);
        let of_callee = inner.of_callee(change);
        outer.line_counters().book_callee(of_callee, rise);
        let position = outer.position();
        self.counted
            .set_measured(calls, Some((outer.start(), position)));
        if let Some(heap_counters) = heap::of_this_thread() {
            heap_counters.set_high(position.heap_high.max(high));
        }
        let ends_with_a_reading = outer.line_exact && outer.line_hit;
        if has_unbooked {
            self.ask_for_booking();
        }
        // The line began with a reading. One at its end shows what the line keeps, callees included.
        if ends_with_a_reading && state.may_measure() {
            self.ask_for_reading();
        }
    }

    /// If `inner` was an outermost call, the next one is to be read, too: so what that one does is known. Calls that are
    /// only counted come here when the sampler has asked for a reading of one of them.
    fn ask_for_outermost(&self, state: &ThreadState, inner: &OpenCall) {
        if inner.kind != Kind::Call {
            return;
        }
        if inner.entry_exact {
            let length_ns = state.last.t_ns.saturating_sub(inner.entry.t_ns);
            inner.counters.note_length(state.budget.is_short(length_ns));
        }
        if state.is_outside(state.stack.len()) {
            // Without a sampler the calls that are asked for are the ones that look at the clock.
            let may_read = state.budget.may_read_outermost();
            let due = may_read || self.instruments.sampler.is_missing();
            self.call_due.store(due, Relaxed);
        }
    }

    /// An outermost call of `site` begins that was asked for. Says whether it may be read.
    fn may_read_outermost(&self, state: &ThreadState, site: &RegisteredSite) -> bool {
        let may_read = state.budget.may_read_outermost();
        if self.instruments.sampler.is_missing() {
            self.ask_if_time_has_passed(state, site);
            match may_read {
                true => self.own_tick.calls_to_pass.store(0, Relaxed),
                false => self.own_tick.put_off(self.instruments.meter.now_ns()),
            }
        }
        may_read
    }

    /// Where there is no sampler: asks for a reading if the interval of `site` has passed since the last one.
    pub(super) fn ask_if_time_has_passed(&self, state: &ThreadState, site: &RegisteredSite) {
        let now_ns = self.instruments.meter.now_ns();
        if now_ns.saturating_sub(state.last.t_ns) >= site.interval_ns {
            self.ask_for_reading();
        }
    }

    /// The innermost call's line has to book at the next probe.
    pub(super) fn ask_for_booking(&self) {
        self.current_line().slow_path.fetch_or(BOOKING_DUE, Relaxed);
    }

    /// Says whether the innermost call's line had to book at the next probe, and clears that.
    pub(super) fn take_booking_due(&self) -> bool {
        self.current_line()
            .slow_path
            .fetch_and(!BOOKING_DUE, Relaxed)
            & BOOKING_DUE
            != 0
    }

    /// The call at `depth` has the size `n`.
    pub(crate) fn set_size(&self, depth: u32, n: f64) {
        if let Some(call) = self.state().stack.get_mut(depth as usize)
            && let Some(details) = &mut call.details
        {
            details.by = Some(n);
        }
    }

    /// Depth of the innermost call of `site` in progress on this thread, or of the run of a closure of such a
    /// call, if there is one.
    pub(crate) fn find(&self, site: &'static RegisteredSite) -> Option<usize> {
        let mut state = self.state();
        self.promote_counted_calls(&mut state);
        let totals = state.totals.get(site.id)?.as_ref()?;
        totals.innermost.map(|depth| depth as usize)
    }

    /// The line of the innermost call, as its place in the site's list. By the owner only.
    pub(crate) fn line(&self) -> u32 {
        match self.counted.innermost() {
            Some((_, counters)) => counters.place(self.current_line().line()),
            None => NO_LINE,
        }
    }

    /// Takes a reading for the innermost call. A closure of another thread's call is timed, and no more:
    /// RSS is for the call that it works for.
    pub(super) fn read(&self, state: &mut ThreadState) {
        match state.is_of_rss() || state.stack.is_empty() {
            true => self.read_rss(state, Edge::No),
            false => self.read_clock(state),
        }
    }

    /// The same where the innermost call ends.
    fn read_end(&self, state: &mut ThreadState) {
        let outermost = state.is_outside(state.stack.len().saturating_sub(1));
        let edge = match state.stack.last() {
            Some(call) if outermost || call.asked => Edge::Exit {
                since_ns: call.entry.t_ns,
            },
            _ => Edge::No,
        };
        match state.is_of_rss() {
            true => self.read_rss(state, edge),
            false => self.read_clock(state),
        }
    }

    fn read_clock(&self, state: &mut ThreadState) {
        state.last = state.last.at(self.instruments.meter.now_ns());
        self.spend(state, CLOCK_NS, Edge::No);
    }

    /// Takes a reading of RSS and tells the calls in progress.
    pub(super) fn read_rss(&self, state: &mut ThreadState, edge: Edge) {
        let before = state.last;
        let outermost = state.is_outside(state.stack.len().saturating_sub(1));
        let meter = &self.instruments.meter;
        let (reading, high, cost_ns) = meter.read(self, &mut state.last_reading, outermost);
        state.last = reading;
        let line = self.line();
        let counters = heap::of_this_thread();
        if self.heap.get().is_none() {
            // A thread has counters from its first allocation on, which may be inside of its first call.
            self.count_heap_on(counters);
        }
        let heap = counters.map(heap::ThreadCounters::counts);
        state.note_unread_rise(before, high, self.stretch.load(Relaxed));
        self.begin_stretch();
        state.note_reading(before, high, line, heap, self.is_due());
        state.sample(reading, line, None);
        self.spend(state, cost_ns, edge);
    }

    /// A reading was taken, or the recorder has another thread.
    fn begin_stretch(&self) {
        add(&self.stretch, 1);
    }

    /// Books what a reading cost; clears `READING_DUE` when the budget is used up.
    fn spend(&self, state: &mut ThreadState, cost_ns: u64, edge: Edge) {
        let share = self.instruments.threads_per_processor();
        if state.budget.spend(state.last.t_ns, cost_ns, share, edge) {
            self.ask_for_reading();
        } else {
            self.current_line()
                .slow_path
                .fetch_and(!READING_DUE, Relaxed);
        }
    }

    /// The innermost measured call's line is interrupted by a callee, or ends: keeps its heap position, and
    /// gives the thread's heap.
    pub(super) fn pause(&self, state: &mut ThreadState) -> Counts {
        let (heap, position) = self.pause_heap(heap::of_this_thread());
        if let Some(call) = state.stack.last_mut() {
            call.heap_line_start = position.heap_line_start;
            call.heap_high = position.heap_high;
            call.heap_self_start = position.heap_self_start;
        }
        heap
    }

    /// Bytes that it holds, without those of the totals.
    pub(crate) fn bytes(&self) -> u64 {
        let fixed =
            size_of::<ThreadRecorder>() as u64 + self.counted.bytes() + self.directory.bytes();
        fixed + self.state().bytes()
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

/// The place of `line` among the lines of `call`.
pub(super) fn place_of(call: Option<&OpenCall>, line: Option<&LineCounters>) -> u32 {
    call.map_or(NO_LINE, |call| call.counters.place(line))
}
