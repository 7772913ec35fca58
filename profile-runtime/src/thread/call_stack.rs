//! The state of a recorder, behind its lock: the stack of measured calls in progress, and the totals.

use super::call_details::CallDetails;
use super::open_call::{CallStart, Change, Kind, OpenCall, Past, Position};
use super::room::Room;
use super::stretch::StretchNotes;
use super::totals::SiteTotals;
use crate::counters::counts::Counts;
use crate::counters::line::{LineCounters, NO_LINE};
use crate::counters::site::SiteCounters;
use crate::heap::{self, CallId, ThreadCounters, origins};
use crate::reading::budget::Budget;
use crate::reading::one_reading::{LastReading, LinePoint, Reading};
use crate::site::registered::RegisteredSite;
use memprof_model::data;
use memprof_model::run::Series;
use memprof_model::run::{Call, Outcome};

/// How many unused [`CallDetails`] a recorder keeps for later calls, at most.
pub(super) const SPARE_DETAILS: usize = 16;

/// What a recorder holds behind its lock.
#[derive(Debug, Default)]
pub(crate) struct ThreadState {
    /// The measured calls in progress, the outermost first.
    pub stack: Vec<OpenCall>,
    /// The lowest height of the stack since a copy of it set this to its height at that moment.
    pub lowest: usize,
    /// Depths of the calls on the stack that get samples, ascending: those that are not inside another call
    /// of the same site.
    pub timelines: Vec<usize>,
    /// The most that `timelines` ever were.
    pub most_timelines: usize,
    /// Samples that fell into counted calls since the last reading: interval, and how many.
    pub deferred: Vec<(u64, u64)>,
    /// By the site's number. In boxes: a thread calls few of a large program's functions.
    pub totals: Vec<Option<Box<SiteTotals>>>,
    /// The stretch in progress.
    pub stretch: StretchNotes,
    /// The last reading of this thread.
    pub last: Reading,
    pub budget: Budget,
    /// What the meter compares this thread's next reading with.
    pub last_reading: LastReading,
    /// Number of the thread that has the recorder.
    pub thread: u64,
    /// The recorder's room.
    pub room: Room,
    /// The heap of a thread that was taken down inside of calls, as it was then.
    pub heap_at_end: Option<ThreadHeap>,
    /// Unused series, kept so that a call needs no allocation.
    pub spare_series: Vec<Series<LinePoint>>,
    /// Unused small series, into which those of short calls are copied.
    pub spare_short_series: Vec<Series<LinePoint>>,
    /// Unused details, kept for the same reason.
    #[expect(
        clippy::vec_box,
        reason = "a call holds its details in a box, and a new box would allocate"
    )]
    pub spare_details: Vec<Box<CallDetails>>,
}

/// What a thread has done on the heap at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThreadHeap {
    pub counts: Counts,
    /// The highest live bytes since the innermost call began.
    pub high: i64,
}

impl ThreadHeap {
    /// Asked by anybody.
    pub(super) fn of(counters: &ThreadCounters) -> ThreadHeap {
        let counts = counters.counts();
        ThreadHeap {
            counts,
            high: counters.high().max(counts.live()),
        }
    }
}

impl ThreadState {
    /// Of a recorder with so much room.
    pub(super) fn with(room: Room) -> ThreadState {
        ThreadState {
            room,
            ..ThreadState::default()
        }
    }

    /// The totals of `site` on this recorder, made at the site's first call.
    pub(crate) fn totals(&mut self, site: &'static RegisteredSite) -> &mut SiteTotals {
        if self.totals.len() <= site.id {
            self.totals.resize_with(site.id + 1, || None);
        }
        self.totals[site.id].get_or_insert_with(|| Box::new(SiteTotals::new(site)))
    }

