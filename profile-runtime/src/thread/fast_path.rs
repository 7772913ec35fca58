//! The fast path: a probe, an entry and an exit while nothing is due. No lock, and no look at the clock.

use std::sync::atomic::Ordering::Relaxed;

use super::call_handle::CallHandle;
use super::call_stack::ThreadState;
use super::open_call::{CallStart, Position, Top};
use super::spread_call::spread_call;
use super::thread_recorder::{READING_DUE, ThreadRecorder};
use crate::counters::atomics::add;
use crate::counters::counts::Counts;
use crate::counters::line::{CurrentLine, LineCounters};
use crate::counters::site::SiteCounters;
use crate::heap::origins::{self, BlockOwner};
use crate::heap::{self, ThreadCounters};
use crate::site::registered::RegisteredSite;

impl CurrentLine {
    /// Counts a hit and makes `line` the current line. Returns `false` if the slow path must run first;
    /// the line is then not yet current.
    #[inline]
    pub(crate) fn hit(&self, line: &'static LineCounters) -> bool {
        // One comparison for two questions: below 0, this hit is to be measured; and a `slow_path` that is
        // asked for is larger than whatever is left (`counters::hits`).
        if line.hit() < self.slow_path() {
            return false;
        }
        self.begin(line);
        true
    }

    /// Makes `line` the current line again after a callee, without a hit. Returns `false` if the slow path
    /// must run first.
    #[inline]
    pub(crate) fn resume(&self, line: &'static LineCounters) -> bool {
        line.count_resume();
        if self.slow_path() != 0 {
            return false;
        }
        self.begin(line);
        true
    }
}

impl ThreadRecorder {
    /// The innermost call of the thread: its site, its counters, its depth.
    #[inline]
    pub(crate) fn innermost(
        &self,
    ) -> Option<(&'static RegisteredSite, &'static SiteCounters, u32)> {
        let (site, counters) = self.counted.innermost()?;
        Some((site, counters, self.counted.depth() - 1))
    }

    /// The owner of a block that the thread allocates now: the current line, and the innermost call's id.
    pub(crate) fn block_owner(&self) -> Option<BlockOwner> {
        let line = self.current_line().line()?.blocks()?;
        Some((line, self.counted.call_id(origins::call_id)))
    }

    /// The innermost call comes to `line`: one hit. The line before has ended.
    #[inline]
    pub(crate) fn hit_line(&self, line: &'static LineCounters) {
        if !self.current_line().hit(line) {
            self.begin_line_slow(line, true);
        }
    }

    /// The innermost call goes on at `line` after a callee, without a hit.
    #[inline]
    pub(crate) fn resume_line(&self, line: &'static LineCounters) {
        if !self.current_line().resume(line) {
            self.begin_line_slow(line, false);
        }
    }

    /// [`ThreadRecorder::resume_line`] for the line at this place in the site's list.
    pub(crate) fn go_back_to(&self, line: u32) {
        if let Some((_, counters)) = self.counted.innermost() {
            self.resume_line(counters.at(line));
        }
    }

