//! Booking: what changed between two readings goes to the line that ran.
//!
//! Everything here works on readings that were taken elsewhere. A change between two readings is
//! booked once; a call's totals are the sum over its lines, because both are differences between the same
//! readings.

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
    /// The RSS was up to `high` between two readings of this recorder, while `line` ran.
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

    /// Books what has changed since the innermost call's lines last booked on `line`, its line in
    /// progress. `read`: the last reading was taken just now. Says whether the line began with a
    /// reading of its own.
    pub(crate) fn book_change(&mut self, line: u32, read: bool) -> bool {
        let now = self.last;
        let Some(call) = self.stack.last_mut() else {
            return false;
        };
        // Before the first line nothing of the function has run; what spare_short has changed since the
        // entry is left to the first line, so that the lines add up to the call.
        if line != NO_LINE
            && let Some(totals) = self.totals[call.site.id].as_mut()
        {
            let parts = std::mem::take(&mut call.parts);
            let time_ns = now.t_ns.saturating_sub(call.booked_until.t_ns);
            let time_ns = time_ns.saturating_sub(parts.time_ns);
            if call.kind == Kind::OtherThread {
                totals.worker_time(line, time_ns);
            } else {
                let net = difference(now.rss, call.booked_until.rss) - parts.net;
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
                    totals.others = totals
                        .others
                        .plus(now.others.since(call.booked_until.others));
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

    /// The same where the innermost call ends, or is looked at as if it did: without a line so far its first one
    /// books, so that the lines add up to the call.
    pub(crate) fn book_last_line(&mut self, line: u32, read: bool) {
        self.book_change(if line == NO_LINE { 0 } else { line }, read);
    }

    /// Whether RSS is read on the innermost call's behalf: on a worker's only the clock is.
    pub(crate) fn is_of_rss(&self) -> bool {
        let innermost = self.stack.last();
        innermost.is_some_and(|call| call.kind != Kind::OtherThread)
    }

    /// Whether the innermost line can have its turn to be read.
    pub(crate) fn may_measure(&self) -> bool {
        self.budget.may_read() && self.is_of_rss()
    }

    /// Whether the innermost call's line in progress began with a reading of its own.
    pub(crate) fn reads_every_line(&self) -> bool {
        self.stack.last().is_some_and(|call| call.line_exact)
    }

    /// The innermost call's line at `place` has its turn, from the last reading on.
    pub(crate) fn begin_measured_hit(&mut self, place: u32) {
        let from = self.last;
        if let Some(call) = self.stack.last_mut() {
            let turn = MeasuredHit {
                line: place,
                from,
                high_before: std::mem::replace(&mut call.line_high, from.rss),
            };
            call.turn = Some((turn, std::mem::take(&mut call.parts)));
        }
    }

    /// The turn in progress ends with the last reading: its line books what changed, and the stretch
    /// around it does not. Says whether there was one.
    pub(crate) fn end_measured_hit(&mut self) -> bool {
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
        if let Some(totals) = self.totals[call.site.id].as_mut() {
            call.book(&mut totals.lines, turn.line as usize, change);
            if let Some(totals) = totals.lines.get_mut(turn.line as usize) {
                totals.max_rss = totals.max_rss.max(now.rss);
                totals.readings += 1;
                totals.schedule.learn_one(net);
            }
        }
        true
    }

    /// Something begins inside of the line that has its turn: what a hit of it does is not to be told from
    /// what happens there, and the stretch goes on as if nothing had been read.
    pub(crate) fn discard_measured_hit(&mut self) {
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
    pub(crate) fn next_measurement(&mut self, place: u32, now_ns: Option<u64>) -> Option<u64> {
        let call = self.stack.last()?;
        let totals = self.totals[call.site.id].as_mut()?;
        Some(totals.lines.get_mut(place as usize)?.schedule.next(now_ns))
    }

    /// A reading that the sampler did not ask for ends a stretch without readings, at a moment that
    /// has nothing to do with where the time went: the line that stands for the stretch books it.
    pub(crate) fn book_stretch(&mut self) {
        if let Some(call) = self.stack.last()
            && !call.line_exact
        {
            self.book_change(call.stretch_line, false);
        }
    }

    /// The line that books what changed until a reading that was taken for what comes after `closing`.
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

    /// The sampler's request met `line`, by chance: it stands for the stretch.
    pub(crate) fn attribute_stretch_to(&mut self, line: u32) {
        if let Some(call) = self.stack.last_mut() {
            call.stretch_line = line;
        }
    }
}

impl OpenCall {
    /// Books a change on the line at this place.
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

    /// Books what changed in a stretch without readings: on the line at this place, but RSS on the lines
    /// that it comes from by experience, if there are such.
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
