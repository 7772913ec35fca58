//! Calls that were not read when they began, or at all. What they did on the heap is exact all the same, and RSS is
//! known from their first reading on. The highest of them are kept. Where RSS rose before that, it is noted how many
//! calls there were.

use super::call_stack::ThreadState;
use super::open_call::{Kind, OpenCall};
use super::thread_recorder::ThreadRecorder;
use crate::counters::site::SiteCounters;
use crate::heap;
use crate::reading::one_reading::{High, Reading};
use crate::recording;
use crate::site::registered::RegisteredSite;
use memprof_model::data;
use memprof_model::run::{Call, Outcome, UnreadRise};

impl ThreadRecorder {
    /// A counted call at `depth` has just ended, with a heap peak that is worth a record.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_counted(&self, peak: u64, depth: u32) {
        if recording::has_given_up() {
            return;
        }
        let (Some(call), Some(heap_counters)) = (self.counted.just_ended(), heap::of_this_thread())
        else {
            return;
        };
        let change = heap_counters.counts().since(call.heap);
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

    /// A measured call has ended that was not read when it began: keeps it if its height is worth a record.
    pub(super) fn keep_unread(&self, state: &ThreadState, call: &OpenCall, record: &Call) {
        if !call.counters.is_high(record.height()) {
            return;
        }
        let record = match call.unread {
            true => data!(Call {
                depth: record.depth,
                outcome: record.outcome,
                suspended_ns: record.suspended_ns,
                heap: record.heap,
                ..self.unread(state, call.began_after_ns)
            }),
            false => data!(Call {
                start_ns: call.first_reading_ns(),
                ..record.clone()
            }),
        };
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

impl ThreadState {
    /// The thread was up to `high` since the reading `before`. The calls on the stack that were not read yet are of
    /// functions that may have had a part in that; others of their calls have ended meanwhile.
    pub(super) fn note_unread_rise(&mut self, before: Reading, high: High, stretch: u64) {
        let rise = high.max(self.last.high()).own - before.own();
        let rise = u64::try_from(rise).unwrap_or(0);
        let unread = self.stack.iter().rev().take_while(|call| call.unread);
        for call in unread.filter(|call| call.kind == Kind::Call && !call.was_suspended()) {
            let Some(totals) = self.totals[call.site.id].as_mut() else {
                continue;
            };
            if rise > totals.unread_rise.map_or(0, |known| known.rise) {
                totals.unread_rise = Some(data!(UnreadRise {
                    from_ns: before.t_ns,
                    to_ns: self.last.t_ns,
                    rise,
                    calls: call.counters.calls_in(stretch),
                }));
            }
        }
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
