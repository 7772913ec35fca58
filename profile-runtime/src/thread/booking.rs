//! Booking: what changed between two readings is added to the totals of the lines that ran.
//!
//! Every change is booked exactly once, so the lines and groups of a call add up to the call: both are differences
//! between the same readings. Readings are taken elsewhere; here they are only subtracted.
//!
//! ```text
//!   readings:   r0               r1                  r2        r3               r4
//!   lines:      ├─── line 1 ─────┼─ 2 3 4 2 3 4 2 3 ─┼─ hit 2 ─┼─ 3 4 2 3 4 2 ──┤
//!               read by itself     stretch             measured  stretch
//! ```
//!
//! 1. A line that began and ended with a reading books the difference: line 1 books r1 − r0. A measured hit is
//!    such a line, too: line 2 books r3 − r2.
//! 2. What a stretch changed is divided among the lines that ran in it, or belongs to them together
//!    (`stretch.rs`, `line_group.rs`).
//! 3. A closure that ran inside calls of the line has booked on lines of its own. That amount is in
//!    `booked_elsewhere`, and is left out.
//! 4. A reading ends the stretches of all calls in progress. From then on until its callee returns a calling line
//!    is alone. So each stretch is of one call, and only the innermost call has one.
//! 5. What changed before the first reading of a call is booked on its caller's line: the call is *unread* until
//!    then.
//!
//! The time of a stretch is booked on one line: the line that the sampler met, if the sampler asked for the reading
//! that ends it. Such a moment comes by chance, and meets lines in proportion to their time. Otherwise it is the line
//! that the sampler met last (`SiteTotals::met`), if that ran in the stretch, or the first line of the stretch
//! (`OpenCall::time_line`).

use super::call_stack::ThreadState;
use super::line_group::{self, GroupFigures};
use super::open_call::{Kind, OpenCall, difference, risen};
use super::stretch::{Stretch, StretchNotes, Whose};
use super::totals::SiteTotals;
use crate::counters::counts::Counts;
use crate::counters::line::{LineCounters, NO_LINE};
use crate::reading::one_reading::{High, Reading};
use crate::site::figures::LineFigures;
use memprof_model::data;
use memprof_model::run::PeakAt;

/// A line that ends, or goes on without the one that runs: what is to be booked up to the last reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// The line at which the call is.
    pub line: u32,
    /// The line that begins now, whose hit is counted already; `NO_LINE` if none does.
    pub beginning: u32,
    /// Whether the last reading was taken just now.
    pub read: bool,
    /// Whether the sampler asked for that reading, so that the line was met by chance.
    pub by_chance: bool,
    /// What a callee that is in progress on the line has done on the heap so far.
    pub callee_heap: Counts,
}

impl Ending {
    /// The last line of a call ends, or is copied as if it ended. What happened before a call's first line is
    /// booked on that line.
    pub(crate) fn of_call(line: u32, read: bool, by_chance: bool) -> Ending {
        Ending {
            line: if line == NO_LINE { 0 } else { line },
            beginning: NO_LINE,
            read,
            by_chance,
            callee_heap: Counts::default(),
        }
    }
}

impl ThreadState {
    /// The last reading was taken just now, the one before it was `before`, and the peak in between was `high`.
    /// The innermost call is at `line`, and the thread's heap is `heap`. The calls in progress take note, and the
    /// stretches of all but the innermost one end.
    pub(crate) fn note_reading(
        &mut self,
        before: Reading,
        high: High,
        line: u32,
        heap: Option<Counts>,
        by_chance: bool,
    ) {
        self.raise(before, high, line);
        if let Some(innermost) = self.stack.len().checked_sub(1) {
            self.first_reading_of(innermost);
            self.end_outer_stretches(innermost, heap, by_chance);
        }
    }

    /// The peak was `high` since the reading `before`: in the innermost call that was read by then. A call inside
    /// of it began later, and who of them reached that height is not known.
    fn raise(&mut self, before: Reading, high: High, line: u32) {
        let now = self.last;
        let innermost = self.stack.len().wrapping_sub(1);
        let Some(depth) = self.stack.iter().rposition(|call| !call.unread) else {
            return;
        };
        let call = &mut self.stack[depth];
        let high = high.max(now.high());
        call.shared |= now.is_shared();
        call.unsure = call.unsure.saturating_add(now.unsure);
        call.line_high = call.line_high.max(high.own);
        let line = if depth == innermost { line } else { call.line };
        let at = data!(PeakAt {
            from_ns: before.t_ns.max(call.entry.t_ns),
            to_ns: now.t_ns,
            rss: high.rss,
            line: call.site.line_number(line),
        });
        call.raise_peak(high, Some(at));
    }

