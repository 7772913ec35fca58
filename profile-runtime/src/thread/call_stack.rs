//! What a recorder writes down: the stack of calls in progress, and the sums over those that ended.

use super::call_details::CallDetails;
use super::open_call::{CallStart, Change, Kind, OpenCall, Past, Position, difference};
use super::totals::SiteTotals;
use crate::counters::counts::Counts;
use crate::counters::line::NO_LINE;
use crate::counters::site::SiteCounters;
use crate::heap::{CallId, origins};
use crate::reading::budget::Budget;
use crate::reading::one_reading::{LastReading, LinePoint, Reading};
use crate::site::calls::short_series;
use crate::site::registered::RegisteredSite;
use memprof_model::run::Series;
use memprof_model::run::{Call, Outcome};

/// Books on single calls that a recorder keeps for the calls to come, at most.
pub(super) const SPARE_DETAILS: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct ThreadState {
    pub stack: Vec<OpenCall>,
    /// How many calls were in progress at the least since somebody set it to how many there are.
    pub lowest: usize,
    /// Depths of the calls in progress that get samples, ascending: those that are not inside another
    /// call of the same site.
    pub timelines: Vec<usize>,
    /// Samples that fell into counted calls since the last reading: interval and number.
    pub deferred: Vec<(u64, u64)>,
    /// By site.
    pub totals: Vec<Option<SiteTotals>>,
    /// The recorder's last reading.
    pub last: Reading,
    pub budget: Budget,
    pub last_reading: LastReading,
    /// Number of the thread that holds the recorder.
    pub thread: u64,
    /// Series not in use, kept so that a call needs no allocation.
    pub spare_series: Vec<Series<LinePoint>>,
    /// Room to keep those of short calls in.
    pub spare_short_series: Vec<Series<LinePoint>>,
    /// Books on single calls, not in use, kept for the same reason.
    #[expect(
        clippy::vec_box,
        reason = "a call has it in a box, and a new box asks for memory"
    )]
    pub spare_details: Vec<Box<CallDetails>>,
}

impl ThreadState {
    pub(crate) fn totals(&mut self, site: &'static RegisteredSite) -> &mut SiteTotals {
        if self.totals.len() <= site.id {
            self.totals.resize_with(site.id + 1, || None);
        }
        self.totals[site.id].get_or_insert_with(|| SiteTotals::new(site))
    }

