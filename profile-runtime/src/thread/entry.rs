//! The entry of a measured call: what has to happen before its first line, and in which order.

use std::sync::atomic::Ordering::Relaxed;

use super::call_handle::CallHandle;
use super::call_stack::ThreadState;
use super::open_call::{CallStart, Kind, Position};
use super::thread_recorder::ThreadRecorder;
use crate::counters::counts::Counts;
use crate::heap;
use crate::reading::budget::Edge;
use crate::site::registered::RegisteredSite;

impl ThreadRecorder {
    /// Opens a measured call of `site`, or a run of one of its closures.
    pub(crate) fn enter(&'static self, site: &'static RegisteredSite, kind: Kind) -> CallHandle {
        let mut guard = self.state();
        let state = &mut *guard;
        self.promote_counted_calls(state);
        let heap = self.pause(state);
        // Everything that allocates comes before the reading, so that it does not show up in the call.
        let asked = kind == Kind::Call && self.take_call_due(state, site);
        let (counters, forced, details) = heap::without_counting(|| {
            let forced = state.must_be_exact(site, kind) || asked;
            let counters = state.make_room(site, kind, forced || self.is_due());
            let per_call = kind == Kind::Call && site.per_call.is_some();
            if kind == Kind::Call && !per_call {
                self.directory.set(site.place, counters);
            }
            let details = per_call.then(|| state.take_details(site.spec.lines.len()));
            (counters, forced, details)
        });
        let exact = self.read_at_entry(state, kind, forced, asked);
        self.leave_caller(state);
        if kind == Kind::Call {
            let thread = state.thread;
            let stretch = self.stretch.load(Relaxed);
            state.totals(site).count_call(thread, stretch);
        }
        let start = CallStart {
            call_id: state.call_id_for(kind),
            ..CallStart::now(site, counters, heap)
        };
        state.open(start, state.first_position(start, kind), kind, exact);
        if asked {
            self.ask_inside(state);
        }
        if let Some(details) = details {
            state.attach_details(details);
        }
        let depth = self.begin_innermost(state, heap, exact);
        CallHandle::new(self, counters, depth)
    }

    /// A call begins or goes on inside the innermost one. The outer call keeps its line, and postpones its
    /// booking.
    pub(super) fn leave_caller(&self, state: &mut ThreadState) {
        if let Some(outer) = state.stack.last_mut() {
            outer.line = self.line();
            outer.has_unbooked |= self.take_booking_due();
        }
    }

    /// The innermost call was read because it was asked for. What a call inside of it does is that one's, if it is read,
    /// too.
    pub(super) fn ask_inside(&self, state: &mut ThreadState) {
        if let Some(call) = state.stack.last_mut() {
            call.asked = true;
        }
        self.call_due.store(true, Relaxed);
    }

    /// Takes the reading with which something of this kind begins, if one is due or `forced`: a function's
    /// first call is to be exact whatever the budget says, and so is a call that has been asked for.
    pub(super) fn read_at_entry(
        &self,
        state: &mut ThreadState,
        kind: Kind,
        forced: bool,
        asked: bool,
    ) -> bool {
        let due = self.is_due();
        if !due && !forced {
            return false;
        }
        let edge = match asked || state.is_outside(state.stack.len()) {
            true => Edge::Entry,
            false => Edge::No,
        };
        match kind {
            Kind::OtherThread => self.read(state),
            // RSS at its entry is its own, wherever it begins: inside of a closure of another thread, too.
            Kind::Call | Kind::NestedClosure(_) | Kind::Usage => self.read_rss(state, edge),
        }
        state.end_stretch(self.line(), due);
        true
    }

    /// Makes the call that was just put on the stack, or back on it, the current one. Gives its depth. `read`:
    /// there was a reading for that.
    pub(super) fn begin_innermost(&self, state: &mut ThreadState, heap: Counts, read: bool) -> u32 {
        let depth = state.stack.len() - 1;
        // Without a reading the stretch in progress goes on, which may be of another call of the same function.
        if read && !self.is_due() {
            state.begin_stretch();
        }
        let call = &state.stack[depth];
        let calls = depth as u32 + 1;
        let position = Position {
            heap_high: heap.live(),
            ..call.position()
        };
        self.counted
            .set_measured(calls, Some((call.start(), position)));
        if let Some(heap_counters) = heap::of_this_thread() {
            heap_counters.set_high(heap.live());
        }
        if read {
            let next_sample_ns = call.booked_until.t_ns.saturating_add(call.site.interval_ns);
            self.instruments.sampler.expect(next_sample_ns);
        }
        depth as u32
    }
}
