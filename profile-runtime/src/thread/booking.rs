//! Booking: what changed between two readings is added to the totals of the line that ran.
//!
//! Every change is booked exactly once, so the lines of a call add up to the call: both are differences
//! between the same readings. Readings are taken elsewhere; here they are only subtracted.
//!
//! ```text
//!   readings:   r0               r1                  r2        r3               r4
//!   lines:      ├─── line 1 ─────┼─ 2 3 4 2 3 4 2 3 ─┼─ hit 2 ─┼─ 3 4 2 3 4 2 ──┤
//!               read by itself     stretch             measured  the stretch goes on
//! ```
//!
//! 1. A line that began and ended with a reading books the difference: line 1 books r1 − r0.
//! 2. A measured hit inside a stretch books its own difference: line 2 books r3 − r2. That amount goes into
//!    `booked_elsewhere`, so that the stretch does not book it again.
//! 3. At its end the stretch books the rest, (r4 − r1) − (r3 − r2): the time on one line, RSS on the lines
//!    that change it by experience (`stretch.rs`).
//! 4. A closure that ran inside calls of the line has booked on lines of its own. That amount goes into
//!    `booked_elsewhere`, too.
//!
//! The line that books the time of a stretch is the one that the sampler met, if the sampler asked for the
//! reading that ends it: a moment by chance, that meets lines in proportion to their time. Otherwise it is
//! the line that the sampler met last, or the first line of the stretch (`OpenCall::stretch_line`).

use super::call_stack::ThreadState;
use super::open_call::{Change, Kind, OpenCall, difference};
use super::stretch::{self, MeasuredHit};
use super::totals::LineTotals;
use crate::counters::line::{LineCounters, NO_LINE};
use crate::reading::one_reading::Reading;
use crate::site::figures::LineFigures;
use memprof_model::data;
use memprof_model::run::PeakAt;