    /// The calls around the innermost one book what changed up to the last reading. Their lines are alone from now
    /// on, until their callees have returned.
    fn end_outer_stretches(&mut self, innermost: usize, heap: Option<Counts>, by_chance: bool) {
        for depth in (0..innermost).rev() {
            let call = &self.stack[depth];
            if call.kind == Kind::OtherThread {
                continue;
            }
            if call.line_exact && !call.unread {
                // The calls around this one were read when it was.
                break;
            }
            if call.unread {
                self.first_reading_of(depth);
            } else {
                let callee = self.stack[depth + 1].heap_entry;
                let ending = Ending {
                    line: call.line,
                    beginning: NO_LINE,
                    read: true,
                    by_chance,
                    callee_heap: heap.map_or(Counts::default(), |heap| heap.since(callee)),
                };
                self.book_at(depth, ending);
            }
            self.stack[depth].is_alone();
            self.lowest = self.lowest.min(depth + 1);
        }
    }

    /// If the call at `depth` was not read yet, its figures begin with the last reading.
    fn first_reading_of(&mut self, depth: usize) {
        let now = self.last;
        let call = &mut self.stack[depth];
        if !std::mem::take(&mut call.unread) {
            return;
        }
        let before = difference(now.rss, call.booked_until.rss);
        if call.was_suspended() {
            call.past.suspended.net += before;
            // It was not polled in this time, as far as is known: others' part is in what changed meanwhile.
            call.entry.others += now.others - call.booked_until.others;
        } else {
            (call.entry.rss, call.entry.others) = (now.rss, now.others);
        }
        call.entry.other_threads = now.other_threads;
        // Its time counts from the reading before: that reading met it by chance, and stands for all calls that
        // no reading met.
        call.booked_until = now.at(call.booked_until.t_ns);
        let since_ns = std::mem::replace(&mut call.stint, now).t_ns;
        (call.line_high, call.high) = (now.own(), now.high());
        if let Some(around) = call.around
            && let Some(outer) = self.stack.get_mut(around as usize)
        {
            outer.booked_elsewhere.time_ns += now.t_ns.saturating_sub(since_ns);
            self.lowest = self.lowest.min(around as usize + 1);
        }
        self.lowest = self.lowest.min(depth + 1);
    }

    /// Books what has changed since the innermost call's lines last booked. Says whether the call's current line
    /// began with a reading of its own.
    pub(crate) fn book_change(&mut self, ending: Ending) -> bool {
        let Some(innermost) = self.stack.len().checked_sub(1) else {
            return false;
        };
        self.book_at(innermost, ending);
        self.stack[innermost].line_exact
    }

    /// The innermost call's line is interrupted by a callee or closure that begins with the last reading, taken just
    /// now: its stretch ends there.
    pub(crate) fn end_stretch(&mut self, line: u32, by_chance: bool) {
        let Some(innermost) = self.stack.len().checked_sub(1) else {
            return;
        };
        if !self.stack[innermost].line_exact {
            let ending = Ending {
                line,
                beginning: NO_LINE,
                read: true,
                by_chance,
                callee_heap: Counts::default(),
            };
            self.book_at(innermost, ending);
            self.stack[innermost].is_alone();
        }
    }