    /// Opens a counted call of `site`. `None` where the call has to be measured: if a reading is due, at the
    /// thread's first call of the site, and when there is no room for another counted call.
    // Inlined into `Frame::open`, which would hand the result on through memory otherwise.
    #[inline(always)]
    pub(crate) fn enter_counted(
        &'static self,
        site: &'static RegisteredSite,
    ) -> Option<CallHandle> {
        let slow_path = self.current_line().slow_path();
        if slow_path & READING_DUE != 0 {
            return None;
        }
        let counters = self.directory.get(site.place)?;
        if self.call_due.load(Relaxed) && !self.passes(counters) {
            return None;
        }
        let stretch = self.stretch.load(Relaxed);
        if !counters.is_called_in(stretch) && !self.begin_stretch_of(counters, stretch) {
            return None;
        }
        let heap_counters = heap::of_this_thread();
        let heap = heap_counters.map_or(Counts::default(), ThreadCounters::counts);
        let start = CallStart::now(site, counters, heap);
        let outer = || self.position(heap_counters, heap.live());
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

    /// The next call is to be read. Whether this one is not meant: it is inside of a counted one, or short.
    #[cold]
    #[inline(never)]
    fn passes(&self, counters: &SiteCounters) -> bool {
        if !self.counted.is_empty() {
            return true;
        }
        let passes = self.leaves_out(counters);
        add(&self.passed, u64::from(passes));
        passes
    }

    /// The first call of a site since the last reading is to be counted. `false` if it is the thread's first at all.
    #[cold]
    #[inline(never)]
    fn begin_stretch_of(&self, counters: &SiteCounters, stretch: u64) -> bool {
        if !counters.is_called_by(self.thread.load(Relaxed)) {
            return false;
        }
        counters.begin_stretch(stretch);
        true
    }

    /// The thread's heap, and the position at which the innermost call will go on after what begins now.
    pub(super) fn pause_heap(&self, heap_counters: Option<&ThreadCounters>) -> (Counts, Position) {
        let heap = heap_counters.map_or(Counts::default(), ThreadCounters::counts);
        (heap, self.position(heap_counters, heap.live()))
    }

    /// The position at which the innermost call will go on after what begins now. The thread has `live` bytes.
    #[inline]
    fn position(&self, heap_counters: Option<&ThreadCounters>, live: i64) -> Position {
        let (line, heap_line_start) = self.current_line().place(live);
        Position {
            line,
            heap_line_start,
            heap_high: heap_counters.map_or(0, ThreadCounters::high),
            heap_self_start: self.current_line().self_start(),
        }
    }

    /// Makes counted calls of `site` at the start of recording, one of which becomes measured in its middle,
    /// so that the code of this file is in memory before the program's first line (`process/start.rs`).
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

    /// Closes the call at `depth`. Calls that leaked frames left above it are closed, too.
    #[inline]
    pub(crate) fn exit(&self, depth: u32) {
        let counted = self.current_line().slow_path() == 0 || heap::must_not_allocate();
        if !counted || self.exit_counted(depth).is_none() {
            self.close(depth, false, ThreadState::finish_call);
        }
    }

    /// Closes the call at `depth` if it is the innermost and counted; `None` if it is not.
    #[inline]
    fn exit_counted(&self, depth: u32) -> Option<()> {
        let top = self.counted.top(depth)?;
        let mut did = Did::default();
        if let Some(heap_counters) = heap::of_this_thread() {
            if heap_counters.counts() == top.heap() {
                heap_counters.set_high(top.heap_high_of_caller());
            } else {
                did = self.end_heap(depth, top, heap_counters);
            }
        }
        top.counters.count_leaving();
        if top.call_id() != 0 {
            origins::call_ended(top.call_id());
        }
        if std::thread::panicking() && !top.panicking() {
            top.counters.count_panic();
        }
        self.counted.pop(depth, top, did.kept);
        if self.booking_postponed.load(Relaxed) && self.counted.is_empty() {
            self.booking_postponed.store(false, Relaxed);
            self.ask_for_booking();
        }
        if did.high != 0 {
            self.keep_counted(did.high, depth);
        }
        Some(())
    }

    /// Books what a counted call did on the heap, when it ends, on its caller's line.
    // Not inlined into the exit: where nothing was done on the heap there is less to save and restore.
    #[inline(never)]
    fn end_heap(&self, depth: u32, top: Top<'_>, heap_counters: &ThreadCounters) -> Did {
        if top.counters.is_nested() {
            self.take_off_around(depth);
        }
        let before = top.heap();
        let change = heap_counters.counts().since(before);
        let (high, caller) = (heap_counters.high(), top.caller());
        let peak = high.wrapping_sub(before.live());
        top.counters.raise_heap_peak(peak);
        if let Some(line) = caller.line {
            line.book_callee(change, high.wrapping_sub(caller.heap_line_start));
        }
        heap_counters.set_high(caller.heap_high.max(high));
        Did {
            kept: change.live(),
            high: spread_call(top.counters, change.allocated, peak),
        }
    }

    /// The counted call at `depth` ends inside of another call of its site. Its own lines have booked what it did:
    /// the line around it books it no more.
    // Like `keep_counted` it finds the call again: what is handed on would have to be kept at hand in each exit.
    #[cold]
    #[inline(never)]
    fn take_off_around(&self, depth: u32) {
        let (Some(top), Some(heap_counters)) = (self.counted.top(depth), heap::of_this_thread())
        else {
            return;
        };
        let counted = self.counted.around(top.counters);
        let around = || self.state().innermost_line(top.site()?);
        if let Some(line) = counted.or_else(around) {
            line.take_off(heap_counters.counts().since(top.heap()));
        }
    }
}

/// What a counted call that ends did on the heap.
#[derive(Default)]
struct Did {
    /// Bytes that it allocated and did not free.
    kept: i64,
    /// Its peak if that is worth a record, and otherwise 0.
    high: u64,
}