    /// Gets the memory that a call of `site` needs, for a series if there will be a reading at its
    /// entry; gives what it counts on.
    pub(crate) fn make_room(
        &mut self,
        site: &'static RegisteredSite,
        kind: Kind,
        exact: bool,
    ) -> &'static SiteCounters {
        self.stack.reserve(1);
        self.timelines.reserve(1);
        let timed = self.is_timed(site, kind);
        if timed && exact && self.spare_series.is_empty() {
            self.spare_series.push(Series::new(LinePoint::default()));
        }
        // One for each call in progress that is kept with a series.
        while timed && exact && self.spare_short_series.len() <= self.timelines.len() {
            self.spare_short_series.push(short_series());
        }
        self.spare_series.reserve(2);
        if kind == Kind::Call && exact {
            site.calls().make_room();
        }
        let totals = self.totals(site);
        match kind {
            Kind::OtherThread => totals.worker_counters(),
            Kind::Call | Kind::NestedClosure(_) => totals.counters,
        }
    }

    /// The call_id with which something of this kind begins: what a closure allocates is its call's; of
    /// which call it works for, a worker does not know.
    pub(crate) fn call_id_for(&mut self, kind: Kind) -> CallId {
        match kind {
            Kind::NestedClosure(depth) if origins::is_on() => match self.stack.get_mut(depth) {
                Some(call) if call.call_id == 0 => {
                    call.call_id = origins::call_id();
                    call.call_id
                }
                Some(call) => call.call_id,
                None => CallId::default(),
            },
            Kind::OtherThread => origins::UNKNOWN,
            Kind::NestedClosure(_) | Kind::Call => CallId::default(),
        }
    }

    /// Whether the budget has no say in the reading at the entry of a call of `site`: it is the first
    /// one, it is per_call, or to measure it is what `memory_usage` was called for.
    pub(crate) fn must_be_exact(&mut self, site: &'static RegisteredSite) -> bool {
        site.is_usage() || site.per_call.is_some() || self.totals(site).counters.calls() == 0
    }

    fn is_timed(&mut self, site: &'static RegisteredSite, kind: Kind) -> bool {
        kind == Kind::Call && (site.is_usage() || self.totals(site).open == 0)
    }

    /// Opens a call with the last reading. `exact`: it was taken just now.
    pub(crate) fn open(&mut self, start: CallStart, position: Position, kind: Kind, exact: bool) {
        let CallStart { site, counters, .. } = start;
        let entry = self.last;
        let timed = self.is_timed(site, kind);
        if kind == Kind::Call {
            self.totals(site).open += 1;
        }
        self.stack.push(OpenCall {
            kind,
            site,
            counters,
            entry,
            entry_exact: exact,
            line: counters.place(position.line),
            booked_until: entry,
            line_hit: false,
            line_exact: exact,
            stretch_line: NO_LINE,
            has_unbooked: false,
            line_high: entry.rss,
            high: entry.rss,
            booked_elsewhere: Change::default(),
            measured_hit: None,
            heap_entry: start.heap,
            heap_high: position.heap_high,
            heap_line_start: position.heap_line_start,
            peak_at: None,
            panicking_at_entry: start.panicking,
            call_id: start.call_id,
            series: None,
            past: Past::default(),
            shared: false,
            changed_by_others: 0,
            details: None,
        });
        if timed {
            self.timelines.push(self.stack.len() - 1);
        }
        if timed && exact {
            self.give_series();
        }
    }

    /// Gives the innermost call a series that begins with its entry.
    fn give_series(&mut self) {
        let Some(mut series) = self.spare_series.pop() else {
            return;
        };
        series.clear();
        series.push(self.last.point(NO_LINE));
        if let Some(call) = self.stack.last_mut() {
            call.series = Some(series);
        }
    }

    /// A book for a call of a site with this many lines that is about to begin.
    pub(crate) fn take_details(&mut self, lines: usize) -> Box<CallDetails> {
        if self.spare_details.capacity() == 0 {
            // For all that will ever come back.
            self.spare_details.reserve_exact(SPARE_DETAILS);
        }
        let mut details = self.spare_details.pop().unwrap_or_default();
        details.begin(lines);
        details
    }

    /// The innermost call has just been opened: it is per_call.
    pub(crate) fn attach_details(&mut self, mut details: Box<CallDetails>) {
        if let Some(call) = self.stack.last_mut()
            && let Some(totals) = self.totals[call.site.id].as_mut()
        {
            details.resume(call.counters, &mut totals.lines);
            call.details = Some(details);
        }
    }

    /// Puts a call that was counted on the stack. No reading was taken since it began, so that the last
    /// one is its entry.
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

    /// The innermost call's thread has gone on into another call, which is not on the stack yet.
    pub(crate) fn set_position(&mut self, position: Position) {
        if let Some(call) = self.stack.last_mut() {
            call.line = call.counters.place(position.line);
            call.heap_line_start = position.heap_line_start;
            call.heap_high = position.heap_high;
        }
    }

    /// Takes the innermost call off the stack, all lines booked_until. Its caller, if there is one on
    /// this thread, takes over its highs.
    pub(crate) fn pop(&mut self) -> Option<OpenCall> {
        let call = self.stack.pop()?;
        self.lowest = self.lowest.min(self.stack.len());
        if self.timelines.last() == Some(&self.stack.len()) {
            self.timelines.pop();
        }
        if let Some(outer) = self.stack.last_mut() {
            outer.take_over(&call);
        }
        if let Kind::NestedClosure(depth) = call.kind
            && let Some(outer) = self.stack.get_mut(depth)
        {
            outer.booked_elsewhere.time_ns += self.last.t_ns.saturating_sub(call.entry.t_ns);
            outer.booked_elsewhere.net += difference(self.last.rss, call.entry.rss);
            self.lowest = self.lowest.min(depth + 1);
        }
        Some(call)
    }

    /// How many of the lower calls in progress are as they were when `lowest` was set. The last call
    /// that was ever the innermost meanwhile is not.
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
        let record = call.record(now, self.thread, self.stack.len() as u32, outcome);
        if call.kind != Kind::Call {
            return record;
        }
        let totals = self.totals(call.site);
        totals.end_call(&record, call.high.max(call.past.high));
        let heap = heap.since(call.heap_entry).plus(call.past.heap);
        totals.heap = totals.heap.plus(heap);
        totals.heap_peak = totals.heap_peak.max(call.heap_peak());
        totals.other_threads = totals
            .other_threads
            .plus(now.other_threads.since(call.entry.other_threads));
        record
    }

    /// Bytes that it holds, but for what the totals do: these are too many to be asked while a thread
    /// waits.
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
            + self.totals.capacity() * size_of::<Option<SiteTotals>>();
        let spare_details: u64 = self
            .spare_details
            .iter()
            .map(|details| details.bytes())
            .sum();
        fixed as u64 + series + spare_details
    }
}
