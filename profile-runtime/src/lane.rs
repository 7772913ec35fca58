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

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use crate::budget::Budget;
use crate::calls::{Best, LinePoint};
use crate::meter::Reading;
use crate::recorder::Recorder;
use crate::run::{Call, Outcome, PeakAt};
use crate::series::Series;
use crate::site::Registered;
use crate::tally::{SiteTally, count_hit};

/// A reading is due at the next probe.
const DUE: u8 = 1;
/// A call inside this one took readings: the line that made it must book them.
const SETTLE: u8 = 2;

/// What `line` holds while no line of the innermost call has begun.
pub(crate) const NO_LINE: u32 = u32::MAX;

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
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub stack: Vec<OpenCall>,
    /// Depths of the calls in progress that have a series, ascending.
    timelines: Vec<usize>,
    /// By site.
    pub tallies: Vec<Option<SiteTally>>,
    last: Reading,
    budget: Budget,
    /// Number of the thread that holds the lane.
    thread: u64,
    /// Series not in use, kept so that a call needs no allocation.
    spare: Vec<Series<LinePoint>>,
}

/// A call in progress.
#[derive(Debug, Clone)]
pub(crate) struct OpenCall {
    pub site: &'static Registered,
    pub entry: Reading,
    /// Whether `entry` was read at the entry itself.
    entry_exact: bool,
    /// The line at which it is; for the innermost call the lane knows better.
    line: u32,
    /// Up to here its lines have booked what changed.
    settled: Reading,
    /// Whether the line began with a hit; otherwise it only goes on after something inside it.
    line_hit: bool,
    /// Whether the line began with a reading of its own. If not, a stretch without readings is in
    /// progress, in which many lines may have run.
    line_exact: bool,
    /// The line that stands for such a stretch when a reading ends it that was not asked for by the
    /// sampler: the first line of the stretch, or the one that the sampler's last request met.
    stretch_line: u32,
    /// Highest RSS since the line began, and since the call began.
    line_high: u64,
    high: u64,
    peak_at: Option<PeakAt>,
    panicking_at_entry: bool,
    /// Its samples; `None` for a call inside another call of the same site, which that one covers.
    pub series: Option<Series<LinePoint>>,
}

/// A call that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub call: OpenCall,
    pub record: Call,
}

