//! A probe that has more to do than to count its hit: the line before is read and booked.

use super::call_stack::Log;
use super::thread_recorder::{Lane, place_of};
use crate::counters::line::LineCells;
use crate::recording;

impl Lane {
    /// The same where there is more to do, or may be: a hit can be the line's turn to be read.
    #[cold]
    #[inline(never)]
    pub(crate) fn switch_line_with_attention(&self, line: &'static LineCells, hit: bool) {
        if recording::has_given_up() {
            return;
        }
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
            self.read(log);
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
            self.take_turn(log, line, place);
        }
        self.hot().begin(line);
    }

    /// It is the turn of `line`, which begins, to be read, if there is budget for it.
    fn take_turn(&self, log: &mut Log, line: &LineCells, place: u32) {
        let read_anyway = log.reads_every_line();
        let read = !read_anyway && log.may_take_turns();
        if read {
            self.read(log);
            log.begin_turn(place);
            // For the reading at its end.
            self.ask_for_reading();
        }
        let now_ns = (read || read_anyway).then_some(log.last.t_ns);
        if let Some(hits) = log.next_turn(place, now_ns) {
            line.set_turn(hits);
        }
    }
}
