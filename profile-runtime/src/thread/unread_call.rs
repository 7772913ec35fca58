//! Calls that were not read when they began. What they did on the heap is exact all the same, so those with the
//! highest heap peaks are kept.

use super::call_stack::ThreadState;
use super::open_call::{CallStart, OpenCall};
use super::thread_recorder::ThreadRecorder;
use crate::counters::counts::Counts;
use crate::counters::site::SiteCounters;
use crate::heap;
use crate::recording;
use crate::site::registered::RegisteredSite;
use memprof_model::data;
use memprof_model::run::{Call, Outcome};

impl ThreadRecorder {
    /// A counted call at `depth` has ended: it did `change` on the heap, with a peak that is worth a record.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_counted(&self, call: &CallStart, change: Counts, peak: u64, depth: u32) {
        if recording::has_given_up() {
            return;
        }
        let panicked = std::thread::panicking() && !call.panicking;
        let state = self.state();
        let record = data!(Call {
            depth,
            outcome: match panicked {
                true => Outcome::Panicked,
                false => Outcome::Returned,
            },
            heap: Some(heap::figures(change, peak)),
            ..self.unread(&state, state.last.t_ns)
        });
        drop(state);
        heap::without_counting(|| keep(call.site, call.counters, record));
    }

    /// A measured call has ended that was not read when it began: keeps it if its heap peak is worth a record.
    pub(super) fn keep_unread(&self, state: &ThreadState, call: &OpenCall, record: &Call) {
        let Some(heap) = record.heap else { return };
        if !call.counters.is_high(heap.peak as i64) {
            return;
        }
        let record = data!(Call {
            depth: record.depth,
            by: record.by,
            outcome: record.outcome,
            suspended_ns: record.suspended_ns,
            heap: Some(heap),
            ..self.unread(state, call.began_after_ns)
        });
        heap::without_counting(|| keep(call.site, call.counters, record));
    }

    /// A call of the thread that ends now. The last reading before it began was at `since_ns`.
    fn unread(&self, state: &ThreadState, since_ns: u64) -> Call {
        data!(Call {
            start_ns: since_ns,
            end_ns: self.instruments.meter.now_ns().max(since_ns),
            thread: state.thread,
            only_counted: true,
            ..Call::default()
        })
    }
}

/// Keeps the call if it is one of the highest of its site. Other threads may have made higher ones since the
/// counters were told what is worth a record.
fn keep(site: &RegisteredSite, counters: &SiteCounters, record: Call) {
    let mut calls = site.calls_with_room();
    if record.height() >= calls.least_height() {
        calls.add_if_high(record);
    }
    counters.set_least_height(calls.least_height());
}
