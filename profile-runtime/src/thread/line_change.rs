//! A probe that has more to do than to count its hit: the line before is read and booked.

use super::call_stack::ThreadState;
use super::thread_recorder::{ThreadRecorder, place_of};
use crate::counters::line::LineCounters;
use crate::recording;

impl ThreadRecorder {
    /// The same where there is more to do, or may be: a hit can be the line's turn to be read.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin_line_slow(&self, line: &'static LineCounters, hit: bool) {
        if recording::has_given_up() {
            return;
        }
        let first = hit && line.own_hits() == 1;
        if self.current_line().slow_path() == 0 && !self.counted.is_empty() && !first {
            // CountedCalls calls stay counted for no turn.
            line.measure_after(line.own_hits());
            self.current_line().begin(line);
            return;
        }
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        let due = self.is_due();
        // A line's first hit is read whatever the budget says: most lines that take much run once.
        let first = first && state.is_of_rss();
        let read = due || first;
        if read {
            self.read(state);
        }
        let book_change = self.take_booking_due();
        if first {
            // For the reading at its end.
            self.ask_for_reading();
        }
        let closing = self.line();
        let place = place_of(state.stack.last(), Some(line));
        if state.end_measured_hit() {
            // The stretch goes on, unless lines are read one by one again.
            if self.is_due() {
                state.book_stretch();
                state.begin_line(place, hit, true);
            }
        } else if read || book_change {
            let ran = match due || book_change {
                true => closing,
                false => state.line_of_stretch(closing),
            };
            let was_exact = state.book_change(ran, read);
            state.begin_line(place, hit, read && self.is_due());
            if due && !was_exact {
                state.attribute_stretch_to(closing);
            }
        }
        if hit && line.is_measurement_due() {
            self.measure_this_hit(state, line, place);
        }
        self.current_line().begin(line);
    }

    /// It is the turn of `line`, which begins, to be read, if there is budget for it.
    fn measure_this_hit(&self, state: &mut ThreadState, line: &LineCounters, place: u32) {
        let read_anyway = state.reads_every_line();
        let read = !read_anyway && state.may_measure();
        if read {
            self.read(state);
            state.begin_measured_hit(place);
            // For the reading at its end.
            self.ask_for_reading();
        }
        let now_ns = (read || read_anyway).then_some(state.last.t_ns);
        if let Some(hits) = state.next_measurement(place, now_ns) {
            line.measure_after(hits);
        }
    }
}
