//! What a thread does at a probe, an entry and an exit while nothing is due: no lock, no clock.

use std::sync::atomic::Ordering::Relaxed;

use super::light::Stand;
use super::{Begun, Lane};
use crate::heap::origins::{self, LineOrigins};
use crate::heap::{self, Counters, Counts, Token};
use crate::log::Log;
use crate::own::Probe;
use crate::site::Registered;
use crate::tally::{Cells, LineCells};

impl Lane {
    /// The innermost call of the thread: its site, what it counts on, its depth.
    #[inline]
    pub(crate) fn innermost(&self) -> Option<(&'static Registered, &'static Cells, u32)> {
        let (site, cells) = self.light.innermost()?;
        Some((site, cells, self.light.depth() - 1))
    }

    /// What the line in progress has on its blocks, and the token of the innermost call.
    pub(crate) fn origin(&self) -> Option<(&'static LineOrigins, Token)> {
        let (_, cells) = self.light.innermost()?;
        let line = cells.line(self.line() as usize)?.origins()?;
        Some((line, self.light.token(origins::token)))
    }

    /// Books what the thread has done on the heap on the line in progress, which is over.
    #[inline]
    pub(crate) fn settle_heap(&self, lines: &[LineCells], counters: &Counters) {
        if self.heap.is_behind(counters) {
            self.heap.settle(lines, self.line(), counters);
        }
    }

    /// A probe of the innermost call, at `depth`: the line that ran is over, `line` begins, with a
    /// hit or (after something inside it) without.
    #[inline]
    pub(crate) fn switch_line(&self, depth: u32, line: u32, hit: bool) {
        if self.attention.load(Relaxed) == 0 {
            self.light.set_line(depth, line);
        } else {
            self.switch_line_with_attention(depth, line, hit);
        }
    }

    /// Opens a call of `site` that is only counted, unless a reading has to be taken: the thread's
    /// first call of a site is not for here, nor one for which there is no room.
    #[inline]
    pub(crate) fn enter_light(&'static self, site: &'static Registered) -> Option<Probe> {
        if self.attention.load(Relaxed) != 0 {
            return None;
        }
        let cells = self.known.get(site.id)?;
        let thread = self.thread.load(Relaxed);
        if !cells.is_called_by(thread) {
            return None;
        }
        let counters = heap::of_this_thread();
        let heap = counters.map_or_else(Counts::default, |counters| self.pause_around(counters));
        let outer = Stand {
            line: self.line(),
            heap_line_start: self.heap.line_start(),
            heap_high: self.heap.high(),
        };
        let depth = self.light.push(Begun::now(site, cells, heap), outer)?;
        self.heap.go_on(heap.live(), heap.live());
        cells.count_another_call();
        Some(Probe::new(self, cells, counters, depth))
    }

    /// Goes through calls of `site` that are only counted, one of which gets a reading in its middle:
    /// see `Recorder::warm_up`.
    pub(crate) fn warm_up_light(&'static self, site: &'static Registered) {
        for with_reading in [false, true] {
            self.attention.store(0, Relaxed);
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

    /// The innermost call's line goes on after what begins now.
    #[inline]
    fn pause_around(&self, counters: &Counters) -> Counts {
        match self.light.innermost() {
            Some((_, cells)) => self.heap.pause(cells.lines(), self.line(), counters),
            None => self.heap.skip(counters),
        }
    }

    /// Closes the call at `depth`, and whatever a leaked frame left above it. `counters`: the
    /// thread's.
    #[inline(never)]
    pub(crate) fn exit(&self, depth: u32, counters: Option<&Counters>) {
        if self.attention.load(Relaxed) != 0 || self.exit_light(depth, counters).is_none() {
            self.close(depth, false, Log::keep);
        }
    }

    #[inline]
    fn exit_light(&self, depth: u32, counters: Option<&Counters>) -> Option<()> {
        let (call, outer, outer_cells) = self.light.top(depth)?;
        if let Some(counters) = counters {
            let high = self.end_heap(&call, counters, outer, outer_cells);
            self.heap.go_on(outer.heap_line_start, high);
        }
        if call.token != 0 {
            origins::call_ended(call.token);
        }
        if std::thread::panicking() && !call.panicking {
            call.cells.count_panic();
        }
        self.light.pop(depth, outer.line);
        Some(())
    }

    /// Books the heap of a light call that ends; gives the highest live bytes since the call around
    /// it began.
    #[inline]
    fn end_heap(
        &self,
        call: &Begun,
        counters: &Counters,
        outer: Stand,
        outer_cells: Option<&Cells>,
    ) -> i64 {
        let now = self.heap.pause(call.cells.lines(), self.line(), counters);
        let change = now.since(call.heap);
        if change == Counts::default() {
            return outer.heap_high;
        }
        let high = self.heap.high();
        call.cells
            .book_heap(change, high.wrapping_sub(call.heap.live()));
        let outer_line = outer_cells.and_then(|cells| cells.line(outer.line as usize));
        if let Some(line) = outer_line {
            line.book_heap(change, high.wrapping_sub(outer.heap_line_start));
        }
        outer.heap_high.max(high)
    }
}