impl Lane {
    pub(crate) fn new() -> Lane {
        Lane {
            attention: AtomicU8::new(DUE),
            line: AtomicU32::new(NO_LINE),
            depth: AtomicU32::new(0),
            high: AtomicU64::new(0),
            log: Mutex::default(),
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        crate::lock(&self.log)
    }

    /// A new thread takes the lane.
    pub(crate) fn take(&self, thread: u64) {
        let mut log = self.log();
        log.thread = thread;
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

    /// The line at which the call at `depth` is.
    pub(crate) fn line_of(&self, log: &Log, depth: usize) -> u32 {
        if depth + 1 == log.stack.len() {
            self.line.load(Relaxed)
        } else {
            log.stack[depth].line
        }
    }

    /// Opens a call: gives the hits that its probes count on, and its depth.
    pub(crate) fn enter(
        &self,
        recorder: &'static Recorder,
        site: &'static Registered,
    ) -> (&'static [AtomicU64], usize) {
        let mut guard = self.log();
        let log = &mut *guard;
        let depth = log.stack.len();
        let exact = log.tally(site).calls == 0 || self.is_due();
        // Whatever needs memory comes before the reading, so as not to show up in the call.
        log.make_room(site);
        let forced = exact && !self.is_due();
        if exact {
            self.read(recorder, log, depth == 0);
        }
        if forced {
            log.settle_stretch();
        }
        if let Some(outer) = log.stack.last_mut() {
            outer.line = self.line.load(Relaxed);
        }
        log.open_call(site, exact);
        self.line.store(NO_LINE, Relaxed);
        self.depth.store(depth as u32 + 1, Relaxed);
        let hits = log.tally(site).hits;
        let entered_ns = log.last.t_ns;
        drop(guard);
        if exact {
            recorder
                .sampler()
                .expect(entered_ns.saturating_add(site.interval_ns));
        }
        (hits, depth)
    }

    /// A probe: the line that ran is over, `line` begins, with a hit or (after something inside it)
    /// without.
    #[inline]
    pub(crate) fn switch_line(&self, line: u32, hit: bool) {
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
            self.read(recorder, log, false);
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
    pub(crate) fn exit(&self, depth: usize) {
        self.close(depth, |log, ended| log.keep(ended));
    }

    /// Closes the call at `depth` like [`Lane::exit`], and hands it to `last` instead of the book.
    pub(crate) fn close<T>(
        &self,
        depth: usize,
        last: impl FnOnce(&mut Log, Ended) -> T,
    ) -> Option<T> {
        let recorder = Recorder::running()?;
        let mut guard = self.log();
        let log = &mut *guard;
        while log.stack.len() > depth + 1 {
            let ended = self.close_innermost(recorder, log)?;
            log.keep(ended);
        }
        if log.stack.len() <= depth {
            return None;
        }
        let ended = self.close_innermost(recorder, log);
        self.depth.store(log.stack.len() as u32, Relaxed);
        ended.map(|ended| last(log, ended))
    }

    fn close_innermost(&self, recorder: &'static Recorder, log: &mut Log) -> Option<Ended> {
        let innermost = log.stack.last()?;
        // A call that began with a reading ends with one: its record must not borrow from others.
        let due = self.is_due();
        let read = due || innermost.entry_exact;
        if read {
            self.read(recorder, log, log.stack.len() == 1);
        }
        if read && !due {
            log.settle_stretch();
        }
        log.settle(self.line.load(Relaxed), read);
        let call = log.stack.pop()?;
        if call.series.is_some() {
            log.timelines.pop();
        }
        if let Some(outer) = log.stack.last_mut() {
            outer.take_over(&call);
            self.line.store(outer.line, Relaxed);
            if call.entry.seq != log.last.seq {
                self.attention.fetch_or(SETTLE, Relaxed);
            }
        }
        let record = log.book(&call);
        Some(Ended { call, record })
    }

    fn is_due(&self) -> bool {
        self.attention.load(Relaxed) & DUE != 0
    }

    /// Takes a reading and tells the calls in progress; clears `DUE` when the budget is used up.
    fn read(&self, recorder: &'static Recorder, log: &mut Log, keep: bool) {
        let before = log.last;
        let (reading, high, took_ns) = recorder.meter().read(self, keep);
        log.last = reading;
        if log
            .budget
            .spend(reading.t_ns, took_ns, recorder.lanes_per_processor())
        {
            self.attention.fetch_or(DUE, Relaxed);
        } else {
            self.attention.fetch_and(!DUE, Relaxed);
        }
        let line = self.line.load(Relaxed);
        log.raise(before, reading, high, line);
        log.sample(self, reading.t_ns, reading.rss, None);
    }

    /// The sampler's part: adds a sample to the series of every call whose interval is in `due`,
    /// asks for a reading, and reports the intervals in use to `intervals`.
    pub(crate) fn tick(&self, due: Option<(Reading, &[u64])>, intervals: &mut Vec<u64>) {
        if !self.is_busy() {
            return;
        }
        let mut log = self.log();
        if let Some((reading, due)) = due {
            log.sample(self, reading.t_ns, reading.rss, Some(due));
            self.ask_for_reading();
        }
        for &depth in &log.timelines {
            let interval_ns = log.stack[depth].site.interval_ns;
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
            tallies: guard.tallies.clone(),
            last: if guard.last.seq > now.seq {
                guard.last
            } else {
                now
            },
            thread: guard.thread,
            ..Log::default()
        };
        let mut line = self.line.load(Relaxed);
        let high = self.high.load(Relaxed);
        drop(guard);
        let before = log.stack.last().map_or(now, |call| call.settled);
        log.raise(before, log.last, high, line);
        let mut running = Vec::new();
        while !log.stack.is_empty() {
            log.settle(line, false);
            let Some(call) = log.stack.pop() else { break };
            if let Some(outer) = log.stack.last_mut() {
                outer.take_over(&call);
                line = outer.line;
            }
            let mut record = log.book(&call);
            record.outcome = Outcome::Running;
            running.push((call, record));
        }
        (log.tallies.into_iter().flatten().collect(), running)
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> u64 {
        let log = self.log();
        let tallies: u64 = log.tallies.iter().flatten().map(SiteTally::bytes).sum();
        let open = log.stack.iter().filter_map(|call| call.series.as_ref());
        let series: u64 = open.chain(&log.spare).map(Series::bytes).sum();
        let fixed = size_of::<Lane>()
            + log.stack.capacity() * size_of::<OpenCall>()
            + log.tallies.capacity() * size_of::<Option<SiteTally>>();
        fixed as u64 + tallies + series
    }
}

impl Log {
    fn tally(&mut self, site: &'static Registered) -> &mut SiteTally {
        if self.tallies.len() <= site.id {
            self.tallies.resize_with(site.id + 1, || None);
        }
        self.tallies[site.id].get_or_insert_with(|| SiteTally::new(site))
    }

    /// Gets the memory that a call of `site` needs.
    fn make_room(&mut self, site: &'static Registered) {
        self.stack.reserve(1);
        let wants_series = self.tally(site).open == 0 || site.is_usage();
        if wants_series && self.spare.is_empty() {
            self.spare.push(Series::new(LinePoint {
                t_ns: 0,
                rss: 0,
                line: NO_LINE,
            }));
            self.timelines.reserve(1);
        }
    }

    fn open_call(&mut self, site: &'static Registered, exact: bool) {
        let thread = self.thread;
        let entry = self.last;
        let tally = self.tally(site);
        tally.calls += 1;
        tally.open += 1;
        let outermost = tally.open == 1;
        if tally.last_thread != thread {
            tally.last_thread = thread;
            tally.threads += 1;
        }
        let mut series = if outermost || site.is_usage() {
            self.spare.pop()
        } else {
            None
        };
        if let Some(series) = &mut series {
            self.timelines.push(self.stack.len());
            series.clear();
            series.push(LinePoint {
                t_ns: entry.t_ns,
                rss: entry.rss,
                line: NO_LINE,
            });
        }
        self.stack.push(OpenCall {
            site,
            entry,
            entry_exact: exact,
            line: NO_LINE,
            settled: entry,
            line_hit: false,
            line_exact: exact,
            stretch_line: NO_LINE,
            line_high: entry.rss,
            high: entry.rss,
            peak_at: None,
            panicking_at_entry: std::thread::panicking(),
            series,
        });
    }

    /// The RSS was up to `high` between two readings of this lane, while `line` ran.
    fn raise(&mut self, before: Reading, now: Reading, high: u64, line: u32) {
        let Some(call) = self.stack.last_mut() else {
            return;
        };
        let high = high.max(now.rss);
        call.line_high = call.line_high.max(high);
        if high > call.high {
            call.high = high;
            call.peak_at = Some(PeakAt {
                from_ns: before.t_ns.max(call.entry.t_ns),
                to_ns: now.t_ns,
                rss: high,
                line: call.site.line_number(line),
            });
        }
    }

    /// Books what has changed since the innermost call's lines last booked on `line`, its line in
    /// progress. `read`: the last reading was taken just now. Says whether the line began with a
    /// reading of its own.
    fn settle(&mut self, line: u32, read: bool) -> bool {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return false;
        };
        let tally = self.tallies[call.site.id].as_mut();
        // Before the first line nothing of the function has run; what little has changed since the
        // entry is left to the first line, so that the lines add up to the call.
        if line != NO_LINE
            && let Some(tally) = tally.and_then(|tally| tally.lines.get_mut(line as usize))
        {
            tally.time_ns += now.t_ns.saturating_sub(call.settled.t_ns);
            tally.net += signed_difference(now.rss, call.settled.rss);
            tally.peak = tally
                .peak
                .max(call.line_high.saturating_sub(call.settled.rss));
            if read {
                tally.max_rss = tally.max_rss.max(now.rss);
                tally.readings += u64::from(call.line_exact && call.line_hit);
            }
            call.settled = now;
            call.line_high = now.rss;
        }
        call.line_exact
    }

    /// A reading that the sampler did not ask for ends a stretch without readings, at a moment that
    /// has nothing to do with where the time went: the line that stands for the stretch books it.
    fn settle_stretch(&mut self) {
        if let Some(call) = self.stack.last()
            && !call.line_exact
        {
            self.settle(call.stretch_line, false);
        }
    }

    /// The innermost call's next line begins, with a reading of its own if `exact`.
    fn begin_line(&mut self, line: u32, hit: bool, exact: bool) {
        if let Some(call) = self.stack.last_mut() {
            call.line_hit = hit;
            call.line_exact = exact;
            call.stretch_line = line;
        }
    }

    /// The sampler's request met `line`, by chance: it stands for the stretch.
    fn stretch_is_like(&mut self, line: u32) {
        if let Some(call) = self.stack.last_mut() {
            call.stretch_line = line;
        }
    }

    /// Adds an ended call to its site's totals.
    fn book(&mut self, call: &OpenCall) -> Call {
        let now = self.last;
        let outcome = if std::thread::panicking() && !call.panicking_at_entry {
            Outcome::Panicked
        } else {
            Outcome::Returned
        };
        let record = Call {
            start_ns: call.entry.t_ns,
            end_ns: now.t_ns,
            thread: self.thread,
            depth: self.stack.len() as u32,
            by: None,
            outcome,
            entry_rss: call.entry.rss,
            exit_rss: now.rss,
            peak_rss: call.high.max(now.rss) - call.entry.rss,
            net_rss: signed_difference(now.rss, call.entry.rss),
        };
        let tally = self.tally(call.site);
        tally.open = tally.open.saturating_sub(1);
        tally.panics += u64::from(outcome == Outcome::Panicked);
        tally.time_ns += record.end_ns.saturating_sub(record.start_ns);
        tally.net += record.net_rss;
        tally.peak = tally.peak.max(record.peak_rss);
        tally.high = tally.high.max(call.high);
        record
    }

    /// Puts an ended call into its site's book, with its series if no call had a higher peak.
    fn keep(&mut self, ended: Ended) {
        let Ended { mut call, record } = ended;
        let series = call.series.take();
        if !call.entry_exact {
            self.spare.extend(series);
            return;
        }
        let mut calls = call.site.calls();
        let spare = match series {
            Some(series) if calls.beats_best(record.peak_rss) => calls.set_best(Best {
                call: record.clone(),
                peak_at: call.peak_at,
                series,
            }),
            series => series,
        };
        calls.add(record);
        self.spare.extend(spare);
    }

    /// Adds a sample to the calls in progress that have a series: to those whose interval is in
    /// `due`, or with `None` to all.
    fn sample(&mut self, lane: &Lane, t_ns: u64, rss: u64, due: Option<&[u64]>) {
        for at in 0..self.timelines.len() {
            let depth = self.timelines[at];
            let line = lane.line_of(self, depth);
            let call = &mut self.stack[depth];
            if due.is_some_and(|due| !due.contains(&call.site.interval_ns)) {
                continue;
            }
            if let Some(series) = &mut call.series {
                series.push(LinePoint { t_ns, rss, line });
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
    /// A call made by this one's line in progress has ended.
    fn take_over(&mut self, inner: &OpenCall) {
        self.line_high = self.line_high.max(inner.high);
        if inner.high > self.high {
            self.high = inner.high;
            self.peak_at = inner.peak_at.map(|at| PeakAt {
                line: self.site.line_number(self.line),
                ..at
            });
        }
    }

    /// As the best call of its site, if the process ended now.
    pub(crate) fn as_best(&self, record: &Call) -> Option<Best> {
        Some(Best {
            call: record.clone(),
            peak_at: self.peak_at,
            series: self.series.clone()?,
        })
    }
}

fn signed_difference(now: u64, before: u64) -> i64 {
    now.wrapping_sub(before) as i64
}

/// Counts a hit of `line` and switches to it.
#[inline]
pub(crate) fn hit(lane: &Lane, hits: &[AtomicU64], line: u32) {
    count_hit(hits, line);
    lane.switch_line(line, true);
}
