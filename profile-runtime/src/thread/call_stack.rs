//! What a lane writes down: the stack of calls in progress, and the sums over those that ended.

use super::call_details::Watch;
use super::open_call::{Begun, Change, Kind, OpenCall, Past, Stand, difference};
use super::totals::SiteTally;
use crate::counters::counts::Counts;
use crate::counters::line::NO_LINE;
use crate::counters::site::Cells;
use crate::heap::{Token, origins};
use crate::reading::budget::Budget;
use crate::reading::one_reading::{LinePoint, Reading, Witness};
use crate::run::{Call, Outcome};
use crate::series::Series;
use crate::site::peak_call::little_series;
use crate::site::registered::Registered;

/// Books on single calls that a lane keeps for the calls to come, at most.
pub(super) const SPARE_WATCHES: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub stack: Vec<OpenCall>,
    /// How many calls were in progress at the least since somebody set it to how many there are.
    pub lowest: usize,
    /// Depths of the calls in progress that get samples, ascending: those that are not inside another
    /// call of the same site.
    pub timelines: Vec<usize>,
    /// Samples that fell into light calls since the last reading: interval and number.
    pub owed: Vec<(u64, u64)>,
    /// By site.
    pub tallies: Vec<Option<SiteTally>>,
    /// The lane's last reading.
    pub last: Reading,
    pub budget: Budget,
    pub witness: Witness,
    /// Number of the thread that holds the lane.
    pub thread: u64,
    /// Series not in use, kept so that a call needs no allocation.
    pub spare: Vec<Series<LinePoint>>,
    /// Room to keep those of short calls in.
    pub little: Vec<Series<LinePoint>>,
    /// Books on single calls, not in use, kept for the same reason.
    #[expect(
        clippy::vec_box,
        reason = "a call has it in a box, and a new box asks for memory"
    )]
    pub watches: Vec<Box<Watch>>,
}

impl Log {
    pub(crate) fn tally(&mut self, site: &'static Registered) -> &mut SiteTally {
        if self.tallies.len() <= site.id {
            self.tallies.resize_with(site.id + 1, || None);
        }
        self.tallies[site.id].get_or_insert_with(|| SiteTally::new(site))
    }

