//! What a thread does at a probe, an entry and an exit while nothing is due: no lock, no clock.

use std::sync::atomic::Ordering::Relaxed;

use super::call_stack::Log;
use super::open_call::{Begun, Stand};
use super::thread_recorder::{DUE, Lane, Probe};
use crate::counters::counts::Counts;
use crate::counters::line::{Hot, LineCells};
use crate::counters::site::Cells;
use crate::heap::origins::{self, BlockOwner};
use crate::heap::{self, Counters};
use crate::site::registered::Registered;

impl Hot {
    /// Counts a hit of `line`, which begins. `false`: it does not yet, because there is more to do.
    #[inline]
    pub(crate) fn hit(&self, line: &'static LineCells) -> bool {
        // Less than nothing is left before the line's turn, or attention is asked for: one comparison.
        if line.hit() < self.attention() {
            return false;
        }
        self.begin(line);
        true
    }

    /// The same without a hit, after something inside of `line`.
    #[inline]
    pub(crate) fn resume(&self, line: &'static LineCells) -> bool {
        if self.attention() != 0 {
            return false;
        }
        self.begin(line);
        true
    }
}

impl Lane {
    /// The innermost call of the thread: its site, what it counts on, its depth.
    #[inline]
    pub(crate) fn innermost(&self) -> Option<(&'static Registered, &'static Cells, u32)> {
        let (site, cells) = self.light.innermost()?;
        Some((site, cells, self.light.depth() - 1))
    }

    /// What the line in progress has on its blocks, and the token of the innermost call.
    pub(crate) fn origin(&self) -> Option<BlockOwner> {
        let line = self.hot().line()?.origins()?;
        Some((line, self.light.token(origins::token)))
    }

    /// The innermost call comes to `line`: the one that ran is over.
    #[inline]
    pub(crate) fn hit_line(&self, line: &'static LineCells) {
        if !self.hot().hit(line) {
            self.switch_line_with_attention(line, true);
        }
    }

    /// The innermost call goes on at `line`, after something inside it.
    #[inline]
    pub(crate) fn resume_line(&self, line: &'static LineCells) {
        if !self.hot().resume(line) {
            self.switch_line_with_attention(line, false);
        }
    }

    /// The innermost call goes on at the line at this place.
    pub(crate) fn go_back_to(&self, line: u32) {
        if let Some((_, cells)) = self.light.innermost() {
            self.resume_line(cells.at(line));
        }
    }

    /// Opens a call of `site` that is only counted, unless a reading has to be taken: the thread's
    /// first call of a site is not for here, nor one for which there is no room.
    // Into `Frame::open`, which hands the result on through memory otherwise.
    #[inline(always)]
    pub(crate) fn enter_light(&'static self, site: &'static Registered) -> Option<Probe> {
        let attention = self.hot().attention();
        if attention & DUE != 0 {
            return None;
        }
        let cells = self.known.get(site.id)?;
        let thread = self.thread.load(Relaxed);
        if !cells.is_called_by(thread) {
            return None;
        }
        let counters = heap::of_this_thread();
        let (heap, outer) = self.pause_heap(counters);
        let begun = Begun::now(site, cells, heap);
        let depth = self.light.push(begun, cells.before_lines(), outer)?;
        if let Some(counters) = counters {
            counters.set_high(heap.live());
        }
        if attention != 0 {
            self.settles_later.store(self.take_settle(), Relaxed);
        }
        cells.count_another_call();
        Some(Probe::new(self, cells, depth))
    }

    /// The thread's heap, and where its innermost call stands, which goes on after what begins now.
    #[inline]
    pub(super) fn pause_heap(&self, counters: Option<&Counters>) -> (Counts, Stand) {
        let (heap, high) = match counters {
            Some(counters) => (counters.counts(), counters.high()),
            None => (Counts::default(), 0),
        };
        let stand = Stand {
            line: self.hot().line(),
            heap_line_start: self.hot().heap_start(heap.live()),
            heap_high: high,
        };
        (heap, stand)
    }

    /// Goes through calls of `site` that are only counted, one of which gets a reading in its middle:
    /// see `Recorder::warm_up`.
    pub(crate) fn warm_up_light(&'static self, site: &'static Registered) {
        for with_reading in [false, true] {
            self.hot().attention.store(0, Relaxed);
            let Some(outer) = self.enter_light(site) else {
                break;
            };
            outer.line(0);
            if let Some(inner) = self.enter_light(site) {
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
        if self.hot().attention() != 0 || self.exit_light(depth).is_none() {
            self.close(depth, false, Log::keep);
        }
    }

    #[inline]
    fn exit_light(&self, depth: u32) -> Option<()> {
        let (call, outer) = self.light.top(depth)?;
        if let Some(counters) = heap::of_this_thread() {
            end_heap(&call, counters, outer);
        }
        if call.token != 0 {
            origins::call_ended(call.token);
        }
        if std::thread::panicking() && !call.panicking {
            call.cells.count_panic();
        }
        self.light.pop(depth, outer);
        if self.settles_later.load(Relaxed) && self.light.is_empty() {
            self.settles_later.store(false, Relaxed);
            self.ask_to_settle();
        }
        Some(())
    }
}

/// Books the heap of a light call that ends, inside of one that stands at `outer`.
#[inline]
fn end_heap(call: &Begun, counters: &Counters, outer: Stand) {
    let change = counters.counts().since(call.heap);
    if change == Counts::default() {
        counters.set_high(outer.heap_high);
        return;
    }
    let high = counters.high();
    call.cells
        .book_heap(change, high.wrapping_sub(call.heap.live()));
    if let Some(line) = outer.line {
        line.book_heap(change, high.wrapping_sub(outer.heap_line_start));
    }
    counters.set_high(outer.heap_high.max(high));
}
