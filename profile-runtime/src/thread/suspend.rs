//! Suspending and resuming the call of a future. A suspended call leaves its thread's stack and goes on later,
//! perhaps on another thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::call_stack::ThreadState;
use super::open_call::{Kind, OpenCall, Past};
use super::thread_recorder::ThreadRecorder;
use crate::counters::counts::Counts;
use crate::counters::line::NO_LINE;
use crate::heap;
use crate::reading::one_reading::LinePoint;
use crate::recording;
use memprof_model::run::{Outcome, Series};

/// The number of the next call that is suspended for the first time.
static SUSPENDED: AtomicU64 = AtomicU64::new(1);

impl ThreadRecorder {
    /// Takes the call at `depth` off the stack until it is resumed. Calls that leaked frames left above it
    /// are closed.
    pub(crate) fn suspend(&self, depth: u32) -> Option<OpenCall> {
        if recording::has_given_up() {
            return None;
        }
        let call = self.suspend_at(depth);
        self.instruments.spare_moment.come();
        call
    }

    fn suspend_at(&self, depth: u32) -> Option<OpenCall> {
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        self.close_above(state, depth as usize)?;
        let heap = self.pause(state);
        self.read_at_end(state);
        let call = heap::without_counting(|| state.suspend(self.line(), heap))?;
        call.counters.count_leaving();
        self.go_back_to_caller(state, &call, heap);
        Some(call)
    }

    /// Puts a suspended call on the stack of this thread, and gives its depth.
    pub(crate) fn resume(&self, call: OpenCall) -> u32 {
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        let heap = self.pause(state);
        let asked = self.take_call_due(state, call.site);
        let forced = asked || call.entry_exact;
        let with_series = call.series.is_none() && (forced || self.is_due());
        heap::without_counting(|| state.make_room(call.site, Kind::Call, with_series));
        let exact = self.read_at_entry(state, Kind::Call, forced, asked);
        self.leave_caller(state);
        state.resume(call, exact, heap);
        if asked {
            self.ask_inside(state);
        }
        self.begin_innermost(state, heap, exact)
    }

    /// Takes back a series that a suspended call does without.
    pub(crate) fn take_back(&self, series: Series<LinePoint>) {
        let mut state = self.state();
        heap::without_counting(|| state.spare(Some(series)));
    }
}

impl ThreadState {
    /// Takes the innermost call, at `line`, off the stack: it is suspended. What it has done so far moves into
    /// its `past`, and is in the totals of its site from now on.
    pub(crate) fn suspend(&mut self, line: u32, heap: Counts) -> Option<OpenCall> {
        let mut call = self.pop()?;
        call.suspend_details();
        call.line = line;
        if let Some(series) = &mut call.series {
            // Until it goes on no line of it runs.
            series.push(self.last.point(NO_LINE));
        }
        let record = call.record(self.last, self.thread, 0, Outcome::Running);
        self.book_call(&call, &record);
        // First, because it adds what earlier stretches kept to the peak of this one.
        let heap_peak = call.heap_peak();
        call.past = Past {
            number: match call.past.number {
                0 => SUSPENDED.fetch_add(1, Relaxed),
                number => number,
            },
            thread: self.thread,
            suspended_at: self.last,
            suspended: call.past.suspended,
            done: call.done(self.last),
            peak: record.peak_rss,
            heap: call.past.heap.plus(heap.since(call.heap_entry)),
            heap_peak,
            heap_self: heap.live().wrapping_sub(call.heap_self_start),
            heap_line: heap.live().wrapping_sub(call.heap_line_start),
        };
        Some(call)
    }

    /// A suspended call goes on with the last reading. `exact`: that reading was taken just now.
    pub(crate) fn resume(&mut self, mut call: OpenCall, exact: bool, heap: Counts) {
        // The call may have been suspended by another thread, with a later reading than this thread's last.
        // What happened before that reading is booked already.
        self.last = self
            .last
            .at(self.last.t_ns.max(call.past.suspended_at.t_ns));
        let now = self.last;
        // From here on this thread knows what others did. What they did before stays in the difference.
        call.entry.others += now.others - call.past.suspended_at.others;
        call.past.end_suspension(now);
        call.entry.other_threads = now.other_threads;
        call.booked_until = now;
        call.line_hit = false;
        call.line_exact = exact;
        call.unread = !exact;
        call.asked = false;
        call.measured = false;
        call.stretch_first = call.line;
        call.time_line = call.line;
        call.stint = now;
        call.line_high = now.own();
        call.high = now.high();
        call.heap_entry = heap;
        call.heap_high = heap.live();
        call.heap_line_start = heap.live().wrapping_sub(call.past.heap_line);
        call.heap_self_start = heap.live().wrapping_sub(call.past.heap_self);
        let timed = self.is_timed(call.site, Kind::Call);
        call.around = self.become_innermost(call.site, Kind::Call);
        let totals = self.totals(call.site);
        call.counters = totals.counters;
        call.counters.count_coming_back();
        if let Some(details) = &mut call.details {
            details.resume(call.counters, &mut totals.lines);
        }
        self.stack.push(call);
        self.begin_timeline(timed, exact);
    }
}
