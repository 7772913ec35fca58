//! Suspending and resuming the call of a future. A suspended call leaves its thread's stack and goes on later,
//! perhaps on another thread.

use super::call_stack::ThreadState;
use super::open_call::{Kind, OpenCall, difference};
use super::thread_recorder::ThreadRecorder;
use crate::counters::counts::Counts;
use crate::heap;
use crate::recording;

impl ThreadRecorder {
    /// Takes the call at `depth` off the stack until it is resumed. Calls that leaked frames left above it
    /// are closed.
    pub(crate) fn suspend(&self, depth: u32) -> Option<OpenCall> {
        if recording::has_given_up() {
            return None;
        }
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        self.close_above(state, depth as usize)?;
        let heap = self.pause(state);
        self.read_at_end(state);
        let call = heap::without_counting(|| state.suspend(self.line(), heap))?;
        self.go_back_to_caller(state, &call, heap);
        Some(call)
    }

    /// Puts a suspended call on the stack of this thread, and gives its depth.
    pub(crate) fn resume(&self, call: OpenCall) -> u32 {
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        let heap = self.pause(state);
        heap::without_counting(|| state.make_room(call.site, Kind::Call, false));
        let exact = self.read_at_entry(state, Kind::Call, call.entry_exact);
        self.leave_caller(state);
        state.resume(call, exact, heap);
        self.begin_innermost(state, heap)
    }
}

impl ThreadState {
    /// Takes the innermost call, at `line`, off the stack: it is suspended. What it has done so far moves into
    /// its `past`.
    pub(crate) fn suspend(&mut self, line: u32, heap: Counts) -> Option<OpenCall> {
        let mut call = self.pop()?;
        call.suspend_details();
        let now = self.last;
        call.line = line;
        self.spare_series.extend(call.series.take());
        call.past.suspended_at = now;
        call.past.high = call.past.high.max(call.high);
        call.past.peak = call
            .past
            .peak
            .max(call.high.saturating_sub(call.start_level()));
        // First, because it adds what earlier stretches kept to the peak of this one.
        call.past.heap_peak = call.heap_peak();
        call.past.heap = call.past.heap.plus(heap.since(call.heap_entry));
        let totals = self.totals(call.site);
        totals.open = totals.open.saturating_sub(1);
        totals.suspended += 1;
        totals.other_threads = totals
            .other_threads
            .plus(now.other_threads.since(call.entry.other_threads));
        Some(call)
    }

    /// A suspended call goes on with the last reading. `exact`: that reading was taken just now.
    pub(crate) fn resume(&mut self, mut call: OpenCall, exact: bool, heap: Counts) {
        let before = call.past.suspended_at;
        // The call may have been suspended by another thread, with a later reading than this thread's last.
        // What happened before that reading is booked already.
        self.last = self.last.at(self.last.t_ns.max(before.t_ns));
        let now = self.last;
        call.past.suspended.time_ns += now.t_ns.saturating_sub(before.t_ns);
        call.past.suspended.net += difference(now.rss, before.rss);
        call.entry.other_threads = now.other_threads;
        call.booked_until = now;
        call.line_hit = false;
        call.line_exact = exact;
        call.unread = !exact;
        call.measured = false;
        call.stretch_first = call.line;
        call.time_line = call.line;
        call.stint = now;
        call.line_high = now.rss;
        call.high = now.rss;
        call.heap_entry = heap;
        call.heap_high = heap.live();
        call.heap_line_start = heap.live();
        let totals = self.totals(call.site);
        call.counters = totals.counters;
        totals.open += 1;
        totals.suspended -= 1;
        if let Some(details) = &mut call.details {
            details.resume(call.counters, &mut totals.lines);
        }
        self.stack.push(call);
    }
}
