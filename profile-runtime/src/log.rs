//! What a lane writes down: the stack of calls in progress, and the sums over those that ended.
//!
//! Everything here works on readings that were taken elsewhere. A change between two readings is
//! booked once on the line that ran; a call's totals are the sum over its lines, because both are
//! differences between the same readings.

use crate::budget::Budget;
use crate::calls::{Best, LinePoint, little_series};
use crate::heap::{Counts, Token, origins};
use crate::lane::{Begun, NO_LINE, Stand};
use crate::limits;
use crate::meter::{Reading, Witness};
use crate::run::{Call, HeapFigures, Outcome, PeakAt};
use crate::series::Series;
use crate::site::Registered;
use crate::sizes::CallFigures;
use crate::tally::{Cells, LineCells, LineTally, SiteTally};
use crate::turn::{self, Turn};
use crate::watch::{LineFigures, Watch};

/// Books on single calls that a lane keeps for the calls to come, at most.
const SPARE_WATCHES: usize = 16;

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

/// What is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call of an annotated function.
    Call,
    /// A closure of the call at this depth, run from inside calls that it made.
    Part(usize),
    /// A closure of a call that is not of this thread.
    Worker,
}

/// A call in progress.
#[derive(Debug, Clone)]
pub(crate) struct OpenCall {
    pub kind: Kind,
    pub site: &'static Registered,
    pub cells: &'static Cells,
    pub entry: Reading,
    /// Whether `entry` was read at the entry itself.
    pub entry_exact: bool,
    /// The line at which it is; for the innermost call the lane knows better.
    pub line: u32,
    /// Up to here its lines have booked what changed.
    pub settled: Reading,
    /// Whether the line began with a hit; otherwise it only goes on after something inside it.
    line_hit: bool,
    /// Whether the line began with a reading of its own. If not, a stretch without readings is in
    /// progress, in which many lines may have run.
    line_exact: bool,
    /// The line that stands for such a stretch when a reading ends it that was not asked for by the
    /// sampler: the first line of the stretch, or the one that the sampler's last request met.
    stretch_line: u32,
    /// Whether the line has to settle when what is in progress inside it has ended: see `lane::SETTLE`.
    pub settles: bool,
    /// Highest RSS since the line began, and since the call began or was resumed.
    line_high: u64,
    high: u64,
    /// What `Part`s inside the line, and turns of lines, have booked as theirs, to be taken off the line.
    parts: Change,
    /// The turn of its line in progress to be read, and the parts before it.
    turn: Option<(Turn, Change)>,
    /// The heap at the entry, and the highest live bytes of this thread since.
    pub heap_entry: Counts,
    pub heap_high: i64,
    /// Live bytes of this thread when the line began; for the innermost call the lane knows better,
    /// here and of `heap_high`.
    pub heap_line_start: i64,
    peak_at: Option<PeakAt>,
    panicking_at_entry: bool,
    /// See `heap::origins`.
    pub token: Token,
    /// Its samples; `None` for a call inside another call of the same site, which that one covers,
    /// and for one that is not kept, because no reading was taken at its entry.
    pub series: Option<Series<LinePoint>>,
    /// What a call that was suspended, perhaps several times, has behind it.
    past: Past,
    /// Whether others worked on the process's memory meanwhile.
    shared: bool,
    /// By how many bytes of RSS.
    foreign: u64,
    /// Its own figures, where its site asks for them.
    pub watch: Option<Box<Watch>>,
}

/// A signed change, and the time that it took.
#[derive(Debug, Clone, Copy, Default)]
struct Change {
    time_ns: u64,
    net: i64,
}

