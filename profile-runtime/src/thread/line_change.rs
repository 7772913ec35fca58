//! The slow path of a probe: takes a reading if one is due, and books what changed on the line before.
//!
//! ```text
//!   line 3 ──────────────┤probe├── line 4 ─────
//!                         │
//!                         ├ reading (if due, or at the line's first hit on this thread)
//!                         ├ book the change on line 3, or on the line that stands for the stretch
//!                         └ measure this hit of line 4? then a reading here, and one at its end
//! ```

use super::call_stack::ThreadState;
use super::thread_recorder::{ThreadRecorder, place_of};
use crate::counters::line::LineCounters;
use crate::recording;

impl ThreadRecorder {
    /// Makes `line` the current line, with whatever is due: a reading, a booking, or the measuring of this
    /// hit.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin_line_slow(&self, line: &'static LineCounters, hit: bool) {
        if recording::has_given_up() {
            return;
        }
        let first = hit && line.own_hits() == 1;
        if self.current_line().slow_path() == 0 && !self.counted.is_empty() && !first {
            // The hit is due to be measured, and the call is only counted: counted calls do not become
            // measured for that, so the measurement waits for as many hits as there were so far.
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
        let booking_due = self.take_booking_due();
        if first {
            // The next probe takes the reading at the end of this hit.
            self.ask_for_reading();
        }
        let closing = self.line();
        let place = place_of(state.stack.last(), Some(line));
        if state.end_measured_hit() {
            // The stretch around the measured hit goes on, unless lines are read one by one again.
            if self.is_due() {
                state.book_stretch();
                state.begin_line(place, hit, true);
            }
        } else if read || booking_due {
            let ran = match due || booking_due {
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

    /// This hit of `line`, which begins, is due to be measured: takes a reading if the budget allows it, and
    /// sets which hit is due next.
    fn measure_this_hit(&self, state: &mut ThreadState, line: &LineCounters, place: u32) {
        let read_anyway = state.reads_every_line();
        let read = !read_anyway && state.may_measure();
        if read {
            self.read(state);
            state.begin_measured_hit(place);
            // The next probe takes the reading at the end of this hit.
            self.ask_for_reading();
        }
        let now_ns = (read || read_anyway).then_some(state.last.t_ns);
        if let Some(hits) = state.next_measurement(place, now_ns) {
            line.measure_after(hits);
        }
    }
}
