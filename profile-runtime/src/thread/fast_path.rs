//! What a thread does at a probe, an entry and an exit while nothing is due: no lock, no clock.

use std::sync::atomic::Ordering::Relaxed;

use super::call_stack::ThreadState;
use super::open_call::{CallStart, Position};
use super::thread_recorder::{CallHandle, READING_DUE, ThreadRecorder};
use crate::counters::counts::Counts;
use crate::counters::line::{CurrentLine, LineCounters};
use crate::counters::site::SiteCounters;
use crate::heap::origins::{self, BlockOwner};
use crate::heap::{self, ThreadCounters};
use crate::site::registered::RegisteredSite;

impl CurrentLine {
    /// Counts a hit of `line`, which begins. `false`: it does not yet, because there is more to do.
    #[inline]
    pub(crate) fn hit(&self, line: &'static LineCounters) -> bool {
        // Less than nothing is left before the line's turn, or slow_path is asked for: one comparison.
        if line.hit() < self.slow_path() {
            return false;
        }
        self.begin(line);
        true
    }

    /// The same without a hit, after something inside of `line`.
    #[inline]
    pub(crate) fn resume(&self, line: &'static LineCounters) -> bool {
        if self.slow_path() != 0 {
            return false;
        }
        self.begin(line);
        true
    }
}

impl ThreadRecorder {
    /// The innermost call of the thread: its site, what it counts on, its depth.
    #[inline]
    pub(crate) fn innermost(
        &self,
    ) -> Option<(&'static RegisteredSite, &'static SiteCounters, u32)> {
        let (site, counters) = self.counted.innermost()?;
        Some((site, counters, self.counted.depth() - 1))
    }

    /// What the line in progress has on its blocks, and the call_id of the innermost call.
    pub(crate) fn block_owner(&self) -> Option<BlockOwner> {
        let line = self.current_line().line()?.blocks()?;
        Some((line, self.counted.call_id(origins::call_id)))
    }

    /// The innermost call comes to `line`: the one that ran is over.
    #[inline]
    pub(crate) fn hit_line(&self, line: &'static LineCounters) {
        if !self.current_line().hit(line) {
            self.begin_line_slow(line, true);
        }
    }

    /// The innermost call goes on at `line`, after something inside it.
    #[inline]
    pub(crate) fn resume_line(&self, line: &'static LineCounters) {
        if !self.current_line().resume(line) {
            self.begin_line_slow(line, false);
        }
    }

    /// The innermost call goes on at the line at this place.
    pub(crate) fn go_back_to(&self, line: u32) {
        if let Some((_, counters)) = self.counted.innermost() {
            self.resume_line(counters.at(line));
        }
    }

    /// Opens a call of `site` that is only counted, unless a reading has to be taken: the thread's
    /// first call of a site is not for here, nor one for which there is no room.
    // Into `Frame::open`, which hands the result on through memory otherwise.
    #[inline(always)]
    pub(crate) fn enter_counted(
        &'static self,
        site: &'static RegisteredSite,
    ) -> Option<CallHandle> {
        let slow_path = self.current_line().slow_path();
        if slow_path & READING_DUE != 0 {
            return None;
        }
        let counters = self.directory.get(site.id)?;
        let thread = self.thread.load(Relaxed);
        if !counters.is_called_by(thread) {
            return None;
        }
        let heap_counters = heap::of_this_thread();
        let (heap, outer) = self.pause_heap(heap_counters);
        let start = CallStart::now(site, counters, heap);
        let depth = self.counted.push(start, counters.before_lines(), outer)?;
        if let Some(heap_counters) = heap_counters {
            heap_counters.set_high(heap.live());
        }
        if slow_path != 0 {
            self.booking_postponed
                .store(self.take_booking_due(), Relaxed);
        }
        counters.count_another_call();
        Some(CallHandle::new(self, counters, depth))
    }

    /// The thread's heap, and where its innermost call stands, which goes on after what begins now.
    #[inline]
    pub(super) fn pause_heap(&self, heap_counters: Option<&ThreadCounters>) -> (Counts, Position) {
        let (heap, high) = match heap_counters {
            Some(heap_counters) => (heap_counters.counts(), heap_counters.high()),
            None => (Counts::default(), 0),
        };
        let position = Position {
            line: self.current_line().line(),
            heap_line_start: self.current_line().heap_start(heap.live()),
            heap_high: high,
        };
        (heap, position)
    }

    /// Goes through calls of `site` that are only counted, one of which gets a reading in its middle:
    /// see `Recorder::warm_up`.
    pub(crate) fn warm_up_counted(&'static self, site: &'static RegisteredSite) {
        for with_reading in [false, true] {
            self.current_line().slow_path.store(0, Relaxed);
            let Some(outer) = self.enter_counted(site) else {
                break;
            };
            outer.line(0);
            if let Some(inner) = self.enter_counted(site) {
                inner.line(0);
                if with_reading {
                    self.ask_for_reading();
                }
                inner.line(1);
                inner.exit();
            }
            outer.resume(0);
            outer.exit();
        }
        self.ask_for_reading();
    }

    /// Closes the call at `depth`, and whatever a leaked frame left above it.
    #[inline]
    pub(crate) fn exit(&self, depth: u32) {
        if self.current_line().slow_path() != 0 || self.exit_counted(depth).is_none() {
            self.close(depth, false, ThreadState::finish_call);
        }
    }

    #[inline]
    fn exit_counted(&self, depth: u32) -> Option<()> {
        let (call, outer) = self.counted.top(depth)?;
        if let Some(heap_counters) = heap::of_this_thread() {
            end_heap(&call, heap_counters, outer);
        }
        if call.call_id != 0 {
            origins::call_ended(call.call_id);
        }
        if std::thread::panicking() && !call.panicking {
            call.counters.count_panic();
        }
        self.counted.pop(depth, outer);
        if self.booking_postponed.load(Relaxed) && self.counted.is_empty() {
            self.booking_postponed.store(false, Relaxed);
            self.ask_for_booking();
        }
        Some(())
    }
}

/// Books the heap of a counted call that ends, inside of one that stands at `outer`.
#[inline]
fn end_heap(call: &CallStart, heap_counters: &ThreadCounters, outer: Position) {
    let change = heap_counters.counts().since(call.heap);
    if change == Counts::default() {
        heap_counters.set_high(outer.heap_high);
        return;
    }
    let high = heap_counters.high();
    call.counters
        .book_heap(change, high.wrapping_sub(call.heap.live()));
    if let Some(line) = outer.line {
        line.book_heap(change, high.wrapping_sub(outer.heap_line_start));
    }
    heap_counters.set_high(outer.heap_high.max(high));
}
