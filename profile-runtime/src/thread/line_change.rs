//! The slow path of a probe: takes a reading if one is due, and books what changed on the line before.
//!
//! ```text
//!   line 3 ──────────────┤probe├── line 4 ─────
//!                         │
//!                         ├ reading (if due, or at the line's first hit on this thread)
//!                         ├ book the change on line 3, or on the line that stands for the stretch
//!                         └ measure this hit of line 4? then a reading here, and one at its end
//! ```

use super::booking::Ending;
use super::call_stack::ThreadState;
use super::own_tick::MOST_HITS;
use super::thread_recorder::{ThreadRecorder, place_of};
use crate::counters::counts::Counts;
use crate::counters::line::LineCounters;
use crate::heap;
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
        if heap::must_not_allocate() {
            self.current_line().begin(line);
            return;
        }
        self.instruments.spare_moment.come();
        self.look_at_a_line();
        let first = hit && line.own_hits() == 1;
        if self.current_line().slow_path() == 0 && !self.counted.is_empty() && !first {
            // The hit is due to be measured, and the call is only counted: counted calls do not become
            // measured for that, so the measurement waits for as many hits as there were so far.
            line.measure_after(self.wait_of_counted(line));
            self.current_line().begin(line);
            return;
        }
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        let due = self.is_due();
        // A line's first hit is read whatever the budget says: most lines that take much run once.
        let first = first && state.is_of_rss();
        let mut read = due || first;
        if read {
            self.read(state);
        }
        let measured = hit && line.is_measurement_due() && !self.is_due() && state.may_measure();
        if measured && !read {
            self.read(state);
            read = true;
        }
        let booking_due = self.take_booking_due();
        if first || measured {
            // The next probe takes the reading at the end of this hit.
            self.ask_for_reading();
        }
        let place = place_of(state.stack.last(), Some(line));
        if read || booking_due {
            self.change_line(
                state,
                place,
                hit,
                Reason {
                    read,
                    due,
                    booking_due,
                    measured,
                },
            );
        }
        state.measure(first || measured);
        if hit && line.is_measurement_due() {
            let now_ns = state.reads_every_line().then_some(state.last.t_ns);
            if let Some(hits) = state.next_measurement(place, now_ns) {
                line.measure_after(hits);
            }
        }
        self.current_line().begin(line);
    }

    /// Where there is no sampler to ask the innermost call for a reading, asks at its line if it is time.
    fn look_at_a_line(&self) {
        if self.instruments.sampler.is_missing()
            && let Some((site, _, _)) = self.innermost()
        {
            self.ask_if_time_has_passed(&self.state(), site);
        }
    }

    /// So many hits of a line in a counted call its measurement waits.
    fn wait_of_counted(&self, line: &LineCounters) -> u64 {
        match self.instruments.sampler.is_missing() {
            true => line.own_hits().min(MOST_HITS),
            false => line.own_hits(),
        }
    }

    /// The line before books what changed up to the last reading, and the line at `place` begins.
    fn change_line(&self, state: &mut ThreadState, place: u32, hit: bool, reason: Reason) {
        let closing = self.line();
        let was_measured = state.take_measured();
        let by_chance = reason.due && !was_measured;
        let was_exact = state.book_change(Ending {
            line: closing,
            beginning: place,
            read: reason.read,
            by_chance: by_chance || reason.booking_due,
            callee_heap: Counts::default(),
        });
        // Without a reading the line before has run since the last one.
        let since = if reason.read { place } else { closing };
        state.begin_line(place, hit, reason.read && self.is_due(), since);
        if by_chance && !was_exact {
            state.attribute_time_to(closing);
        } else if !was_measured && !reason.measured {
            state.attribute_time_to(place);
        }
    }
}

/// Why a line books.
#[derive(Debug, Clone, Copy)]
struct Reason {
    /// A reading was taken just now.
    read: bool,
    /// Somebody asked for that reading.
    due: bool,
    /// A callee took readings.
    booking_due: bool,
    /// The hit that begins is to be measured.
    measured: bool,
}