impl ThreadState {
    /// RSS was up to `high` between the reading `before` and the last one, while `line` ran.
    pub(crate) fn raise(&mut self, before: Reading, high: u64, line: u32) {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return;
        };
        let high = high.max(now.rss);
        call.shared |= now.shared;
        call.changed_by_others = call.changed_by_others.saturating_add(now.changed_by_others);
        call.line_high = call.line_high.max(high);
        let at = data!(PeakAt {
            from_ns: before.t_ns.max(call.entry.t_ns),
            to_ns: now.t_ns,
            rss: high,
            line: call.site.line_number(line),
        });
        call.raise_peak(high, Some(at));
    }

    /// Books on `line` what has changed since the innermost call's lines last booked. `read`: the last
    /// reading was taken just now. Says whether the call's current line began with a reading of its own.
    pub(crate) fn book_change(&mut self, line: u32, read: bool) -> bool {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return false;
        };
        // Before the first line nothing of the function has run. The little that has changed since the
        // entry is left to the first line, so that the lines add up to the call.
        if line != NO_LINE
            && let Some(totals) = self.totals[call.site.id].as_mut()
        {
            let booked_elsewhere = std::mem::take(&mut call.booked_elsewhere);
            let time_ns = now.t_ns.saturating_sub(call.booked_until.t_ns);
            let time_ns = time_ns.saturating_sub(booked_elsewhere.time_ns);
            if call.kind == Kind::OtherThread {
                totals.worker_time(line, time_ns);
            } else {
                let net = difference(now.rss, call.booked_until.rss) - booked_elsewhere.net;
                let change = LineFigures {
                    net,
                    peak: (call.line_high.saturating_sub(call.booked_until.rss))
                        .max(u64::try_from(net).unwrap_or(0)),
                    time_ns,
                    ..LineFigures::default()
                };
                let line = line as usize;
                if call.line_exact {
                    call.book(&mut totals.lines, line, change);
                } else {
                    call.book_stretch_change(&mut totals.lines, line, change);
                }
                if let Some(totals) = totals.lines.get_mut(line) {
                    totals.other_threads = totals
                        .other_threads
                        .plus(now.other_threads.since(call.booked_until.other_threads));
                    totals.shared += u64::from(now.shared);
                    if read {
                        totals.max_rss = totals.max_rss.max(now.rss);
                    }
                    if read && call.line_exact && call.line_hit {
                        totals.readings += 1;
                        let hits = call.counters.line(line).map_or(0, LineCounters::hits);
                        totals.schedule.learn_all(hits, net);
                    }
                }
            }
            call.booked_until = now;
            call.line_high = now.rss;
        }
        call.line_exact
    }

    /// [`ThreadState::book_change`] where the innermost call ends, or is copied as if it ended. A call that
    /// has not reached a line books on its first one, so that the lines add up to the call.
    pub(crate) fn book_last_line(&mut self, line: u32, read: bool) {
        self.book_change(if line == NO_LINE { 0 } else { line }, read);
    }

    /// Whether readings for the innermost call read RSS: for a closure on another thread only the clock is
    /// read.
    pub(crate) fn is_of_rss(&self) -> bool {
        let innermost = self.stack.last();
        innermost.is_some_and(|call| call.kind != Kind::OtherThread)
    }

    /// Whether a hit of the innermost call's line may be measured now.
    pub(crate) fn may_measure(&self) -> bool {
        self.budget.may_read() && self.is_of_rss()
    }

    /// Whether the innermost call's current line began with a reading of its own.
    pub(crate) fn reads_every_line(&self) -> bool {
        self.stack.last().is_some_and(|call| call.line_exact)
    }

    /// A measured hit of the innermost call's line at `place` begins with the last reading.
    pub(crate) fn begin_measured_hit(&mut self, place: u32) {
        let from = self.last;
        if let Some(call) = self.stack.last_mut() {
            let measured_hit = MeasuredHit {
                line: place,
                from,
                high_before: std::mem::replace(&mut call.line_high, from.rss),
            };
            call.measured_hit = Some((measured_hit, std::mem::take(&mut call.booked_elsewhere)));
        }
    }

    /// The measured hit in progress ends with the last reading: its line books what changed, and the stretch
    /// around it does not. Says whether a measured hit was in progress.
    pub(crate) fn end_measured_hit(&mut self) -> bool {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return false;
        };
        let Some((measured_hit, before)) = call.measured_hit.take() else {
            return false;
        };
        let whole = Change {
            time_ns: now.t_ns.saturating_sub(measured_hit.from.t_ns),
            net: difference(now.rss, measured_hit.from.rss),
        };
        let inner = std::mem::replace(&mut call.booked_elsewhere, before);
        call.booked_elsewhere.time_ns += whole.time_ns;
        call.booked_elsewhere.net += whole.net;
        let net = whole.net - inner.net;
        let high = std::mem::replace(&mut call.line_high, measured_hit.high_before.max(now.rss));
        let peak = high.saturating_sub(measured_hit.from.rss);
        let change = LineFigures {
            net,
            peak: peak.max(u64::try_from(net).unwrap_or(0)),
            time_ns: whole.time_ns.saturating_sub(inner.time_ns),
            ..LineFigures::default()
        };
        if let Some(totals) = self.totals[call.site.id].as_mut() {
            call.book(&mut totals.lines, measured_hit.line as usize, change);
            if let Some(totals) = totals.lines.get_mut(measured_hit.line as usize) {
                totals.max_rss = totals.max_rss.max(now.rss);
                totals.readings += 1;
                totals.schedule.learn_one(net);
            }
        }
        true
    }

    /// The measured hit makes a call. Its own cost can no longer be separated from the callee's, so the
    /// measurement is dropped and the stretch continues.
    pub(crate) fn discard_measured_hit(&mut self) {
        if let Some(call) = self.stack.last_mut()
            && let Some((measured_hit, before)) = call.measured_hit.take()
        {
            call.booked_elsewhere.time_ns += before.time_ns;
            call.booked_elsewhere.net += before.net;
            call.line_high = call.line_high.max(measured_hit.high_before);
        }
    }

    /// After how many hits the innermost call's line at `place` is measured next. `now_ns`: it is measured
    /// now; `None` if it could not be.
    pub(crate) fn next_measurement(&mut self, place: u32, now_ns: Option<u64>) -> Option<u64> {
        let call = self.stack.last()?;
        let totals = self.totals[call.site.id].as_mut()?;
        Some(totals.lines.get_mut(place as usize)?.schedule.next(now_ns))
    }

    /// A reading that the sampler did not ask for ends a stretch. The line that runs at such a moment says
    /// nothing about where the time went, so the line that stands for the stretch books.
    pub(crate) fn book_stretch(&mut self) {
        if let Some(call) = self.stack.last()
            && !call.line_exact
        {
            self.book_change(call.stretch_line, false);
        }
    }

    /// The line that books what changed up to a reading that was taken for the line after `closing`.
    pub(crate) fn line_of_stretch(&self, closing: u32) -> u32 {
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

    /// The sampler's request met `line`, by chance: that line stands for the stretch that begins.
    pub(crate) fn attribute_stretch_to(&mut self, line: u32) {
        if let Some(call) = self.stack.last_mut() {
            call.stretch_line = line;
        }
    }
}

impl OpenCall {
    /// Books `change` on the line at this place.
    pub(super) fn book(&mut self, lines: &mut [LineTotals], place: usize, change: LineFigures) {
        if let Some(totals) = lines.get_mut(place) {
            totals.time_ns += change.time_ns;
            totals.net += change.net;
            totals.peak = totals.peak.max(change.peak);
        }
        if let Some(details) = &mut self.details {
            details.add_change(place, change, self.line_exact);
        }
    }

    /// Books what changed in a stretch: the time on the line at this place, and RSS on the lines that change
    /// it by experience. If there are no such lines, RSS goes to the line at this place, too.
    pub(super) fn book_stretch_change(
        &mut self,
        lines: &mut [LineTotals],
        place: usize,
        change: LineFigures,
    ) {
        let details = &mut self.details;
        let split = stretch::apportion(
            lines,
            self.counters,
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
                if let Some(details) = details {
                    details.add_change(place, part, false);
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
}