/// The earlier stretches of a call that was suspended.
#[derive(Debug, Clone, Copy, Default)]
struct Past {
    /// When it was suspended last.
    suspended_at: Reading,
    /// Time and change of RSS between suspensions and resumptions: not the call's.
    suspended: Change,
    peak: u64,
    high: u64,
    heap: Counts,
    heap_peak: u64,
}

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Ended<'call> {
    /// A reference, because a call is large and most of those that end are only counted.
    pub call: &'call mut OpenCall,
    pub record: Call,
    /// The thread's heap at the end.
    pub heap: Counts,
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

    /// A sample at the intervals in `due` fell into light calls.
    pub(crate) fn owe_samples(&mut self, due: &[u64]) {
        for &interval_ns in due {
            match self.owed.iter_mut().find(|owed| owed.0 == interval_ns) {
                Some(owed) => owed.1 += 1,
                None => self.owed.push((interval_ns, 1)),
            }
        }
    }

    /// The light calls that were in progress have got theirs.
    pub(crate) fn owe_nothing(&mut self) {
        self.owed.clear();
    }

    /// The RSS was up to `high` between two readings of this lane, while `line` ran.
    pub(crate) fn raise(&mut self, before: Reading, high: u64, line: u32) {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return;
        };
        let high = high.max(now.rss);
        call.shared |= now.shared;
        call.foreign = call.foreign.saturating_add(now.foreign);
        call.line_high = call.line_high.max(high);
        let at = PeakAt {
            from_ns: before.t_ns.max(call.entry.t_ns),
            to_ns: now.t_ns,
            rss: high,
            line: call.site.line_number(line),
        };
        call.raise_high(high, Some(at));
    }

    /// Books what has changed since the innermost call's lines last booked on `line`, its line in
    /// progress. `read`: the last reading was taken just now. Says whether the line began with a
    /// reading of its own.
    pub(crate) fn settle(&mut self, line: u32, read: bool) -> bool {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return false;
        };
        // Before the first line nothing of the function has run; what little has changed since the
        // entry is left to the first line, so that the lines add up to the call.
        if line != NO_LINE
            && let Some(tally) = self.tallies[call.site.id].as_mut()
        {
            let parts = std::mem::take(&mut call.parts);
            let time_ns = now.t_ns.saturating_sub(call.settled.t_ns);
            let time_ns = time_ns.saturating_sub(parts.time_ns);
            if call.kind == Kind::Worker {
                tally.worker_time(line, time_ns);
            } else {
                let net = difference(now.rss, call.settled.rss) - parts.net;
                let change = LineFigures {
                    net,
                    peak: (call.line_high.saturating_sub(call.settled.rss))
                        .max(u64::try_from(net).unwrap_or(0)),
                    time_ns,
                    ..LineFigures::default()
                };
                let line = line as usize;
                if call.line_exact {
                    call.book(&mut tally.lines, line, change);
                } else {
                    call.book_stretch(&mut tally.lines, line, change);
                }
                if let Some(tally) = tally.lines.get_mut(line) {
                    tally.others = tally.others.plus(now.others.since(call.settled.others));
                    tally.shared += u64::from(now.shared);
                    if read {
                        tally.max_rss = tally.max_rss.max(now.rss);
                    }
                    if read && call.line_exact && call.line_hit {
                        tally.readings += 1;
                        let hits = call.cells.line(line).map_or(0, LineCells::hits);
                        tally.pace.learn_all(hits, net);
                    }
                }
            }
            call.settled = now;
            call.line_high = now.rss;
        }
        call.line_exact
    }

    /// The same where the innermost call ends, or is looked at as if it did: without a line so far its first one
    /// books, so that the lines add up to the call.
    pub(crate) fn settle_all(&mut self, line: u32, read: bool) {
        self.settle(if line == NO_LINE { 0 } else { line }, read);
    }

    /// Whether RSS is read on the innermost call's behalf: on a worker's only the clock is.
    pub(crate) fn is_of_rss(&self) -> bool {
        let innermost = self.stack.last();
        innermost.is_some_and(|call| call.kind != Kind::Worker)
    }

    /// Whether the innermost line can have its turn to be read.
    pub(crate) fn may_take_turns(&self) -> bool {
        self.budget.may_read() && self.is_of_rss()
    }

    /// Whether the innermost call's line in progress began with a reading of its own.
    pub(crate) fn reads_every_line(&self) -> bool {
        self.stack.last().is_some_and(|call| call.line_exact)
    }

    /// The innermost call's line at `place` has its turn, from the last reading on.
    pub(crate) fn begin_turn(&mut self, place: u32) {
        let from = self.last;
        if let Some(call) = self.stack.last_mut() {
            let turn = Turn {
                line: place,
                from,
                high_before: std::mem::replace(&mut call.line_high, from.rss),
            };
            call.turn = Some((turn, std::mem::take(&mut call.parts)));
        }
    }

    /// The turn in progress ends with the last reading: its line books what changed, and the stretch
    /// around it does not. Says whether there was one.
    pub(crate) fn end_turn(&mut self) -> bool {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return false;
        };
        let Some((turn, before)) = call.turn.take() else {
            return false;
        };
        let whole = Change {
            time_ns: now.t_ns.saturating_sub(turn.from.t_ns),
            net: difference(now.rss, turn.from.rss),
        };
        let inner = std::mem::replace(&mut call.parts, before);
        call.parts.time_ns += whole.time_ns;
        call.parts.net += whole.net;
        let net = whole.net - inner.net;
        let high = std::mem::replace(&mut call.line_high, turn.high_before.max(now.rss));
        let peak = high.saturating_sub(turn.from.rss);
        let change = LineFigures {
            net,
            peak: peak.max(u64::try_from(net).unwrap_or(0)),
            time_ns: whole.time_ns.saturating_sub(inner.time_ns),
            ..LineFigures::default()
        };
        if let Some(tally) = self.tallies[call.site.id].as_mut() {
            call.book(&mut tally.lines, turn.line as usize, change);
            if let Some(tally) = tally.lines.get_mut(turn.line as usize) {
                tally.max_rss = tally.max_rss.max(now.rss);
                tally.readings += 1;
                tally.pace.learn_one(net);
            }
        }
        true
    }

    /// Something begins inside of the line that has its turn: what a hit of it does is not to be told from
    /// what happens there, and the stretch goes on as if nothing had been read.
    pub(crate) fn give_up_turn(&mut self) {
        if let Some(call) = self.stack.last_mut()
            && let Some((turn, before)) = call.turn.take()
        {
            call.parts.time_ns += before.time_ns;
            call.parts.net += before.net;
            call.line_high = call.line_high.max(turn.high_before);
        }
    }

    /// After how many hits the line at `place` of the innermost call has its next turn. `now_ns`: it has
    /// one now.
    pub(crate) fn next_turn(&mut self, place: u32, now_ns: Option<u64>) -> Option<u64> {
        let call = self.stack.last()?;
        let tally = self.tallies[call.site.id].as_mut()?;
        Some(tally.lines.get_mut(place as usize)?.pace.next(now_ns))
    }

    /// A reading that the sampler did not ask for ends a stretch without readings, at a moment that
    /// has nothing to do with where the time went: the line that stands for the stretch books it.
    pub(crate) fn settle_stretch(&mut self) {
        if let Some(call) = self.stack.last()
            && !call.line_exact
        {
            self.settle(call.stretch_line, false);
        }
    }

    /// The line that books what changed until a reading that was taken for what comes after `closing`.
    pub(crate) fn stands_for_stretch(&self, closing: u32) -> u32 {
        match self.stack.last() {
            Some(call) if !call.line_exact && call.stretch_line != NO_LINE => call.stretch_line,
            _ => closing,
        }
    }

    /// The innermost call's next line begins, with a reading of its own if `exact`.
    pub(crate) fn begin_line(&mut self, line: u32, hit: bool, exact: bool) {
        if let Some(call) = self.stack.last_mut() {
            call.line_hit = hit;
            call.line_exact = exact;
            call.stretch_line = line;
        }
    }

    /// The sampler's request met `line`, by chance: it stands for the stretch.
    pub(crate) fn stretch_is_like(&mut self, line: u32) {
        if let Some(call) = self.stack.last_mut() {
            call.stretch_line = line;
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

    /// Puts an ended call into its site's book, with its series if no call had a higher peak.
    pub(crate) fn keep(&mut self, ended: Ended<'_>) {
        let Ended {
            call,
            mut record,
            heap,
        } = ended;
        if let Some(mut watch) = call.watch.take() {
            record.by = watch.by;
            call.judge(&record, call.heap_figures(heap), &mut watch);
            // Not what a deep recursion took, or what futures bring that began in other lanes.
            if self.watches.len() < SPARE_WATCHES {
                self.watches.push(watch);
            }
        }
        let series = call.series.take();
        if call.kind != Kind::Call || !call.entry_exact {
            self.spare.extend(series);
            return;
        }
        let mut calls = call.site.calls();
        if calls.beats_best(record.peak_rss) {
            let best = Best {
                call: record.clone(),
                peak_at: call.peak_at,
                series,
            };
            let spare = calls.set_best(best, &mut self.little);
            self.spare.extend(spare);
        } else {
            self.spare.extend(series);
        }
        calls.add(record);
    }

    /// The innermost call was suspended just now: what it has done so far is behind it.
    pub(crate) fn suspend(&mut self, line: u32, heap: Counts) -> Option<OpenCall> {
        let mut call = self.pop()?;
        call.pause_watch();
        let now = self.last;
        call.line = line;
        self.spare.extend(call.series.take());
        call.past.suspended_at = now;
        call.past.high = call.past.high.max(call.high);
        call.past.peak = call
            .past
            .peak
            .max(call.high.saturating_sub(call.start_level()));
        call.past.heap = call.past.heap.plus(heap.since(call.heap_entry));
        call.past.heap_peak = call.heap_peak();
        let tally = self.tally(call.site);
        tally.open = tally.open.saturating_sub(1);
        tally.others = tally.others.plus(now.others.since(call.entry.others));
        Some(call)
    }

    /// A suspended call goes on, perhaps on another thread than before.
    pub(crate) fn resume(&mut self, mut call: OpenCall, exact: bool, heap: Counts) {
        let before = call.past.suspended_at;
        // Another thread may have read later than this one did last: what the call did until then it
        // must not do again.
        self.last = self.last.at(self.last.t_ns.max(before.t_ns));
        let now = self.last;
        call.past.suspended.time_ns += now.t_ns.saturating_sub(before.t_ns);
        call.past.suspended.net += difference(now.rss, before.rss);
        call.entry.others = now.others;
        call.settled = now;
        call.line_hit = false;
        call.line_exact = exact;
        call.stretch_line = call.line;
        call.line_high = now.rss;
        call.high = now.rss;
        call.heap_entry = heap;
        call.heap_high = heap.live();
        call.heap_line_start = heap.live();
        let tally = self.tally(call.site);
        call.cells = tally.cells;
        tally.open += 1;
        if let Some(watch) = &mut call.watch {
            watch.go_on(call.cells, &mut tally.lines);
        }
        self.stack.push(call);
    }

    /// Adds a sample to the calls in progress that get samples: to those whose interval is in
    /// `due`, or with `None` to all. `innermost` is the line of the innermost call.
    pub(crate) fn sample(&mut self, reading: Reading, innermost: u32, due: Option<&[u64]>) {
        let top = self.stack.len().wrapping_sub(1);
        for &depth in &self.timelines {
            let call = &mut self.stack[depth];
            if due.is_some_and(|due| !due.contains(&call.site.interval_ns)) {
                continue;
            }
            let line = if depth == top { innermost } else { call.line };
            if let Some(series) = &mut call.series {
                series.push(reading.point(line));
            }
            if due.is_some()
                && let Some(tally) = self.tallies[call.site.id].as_mut()
                && let Some(tally) = tally.lines.get_mut(line as usize)
            {
                tally.samples += 1;
            }
        }
    }
}

impl OpenCall {
    /// As it began.
    pub(crate) fn begun(&self) -> Begun {
        Begun {
            site: self.site,
            cells: self.cells,
            panicking: self.panicking_at_entry,
            token: self.token,
            heap: self.heap_entry,
        }
    }

    /// Books a change on the line at this place.
    fn book(&mut self, lines: &mut [LineTally], place: usize, change: LineFigures) {
        if let Some(tally) = lines.get_mut(place) {
            tally.time_ns += change.time_ns;
            tally.net += change.net;
            tally.peak = tally.peak.max(change.peak);
        }
        if let Some(watch) = &mut self.watch {
            watch.settle(place, change, self.line_exact);
        }
    }

    /// Books what changed in a stretch without readings: on the line at this place, but RSS on the lines
    /// that it comes from by experience, if there are such.
    fn book_stretch(&mut self, lines: &mut [LineTally], place: usize, change: LineFigures) {
        let watch = &mut self.watch;
        let split = turn::split(
            lines,
            self.cells,
            change.net,
            |line, place, net, is_largest| {
                let part = LineFigures {
                    net,
                    peak: if is_largest { change.peak } else { 0 },
                    time_ns: 0,
                    ..change
                };
                line.net += part.net;
                line.peak = line.peak.max(part.peak);
                if let Some(watch) = watch {
                    watch.settle(place, part, false);
                }
            },
        );
        let rest = LineFigures {
            net: 0,
            peak: 0,
            ..change
        };
        self.book(lines, place, if split { rest } else { change });
    }

    /// Where it goes on after something inside of it.
    pub(crate) fn stand(&self) -> Stand {
        Stand {
            line: self.cells.stand_at(self.line),
            heap_line_start: self.heap_line_start,
            heap_high: self.heap_high,
        }
    }

    /// What a snapshot needs of it: no figures of its own, and its samples only if it is `with_series`.
    pub(crate) fn copied(&self, with_series: bool) -> OpenCall {
        OpenCall {
            series: self.series.as_ref().filter(|_| with_series).cloned(),
            watch: None,
            ..*self
        }
    }

    /// A call made by this one's line in progress has ended or was suspended.
    fn take_over(&mut self, inner: &OpenCall) {
        self.shared |= inner.shared;
        self.foreign = self.foreign.saturating_add(inner.foreign);
        self.line_high = self.line_high.max(inner.high);
        let at = inner.peak_at.map(|at| PeakAt {
            line: self.site.line_number(self.line),
            ..at
        });
        self.raise_high(inner.high, at);
    }

    fn raise_high(&mut self, high: u64, at: Option<PeakAt>) {
        if high > self.high {
            self.high = high;
            if high.saturating_sub(self.start_level()) > self.past.peak {
                self.peak_at = at;
            }
        }
    }

    /// Books on the line at which it is what something inside of it did on the heap.
    pub(crate) fn book_heap(&self, change: Counts, rise: i64) {
        self.cells.at(self.line).book_heap(change, rise);
    }

    /// Whether a reading was taken while it was on the stack: then its caller's line has something to
    /// book.
    pub(crate) fn settled_since_entry(&self) -> bool {
        self.settled.t_ns != self.entry.t_ns
    }

    /// The RSS that counts as the call's start: that at its entry, moved by what changed while it
    /// was suspended.
    fn start_level(&self) -> u64 {
        self.entry
            .rss
            .saturating_add_signed(self.past.suspended.net)
    }

    fn heap_peak(&self) -> u64 {
        let now = self.heap_high.wrapping_sub(self.heap_entry.live());
        // What earlier stretches kept is still there.
        let kept = self.past.heap.live();
        let now = u64::try_from(now.saturating_add(kept)).unwrap_or(0);
        now.max(self.past.heap_peak)
    }

    fn record(&self, now: Reading, thread: u64, depth: u32, outcome: Outcome) -> Call {
        let peak = self.high.max(now.rss).saturating_sub(self.start_level());
        Call {
            start_ns: self.entry.t_ns,
            end_ns: now.t_ns,
            suspended_ns: self.past.suspended.time_ns,
            thread,
            depth,
            by: None,
            outcome,
            entry_rss: self.entry.rss,
            exit_rss: now.rss,
            peak_rss: peak.max(self.past.peak),
            net_rss: difference(now.rss, self.entry.rss) - self.past.suspended.net,
            suspended_rss: self.past.suspended.net,
        }
    }

    /// How a suspended call would be recorded if the process ended now.
    pub(crate) fn record_suspended(&self) -> Call {
        self.record(self.past.suspended_at, 0, 0, Outcome::Running)
    }

    /// When it was highest.
    pub(crate) fn peak_at(&self) -> Option<PeakAt> {
        self.peak_at
    }

    /// It ends or is suspended: the book on it by itself takes over what its lines did on the heap.
    pub(crate) fn pause_watch(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.pause(self.cells);
        }
    }

    /// What it did on the heap, of which its thread has `now`.
    fn heap_figures(&self, now: Counts) -> HeapFigures {
        let heap = now.since(self.heap_entry).plus(self.past.heap);
        HeapFigures {
            allocated: heap.allocated,
            freed: heap.freed,
            net: heap.live(),
            peak: self.heap_peak(),
            allocations: heap.allocations,
        }
    }

    /// What a watched call had, for the sizes and the limits of its site.
    fn judge(&self, record: &Call, heap: HeapFigures, watch: &mut Watch) {
        let Some(watched) = &self.site.watched else {
            return;
        };
        let ended = limits::Ended {
            site: self.site,
            record,
            heap: crate::heap::is_counted().then_some(heap),
            shared: self.shared,
            watch,
        };
        limits::judge(&watched.limits, &ended);
        if record.outcome == Outcome::Returned {
            self.add_to_figures(record, heap, watch);
        }
    }

    fn add_to_figures(&self, record: &Call, heap: HeapFigures, watch: &mut Watch) {
        let wall_ns = record.end_ns.saturating_sub(record.start_ns);
        let call = CallFigures {
            foreign: self.foreign,
            peak: record.peak_rss,
            net: record.net_rss,
            time_ns: wall_ns.saturating_sub(record.suspended_ns),
            heap,
        };
        if let Some(mut maxima) = self.site.maxima() {
            maxima.add(&call, &watch.lines);
        }
        if let Some(n) = watch.by {
            self.site.sizes().add(n, &call, &mut watch.lines);
        }
    }

    /// As the best call of its site, if the process ended now.
    pub(crate) fn as_best(&self, record: &Call) -> Best {
        Best {
            call: record.clone(),
            peak_at: self.peak_at,
            series: self.series.clone(),
        }
    }
}

pub(crate) fn difference(now: u64, before: u64) -> i64 {
    now.wrapping_sub(before) as i64
}