    fn book_at(&mut self, depth: usize, ending: Ending) {
        let now = self.last;
        let call = &mut self.stack[depth];
        // Before the first line nothing of the function has run. The little that has changed since the entry is
        // left to the first line, so that the lines add up to the call.
        if ending.line != NO_LINE
            && let Some(totals) = self.totals[call.site.id].as_mut()
        {
            let booked_elsewhere = std::mem::take(&mut call.booked_elsewhere);
            let time_ns = now.t_ns.saturating_sub(call.booked_until.t_ns);
            let time_ns = time_ns.saturating_sub(booked_elsewhere.time_ns);
            let time_line = call.line_of_time(totals, &self.stretch, ending);
            if call.kind == Kind::OtherThread {
                totals.worker_time(time_line, time_ns);
            } else {
                call.add(totals, time_line as usize, time(time_ns));
                let net = now.own() - call.booked_until.own() - booked_elsewhere.net;
                let rise = call.line_high - call.booked_until.own();
                let change = LineFigures {
                    net,
                    peak: risen(rise.max(net)),
                    ..LineFigures::default()
                };
                if call.line_exact {
                    call.add(totals, ending.line as usize, change);
                } else if (change.net, change.peak) != (0, 0) {
                    call.divide(totals, &mut self.stretch, change, ending);
                    if now.is_shared() {
                        mark_shared(totals, &self.stretch, ending.line);
                    }
                }
                call.book_reading(totals, now, net, ending);
            }
            call.booked_until = now;
            call.line_high = now.own();
        }
    }

    /// Whether readings for the innermost call read RSS: for a closure on another thread only the clock is
    /// read.
    pub(crate) fn is_of_rss(&self) -> bool {
        let innermost = self.stack.last();
        innermost.is_some_and(|call| call.kind != Kind::OtherThread)
    }

    /// Whether the `calls` outermost things on the stack are closures of other threads' calls: what begins inside of these
    /// is an outermost call, whose RSS nobody else has.
    pub(crate) fn is_outside(&self, calls: usize) -> bool {
        let mut outer = self.stack.iter().take(calls);
        outer.all(|call| call.kind == Kind::OtherThread)
    }

    /// Whether a hit of the innermost call's line may be measured now.
    pub(crate) fn may_measure(&self) -> bool {
        self.budget.may_read() && self.is_of_rss()
    }

    /// Whether the innermost call's current line began with a reading of its own.
    pub(crate) fn reads_every_line(&self) -> bool {
        self.stack.last().is_some_and(|call| call.line_exact)
    }

    /// Says whether the hit that begins is a measured one.
    pub(crate) fn measure(&mut self, measured: bool) {
        if let Some(call) = self.stack.last_mut() {
            call.measured = measured;
        }
    }

    /// Whether the innermost call's line is a measured hit, which ends now.
    pub(crate) fn take_measured(&mut self) -> bool {
        let call = self.stack.last_mut();
        call.is_some_and(|call| std::mem::take(&mut call.measured))
    }

    /// After how many hits the innermost call's line at `place` is measured next. `now_ns`: it is measured
    /// now; `None` if it could not be.
    pub(crate) fn next_measurement(&mut self, place: u32, now_ns: Option<u64>) -> Option<u64> {
        let call = self.stack.last()?;
        let totals = self.totals[call.site.id].as_mut()?;
        Some(totals.lines.get_mut(place as usize)?.schedule.next(now_ns))
    }

    /// The innermost call begins or goes on with the last reading, and the next line will not be read by itself.
    pub(crate) fn begin_stretch(&mut self) {
        if let Some(call) = self.stack.last_mut() {
            call.line_exact = false;
            call.note_stretch(&mut self.stretch, NO_LINE);
        }
    }

    /// The innermost call's next line begins, with a reading of its own if `exact`. Otherwise a stretch begins, in
    /// which `since` ran, too: the line at which the call was at the last reading.
    pub(crate) fn begin_line(&mut self, line: u32, hit: bool, exact: bool, since: u32) {
        let Some(call) = self.stack.last_mut() else {
            return;
        };
        call.line_hit = hit;
        call.line_exact = exact;
        call.stretch_first = since;
        if !exact {
            call.note_stretch(&mut self.stretch, line);
        }
    }

    /// The time of what follows is booked on `line`, until the sampler meets another one.
    pub(crate) fn attribute_time_to(&mut self, line: u32) {
        if let Some(call) = self.stack.last_mut() {
            call.time_line = line;
        }
    }
}

impl OpenCall {
    /// A reading ended the stretch, and a callee is in progress: until the callee returns, only this line runs.
    fn is_alone(&mut self) {
        self.line_exact = true;
        self.line_hit = false;
    }

    /// A stretch begins. The newest hit of the line `beginning` is of it.
    fn note_stretch(&self, notes: &mut StretchNotes, beginning: u32) {
        // A closure of another thread's call has time alone, and what a call does before its first reading is its
        // caller's: around both a stretch may go on.
        if self.kind != Kind::OtherThread && !self.unread {
            notes.begin(self.site, self.counters, beginning);
        }
    }