    /// Gets the memory that a call of `site` needs, for a series if there will be a reading at its
    /// entry; gives what it counts on.
    pub(crate) fn make_room(
        &mut self,
        site: &'static Registered,
        kind: Kind,
        exact: bool,
    ) -> &'static Cells {
        self.stack.reserve(1);
        self.timelines.reserve(1);
        let timed = self.is_timed(site, kind);
        if timed && exact && self.spare.is_empty() {
            self.spare.push(Series::new(LinePoint::default()));
        }
        // One for each call in progress that is kept with a series.
        while timed && exact && self.little.len() <= self.timelines.len() {
            self.little.push(little_series());
        }
        self.spare.reserve(2);
        if kind == Kind::Call && exact {
            site.calls().make_room();
        }
        let tally = self.tally(site);
        match kind {
            Kind::Worker => tally.worker_cells(),
            Kind::Call | Kind::Part(_) => tally.cells,
        }
    }

    /// The token with which something of this kind begins: what a closure allocates is its call's; of
    /// which call it works for, a worker does not know.
    pub(crate) fn token_for(&mut self, kind: Kind) -> Token {
        match kind {
            Kind::Part(depth) if origins::is_on() => match self.stack.get_mut(depth) {
                Some(call) if call.token == 0 => {
                    call.token = origins::token();
                    call.token
                }
                Some(call) => call.token,
                None => Token::default(),
            },
            Kind::Worker => origins::UNKNOWN,
            Kind::Part(_) | Kind::Call => Token::default(),
        }
    }

    /// Whether the budget has no say in the reading at the entry of a call of `site`: it is the first
    /// one, it is watched, or to measure it is what `memory_usage` was called for.
    pub(crate) fn must_be_exact(&mut self, site: &'static Registered) -> bool {
        site.is_usage() || site.watched.is_some() || self.tally(site).cells.calls() == 0
    }

    fn is_timed(&mut self, site: &'static Registered, kind: Kind) -> bool {
        kind == Kind::Call && (site.is_usage() || self.tally(site).open == 0)
    }

    /// Opens a call with the last reading. `exact`: it was taken just now.
    pub(crate) fn open(&mut self, begun: Begun, stand: Stand, kind: Kind, exact: bool) {
        let Begun { site, cells, .. } = begun;
        let entry = self.last;
        let timed = self.is_timed(site, kind);
        if kind == Kind::Call {
            self.tally(site).open += 1;
        }
        self.stack.push(OpenCall {
            kind,
            site,
            cells,
            entry,
            entry_exact: exact,
            line: cells.place(stand.line),
            settled: entry,
            line_hit: false,
            line_exact: exact,
            stretch_line: NO_LINE,
            settles: false,
            line_high: entry.rss,
            high: entry.rss,
            parts: Change::default(),
            turn: None,
            heap_entry: begun.heap,
            heap_high: stand.heap_high,
            heap_line_start: stand.heap_line_start,
            peak_at: None,
            panicking_at_entry: begun.panicking,
            token: begun.token,
            series: None,
            past: Past::default(),
            shared: false,
            foreign: 0,
            watch: None,
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
        let Some(mut series) = self.spare.pop() else {
            return;
        };
        series.clear();
        series.push(self.last.point(NO_LINE));
        if let Some(call) = self.stack.last_mut() {
            call.series = Some(series);
        }
    }

    /// A book for a call of a site with this many lines that is about to begin.
    pub(crate) fn new_watch(&mut self, lines: usize) -> Box<Watch> {
        if self.watches.capacity() == 0 {
            // For all that will ever come back.
            self.watches.reserve_exact(SPARE_WATCHES);
        }
        let mut watch = self.watches.pop().unwrap_or_default();
        watch.begin(lines);
        watch
    }

    /// The innermost call has just been opened: it is watched.
    pub(crate) fn watch(&mut self, mut watch: Box<Watch>) {
        if let Some(call) = self.stack.last_mut()
            && let Some(tally) = self.tallies[call.site.id].as_mut()
        {
            watch.go_on(call.cells, &mut tally.lines);
            call.watch = Some(watch);
        }
    }

    /// Puts a call that was light on the stack. No reading was taken since it began, so that the last
    /// one is its entry.
    pub(crate) fn open_light(&mut self, begun: Begun, stand: Stand) {
        self.make_room(begun.site, Kind::Call, false);
        self.open(begun, stand, Kind::Call, false);
        let interval_ns = begun.site.interval_ns;
        let owed = self.owed.iter().find(|owed| owed.0 == interval_ns);
        if let Some(&(_, samples)) = owed
            && self.timelines.last() == Some(&(self.stack.len() - 1))
            && let Some(tally) =
                (self.tally(begun.site).lines).get_mut(begun.cells.place(stand.line) as usize)
        {
            tally.samples += samples;
        }
    }

    /// The innermost call's thread has gone on into another call, which is not on the stack yet.
    pub(crate) fn stand(&mut self, stand: Stand) {
        if let Some(call) = self.stack.last_mut() {
            call.line = call.cells.place(stand.line);
            call.heap_line_start = stand.heap_line_start;
            call.heap_high = stand.heap_high;
        }
    }

    /// Takes the innermost call off the stack, all lines settled. Its caller, if there is one on
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
        if let Kind::Part(depth) = call.kind
            && let Some(outer) = self.stack.get_mut(depth)
        {
            outer.parts.time_ns += self.last.t_ns.saturating_sub(call.entry.t_ns);
            outer.parts.net += difference(self.last.rss, call.entry.rss);
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
    pub(crate) fn book(&mut self, call: &OpenCall, cancelled: bool, heap: Counts) -> Call {
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
        let tally = self.tally(call.site);
        tally.end_call(&record, call.high.max(call.past.high));
        let heap = heap.since(call.heap_entry).plus(call.past.heap);
        tally.heap = tally.heap.plus(heap);
        tally.heap_peak = tally.heap_peak.max(call.heap_peak());
        tally.others = tally.others.plus(now.others.since(call.entry.others));
        record
    }

    /// Bytes that it holds, but for what the tallies do: these are too many to be asked while a thread
    /// waits.
    pub(crate) fn bytes(&self) -> u64 {
        let timed = self
            .timelines
            .iter()
            .filter_map(|&depth| self.stack.get(depth));
        let open = timed.filter_map(|call| call.series.as_ref());
        let series: u64 = open
            .chain(&self.spare)
            .chain(&self.little)
            .map(Series::bytes)
            .sum();
        let fixed = self.stack.capacity() * size_of::<OpenCall>()
            + self.tallies.capacity() * size_of::<Option<SiteTally>>();
        let watches: u64 = self.watches.iter().map(|watch| watch.bytes()).sum();
        fixed as u64 + series + watches
    }
}