    /// Allocates what a call of `site` will need, and gives the counters that it counts on. `exact`: there
    /// will be a reading at its entry, so that the call gets a series.
    pub(crate) fn make_room(
        &mut self,
        site: &'static RegisteredSite,
        kind: Kind,
        exact: bool,
    ) -> &'static SiteCounters {
        if self.stack.capacity() == 0 {
            // Most of many threads have one call in progress.
            self.stack.reserve_exact(1);
        }
        self.stack.reserve(1);
        self.timelines.reserve(1);
        let timed = self.is_timed(site, kind);
        if timed && exact {
            self.make_room_for_series(kind);
        }
        self.spare_series.reserve(2);
        if kind == Kind::Call && exact {
            drop(site.calls_with_room());
        }
        self.stretch.make_room(site.spec.lines.len());
        let totals = self.totals(site);
        match kind {
            Kind::OtherThread => totals.worker_counters(),
            Kind::Call | Kind::NestedClosure(_) => totals.counters,
            Kind::Usage => {
                let own = totals.counters;
                self.stack.last().map_or(own, |caller| caller.counters)
            }
        }
    }

    /// The call id with which something of this kind begins. A closure's blocks belong to its call, and so do
    /// those of `memory_usage`. A closure on another thread does not know which call it works for.
    pub(crate) fn call_id_for(&mut self, kind: Kind) -> CallId {
        let owner = match kind {
            Kind::NestedClosure(depth) => self.stack.get_mut(depth),
            Kind::Usage => self.stack.last_mut(),
            Kind::OtherThread => return origins::UNKNOWN,
            Kind::Call => None,
        };
        match owner.filter(|_| origins::is_on()) {
            Some(call) if call.call_id == 0 => {
                call.call_id = origins::call_id();
                call.call_id
            }
            Some(call) => call.call_id,
            None => CallId::default(),
        }
    }

    /// Whether something that begins now is read at its entry regardless of the budget: the site's first call,
    /// calls of which per-call figures are wanted, and `memory_usage`.
    pub(crate) fn must_be_exact(&mut self, site: &'static RegisteredSite, kind: Kind) -> bool {
        match kind {
            Kind::Call => site.per_call.is_some() || self.totals(site).counters.calls() == 0,
            Kind::Usage => true,
            Kind::NestedClosure(_) | Kind::OtherThread => false,
        }
    }

    /// Whether something that begins now gets samples: a call that is not inside another call of its site.
    pub(super) fn is_timed(&mut self, site: &'static RegisteredSite, kind: Kind) -> bool {
        match kind {
            Kind::Call => self.totals(site).innermost.is_none(),
            Kind::Usage => true,
            Kind::NestedClosure(_) | Kind::OtherThread => false,
        }
    }

    /// Puts a call on the stack, with the last reading as its entry. `exact`: that reading was taken just
    /// now.
    pub(crate) fn open(&mut self, start: CallStart, position: Position, kind: Kind, exact: bool) {
        let CallStart { site, counters, .. } = start;
        let entry = self.last;
        let timed = self.is_timed(site, kind);
        let around = self.become_innermost(site, kind);
        self.stack.push(OpenCall {
            kind,
            site,
            counters,
            entry,
            entry_exact: exact,
            unread: !exact && kind != Kind::OtherThread,
            asked: false,
            began_after_ns: entry.t_ns,
            line: counters.place(position.line),
            booked_until: entry,
            line_hit: false,
            line_exact: exact,
            measured: false,
            stretch_first: NO_LINE,
            time_line: NO_LINE,
            has_unbooked: false,
            line_high: entry.own(),
            high: entry.high(),
            stint: entry,
            booked_elsewhere: Change::default(),
            heap_entry: start.heap,
            heap_high: position.heap_high,
            heap_line_start: position.heap_line_start,
            heap_self_start: position.heap_self_start,
            around,
            peak_at: None,
            panicking_at_entry: start.panicking,
            call_id: start.call_id,
            series: None,
            past: Past::default(),
            shared: false,
            unsure: 0,
            details: None,
        });
        self.begin_timeline(timed, exact);
    }

    /// The call that was just put on the stack, or back on it, gets samples if it is `timed`. `exact`: the last
    /// reading was taken for it. Then its series begins with that reading, or goes on with it.
    pub(super) fn begin_timeline(&mut self, timed: bool, exact: bool) {
        if !timed {
            return;
        }
        self.timelines.push(self.stack.len() - 1);
        self.most_timelines = self.most_timelines.max(self.timelines.len());
        let Some(call) = self.stack.last_mut().filter(|_| exact) else {
            return;
        };
        if call.series.is_none() {
            call.series = self.spare_series.pop();
            call.series.iter_mut().for_each(Series::clear);
        }
        if let Some(series) = &mut call.series {
            series.push(self.last.point(call.line));
        }
    }

    /// What is put on the stack next is the innermost call of `site`, or a run of a closure of such a call. Gives
    /// the depth of the one that was so before.
    pub(super) fn become_innermost(
        &mut self,
        site: &'static RegisteredSite,
        kind: Kind,
    ) -> Option<u32> {
        if !kind.has_lines() {
            return None;
        }
        let depth = self.stack.len() as u32;
        self.totals(site).innermost.replace(depth)
    }

    /// The line of the innermost measured call of `site`, which is not the innermost of all.
    pub(super) fn innermost_line(
        &self,
        site: &'static RegisteredSite,
    ) -> Option<&'static LineCounters> {
        let depth = self.totals.get(site.id)?.as_ref()?.innermost?;
        Some(self.stack.get(depth as usize)?.line_counters())
    }

    /// Where something of this kind begins. What a closure has on the heap is its call's. `memory_usage` stays
    /// where its caller is.
    pub(super) fn first_position(&self, start: CallStart, kind: Kind) -> Position {
        let first = start.position();
        let live = start.heap.live();
        match (kind, self.stack.last()) {
            (Kind::NestedClosure(depth), _) => Position {
                heap_self_start: live.wrapping_sub(self.own_heap(self.stays(depth), live)),
                ..first
            },
            (Kind::Usage, Some(caller)) => Position {
                line: Some(caller.line_counters()),
                heap_line_start: caller.heap_line_start,
                heap_self_start: caller.heap_self_start,
                ..first
            },
            (Kind::Call | Kind::OtherThread | Kind::Usage, _) => first,
        }
    }

    /// Where the call at `depth` made its callee: a `memory_usage` that it runs knows it.
    fn stays(&self, depth: usize) -> usize {
        let inner = self.stack.iter().skip(depth + 1);
        depth + inner.take_while(|inner| inner.kind == Kind::Usage).count()
    }

    /// What the call at `depth` has on the heap by itself, while there are `live` bytes on its thread.
    fn own_heap(&self, depth: usize, live: i64) -> i64 {
        self.callee_start(depth, live)
            .wrapping_sub(self.stack[depth].heap_self_start)
    }

    /// The thread's live bytes when the call at `depth` made its callee; `live` if there is none.
    fn callee_start(&self, depth: usize, live: i64) -> i64 {
        let callee = self.stack.get(depth + 1);
        callee.map_or(live, |callee| callee.heap_entry.live())
    }

    /// `inner` has left the stack, with `live` bytes on its thread, of which it kept `kept`. Whoever made it has
    /// by itself what it had before, and its closures and `memory_usage` hand on what they have.
    pub(super) fn hand_self_on(&mut self, inner: &OpenCall, kept: i64, live: i64) {
        let own = live.wrapping_sub(inner.heap_self_start);
        if let Some(caller) = self.stack.last_mut() {
            caller.heap_self_start = match inner.kind {
                Kind::Usage => inner.heap_self_start,
                _ => caller.heap_self_start.wrapping_add(kept),
            };
        }
        if let Kind::NestedClosure(depth) = inner.kind {
            let depth = self.stays(depth);
            self.stack[depth].heap_self_start = self.callee_start(depth, live).wrapping_sub(own);
            self.lowest = self.lowest.min(depth + 1);
        }
    }

    /// Details for a call that is about to begin, of a site with this many lines.
    pub(crate) fn take_details(&mut self, lines: usize) -> Box<CallDetails> {
        if self.spare_details.capacity() == 0 {
            // For all that will ever come back.
            self.spare_details.reserve_exact(SPARE_DETAILS);
        }
        let mut details = self.spare_details.pop().unwrap_or_default();
        details.begin(lines);
        details
    }

    /// Attaches `details` to the innermost call, which has just been opened.
    pub(crate) fn attach_details(&mut self, mut details: Box<CallDetails>) {
        if let Some(call) = self.stack.last_mut()
            && let Some(totals) = self.totals[call.site.id].as_mut()
        {
            details.resume(call.counters, &mut totals.lines);
            call.details = Some(details);
        }
    }

    /// Puts a counted call on the stack: it is measured now. No reading was taken since it began, so it is unread
    /// until the next one.
    pub(crate) fn open_promoted(&mut self, start: CallStart, position: Position) {
        self.make_room(start.site, Kind::Call, false);
        self.open(start, position, Kind::Call, false);
        let interval_ns = start.site.interval_ns;
        let deferred = self
            .deferred
            .iter()
            .find(|deferred| deferred.0 == interval_ns);
        if let Some(&(_, samples)) = deferred
            && self.timelines.last() == Some(&(self.stack.len() - 1))
            && let Some(totals) = (self.totals(start.site).lines)
                .get_mut(start.counters.place(position.line) as usize)
        {
            totals.samples += samples;
        }
    }

    /// The innermost call on the stack is at `position`: its callee is not on the stack yet.
    pub(crate) fn set_position(&mut self, position: Position) {
        if let Some(call) = self.stack.last_mut() {
            call.line = call.counters.place(position.line);
            call.heap_line_start = position.heap_line_start;
            call.heap_high = position.heap_high;
            call.heap_self_start = position.heap_self_start;
        }
    }

    /// Takes the innermost call off the stack; its lines have booked everything. Its caller on this thread,
    /// if there is one, takes over its highest RSS. What it did inside of a call of the same site is not booked
    /// on that call's line.
    pub(crate) fn pop(&mut self) -> Option<OpenCall> {
        let call = self.stack.pop()?;
        if call.kind.has_lines() {
            self.totals(call.site).innermost = call.around;
        }
        self.lowest = self.lowest.min(self.stack.len());
        if self.timelines.last() == Some(&self.stack.len()) {
            self.timelines.pop();
        }
        if let Some(outer) = self.stack.last_mut() {
            outer.take_over(&call);
        }
        if call.kind == Kind::OtherThread {
            return Some(call);
        }
        let net = self.last.own() - call.stint.own();
        // What runs in `memory_usage` is its caller's own.
        if call.kind != Kind::Usage {
            self.not_own(self.stack.len().wrapping_sub(1), net);
        }
        if let Some(around) = call.around
            && let Some(outer) = self.stack.get_mut(around as usize)
        {
            outer.booked_elsewhere.time_ns += self.last.t_ns.saturating_sub(call.stint.t_ns);
            outer.booked_elsewhere.net += net;
            // What the inner call did is no part of that line's, and not to be taken off twice.
            self.not_own(around as usize, -net);
            self.lowest = self.lowest.min(around as usize + 1);
        }
        Some(call)
    }

    /// `net` bytes of what the line of the call at `depth` books are a callee's.
    fn not_own(&mut self, depth: usize, net: i64) {
        if let Some(call) = self.stack.get(depth)
            && call.kind != Kind::OtherThread
            && let Some(totals) = self.totals[call.site.id].as_mut()
            && let Some(line) = totals.lines.get_mut(call.line as usize)
        {
            line.callees += net;
        }
    }

    /// How many of the lower calls on the stack are unchanged since `lowest` was set. The call just below
    /// that height was the innermost one meanwhile, so it may have changed.
    pub(crate) fn untouched(&self) -> usize {
        self.lowest.saturating_sub(1)
    }

    /// Adds the ended `call` to its site's totals.
    pub(crate) fn add_to_totals(&mut self, call: &OpenCall, cancelled: bool, heap: Counts) -> Call {
        let now = self.last;
        let outcome = match (cancelled, std::thread::panicking()) {
            (true, _) => Outcome::Cancelled,
            (false, true) if !call.panicking_at_entry => Outcome::Panicked,
            (false, _) => Outcome::Returned,
        };
        let record = data!(Call {
            heap: heap::is_counted().then(|| call.heap_figures(heap)),
            ..call.record(now, self.thread, self.stack.len() as u32, outcome)
        });
        if call.kind != Kind::Call {
            return record;
        }
        let panicked = outcome == Outcome::Panicked;
        self.totals(call.site).panics += u64::from(panicked);
        self.book_call(call, &record);
        record
    }

    /// Adds to the totals of its site what `call`, which has left the stack, did since it was begun or resumed.
    /// What it did inside of another call of the same site is in that call's figures. `record`: all that it did.
    pub(super) fn book_call(&mut self, call: &OpenCall, record: &Call) {
        let now = self.last;
        let totals = self.totals(call.site);
        if record.peak_rss > totals.peak {
            totals.peak = record.peak_rss;
            totals.peak_at = call.peak_at;
        }
        totals.high = totals.high.max(call.high.rss);
        totals.heap_peak = totals.heap_peak.max(call.heap_peak());
        if call.around.is_none() {
            let done = call.done_since_resumed(now);
            let others = now.other_threads.since(call.entry.other_threads);
            totals.time_ns += done.time_ns;
            totals.net += done.net;
            totals.other_threads = totals.other_threads.plus(others);
        }
    }

    /// Bytes that it holds, without those of the totals: these are too many to be visited while a thread
    /// waits for the lock.
    pub(crate) fn bytes(&self) -> u64 {
        let timed = self
            .timelines
            .iter()
            .filter_map(|&depth| self.stack.get(depth));
        let open = timed.filter_map(|call| call.series.as_ref());
        let series: u64 = open
            .chain(&self.spare_series)
            .chain(&self.spare_short_series)
            .map(Series::bytes)
            .sum();
        let fixed = self.stack.capacity() * size_of::<OpenCall>()
            + self.totals.capacity() * size_of::<Option<Box<SiteTotals>>>();
        let spare_details: u64 = self
            .spare_details
            .iter()
            .map(|details| details.bytes())
            .sum();
        fixed as u64 + series + spare_details + self.stretch.bytes()
    }
}