    /// The line that books the time up to the last reading.
    fn line_of_time(&self, totals: &mut SiteTotals, notes: &StretchNotes, ending: Ending) -> u32 {
        if self.line_exact {
            return ending.line;
        }
        let is_worker = self.kind == Kind::OtherThread;
        if ending.by_chance {
            totals.met = if is_worker { NO_LINE } else { ending.line };
            return ending.line;
        }
        let met = totals.met;
        let first = match self.time_line {
            NO_LINE => ending.line,
            line => line,
        };
        let has_run = || notes.has_run(self.site.id, self.counters, met, ending.beginning);
        if !is_worker && has_run() { met } else { first }
    }

    /// Adds `change` to the line at this place.
    fn add(&mut self, totals: &mut SiteTotals, place: usize, change: LineFigures) {
        if let Some(line) = totals.lines.get_mut(place) {
            line.time_ns += change.time_ns;
            line.net += change.net;
            line.peak = line.peak.max(change.peak);
        }
        if let Some(details) = &mut self.details {
            details.add_change(place, change, self.line_exact);
        }
    }

    /// Books what a stretch changed: on the lines whose it is, and the rest on their group.
    fn divide(
        &mut self,
        totals: &mut SiteTotals,
        notes: &mut StretchNotes,
        change: LineFigures,
        ending: Ending,
    ) {
        let stretch = Stretch {
            first: self.stretch_first,
            last: ending.line,
            beginning: ending.beginning,
            callee_heap: ending.callee_heap,
        };
        match notes.divide(&totals.lines, self.counters, change.net, stretch) {
            Whose::Line(place) => self.add(totals, place, change),
            Whose::Lines { left } => self.add_parts(totals, notes, change, left),
        }
    }

    /// Books a stretch that several lines share: each line's part, and `left` bytes on their group.
    fn add_parts(
        &mut self,
        totals: &mut SiteTotals,
        notes: &mut StretchNotes,
        change: LineFigures,
        left: i64,
    ) {
        for place in 0..totals.lines.len() {
            let net = notes.part(place, change.net);
            if net != 0 {
                let part = LineFigures {
                    net,
                    peak: risen(net),
                    ..LineFigures::default()
                };
                self.add(totals, place, part);
            }
        }
        if let Some(details) = &mut self.details {
            details.partly_measured = true;
        }
        let passing = change.peak > risen(change.net);
        if left != 0 || passing {
            let groups = totals.groups_made_of(&mut notes.spare_groups);
            let figures = GroupFigures {
                net: left,
                peak: change.peak,
                readings: 1,
            };
            line_group::add(groups, |place| notes.ran(place), figures);
        }
    }

    /// The line at which a booking ends takes note of the reading, and learns from it if it was alone.
    fn book_reading(&self, totals: &mut SiteTotals, now: Reading, net: i64, ending: Ending) {
        let Some(line) = totals.lines.get_mut(ending.line as usize) else {
            return;
        };
        let others = now.other_threads.since(self.booked_until.other_threads);
        line.other_threads = line.other_threads.plus(others);
        line.shared += u64::from(now.is_shared());
        if !ending.read {
            return;
        }
        line.max_rss = line.max_rss.max(now.rss);
        if self.line_exact && self.line_hit {
            line.readings += 1;
            let counters = self.counters.line(ending.line as usize);
            let hits = counters.map_or(0, LineCounters::hits);
            let newest = u64::from(ending.beginning == ending.line);
            line.schedule.learn(hits - newest.min(hits), net);
        }
    }
}

/// What lines got of the last stretch is an estimate. The line at which it ends takes note by itself
/// ([`OpenCall::book_reading`]).
fn mark_shared(totals: &mut SiteTotals, notes: &StretchNotes, ending: u32) {
    let lines = totals.lines.iter_mut().enumerate();
    let ran = lines.filter(|(place, _)| *place != ending as usize && notes.ran(*place));
    ran.for_each(|(_, line)| line.shared += 1);
}

/// Time alone.
fn time(time_ns: u64) -> LineFigures {
    LineFigures {
        time_ns,
        ..LineFigures::default()
    }
}
