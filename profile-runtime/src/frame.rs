//! What generated code holds while a function or a closure of it runs on this thread.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::guards::{Probes, guards};
use crate::lane::{Hot, Lane, NO_LANE};
use crate::log::Kind;
use crate::own::{self, Probe};
use crate::recorder::Recorder;
use crate::site::Site;
use crate::tally::LineCells;

/// A call in progress, or a run of a closure. Dropping it ends that, however control leaves.
// Small: recursive functions have one each.
#[derive(Debug)]
pub struct Frame {
    /// None where recording is off.
    lines: &'static [LineCells],
    hot: &'static Hot,
    /// `None` when recording is off.
    lane: Option<&'static Lane>,
    depth: u32,
    /// Loops that are being left; their headers are not run again.
    leaving: Cell<u32>,
    /// For what is no call: the line to go back to at the end.
    back_to: Option<u32>,
    /// A frame belongs to the thread that made it.
    thread_bound: PhantomData<*const ()>,
}

impl Frame {
    /// Opens a call of `site` on this thread. Does nothing when recording is off.
    #[inline]
    #[must_use]
    pub fn enter(site: &'static Site) -> Frame {
        if Recorder::is_off() {
            return Frame::new(None, None);
        }
        Frame::open(site)
    }

    #[inline(never)]
    fn open(site: &'static Site) -> Frame {
        if let Some(lane) = own::lane_if_any()
            && let Some(site) = site.registered_already()
            && let Some(probe) = lane.enter_light(site)
        {
            return Frame::new(Some(probe), None);
        }
        Frame::open_logged(site)
    }

    #[cold]
    #[inline(never)]
    fn open_logged(site: &'static Site) -> Frame {
        let probe = Recorder::get().and_then(|recorder| {
            let lane = own::lane(recorder)?;
            Some(lane.enter(recorder, recorder.register(site), Kind::Call))
        });
        Frame::new(probe, None)
    }

    #[inline]
    fn new(probe: Option<Probe>, back_to: Option<u32>) -> Frame {
        let (lines, hot, lane, depth): (&[_], _, _, _) = match probe {
            Some(probe) => (
                probe.cells.lines(),
                probe.lane.hot(),
                Some(probe.lane),
                probe.depth,
            ),
            None => (&[], &NO_LANE, None, 0),
        };
        Frame {
            lines,
            hot,
            lane,
            depth,
            leaving: Cell::new(0),
            back_to,
            thread_bound: PhantomData,
        }
    }

    /// The line at which it is; `None` before the first, and when recording is off.
    pub(crate) fn current_line(&self) -> Option<u32> {
        let current = self.hot.line()?;
        let place = self.lines.iter().position(|line| ptr::eq(line, current))?;
        u32::try_from(place).ok()
    }

    #[cold]
    #[inline(never)]
    fn line_with_attention(&self, cells: &'static LineCells, hit: bool) {
        if let Some(lane) = self.lane {
            lane.switch_line_with_attention(cells, hit);
        }
    }

    /// Ends the call, or the run of a closure.
    #[inline(never)]
    fn close(&self, lane: &'static Lane) {
        match self.back_to {
            None => lane.exit(self.depth),
            Some(line) => lane.go_back_to(line),
        }
    }
}

guards!(Frame, ['frame] &'frame Frame, self => self);

// These few instructions are all of a probe that is put into the user's function: in a large one the
// compiler would otherwise spend most of its time on probes.
impl Probes for &Frame {
    #[inline]
    fn line(self, line: u32) {
        if let Some(cells) = self.lines.get(line as usize) {
            // Not `||`: one jump.
            if cells.hit() | (self.hot.attention() != 0) {
                self.line_with_attention(cells, true);
            } else {
                self.hot.begin(cells);
            }
        }
    }

    #[inline]
    fn resume(self, line: u32) {
        if let Some(cells) = self.lines.get(line as usize) {
            if self.hot.attention() != 0 {
                self.line_with_attention(cells, false);
            } else {
                self.hot.begin(cells);
            }
        }
    }

    #[inline]
    fn loops_left(self) -> u32 {
        self.leaving.get()
    }

    #[inline]
    fn set_loops_left(self, loops: u32) {
        self.leaving.set(loops);
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if let Some(lane) = self.lane {
            self.close(lane);
        }
    }
}

/// The frame of a closure inside an annotated function: its lines are lines of the function.
///
/// A closure is run by whoever has it. Straight from the line that made it, it only switches lines,
/// like a block. From inside other annotated calls of the same thread it books on its own lines and
/// takes that off the line around it. On another thread it counts apart, as a worker.
#[derive(Debug)]
pub struct ClosureFrame;

impl ClosureFrame {
    /// Begins a run of a closure of `site`. Does nothing when recording is off.
    #[must_use]
    pub fn enter(site: &'static Site) -> Frame {
        if Recorder::is_off() {
            return Frame::new(None, None);
        }
        match own::innermost_of(site) {
            Some(probe) => Frame::new(Some(probe), Some(probe.current())),
            None => Frame::new(ClosureFrame::open(site), None),
        }
    }

    fn open(site: &'static Site) -> Option<Probe> {
        let recorder = Recorder::get()?;
        let lane = own::lane(recorder)?;
        let registered = recorder.register(site);
        let kind = match lane.find(registered) {
            Some(depth) => Kind::Part(depth),
            None => Kind::Worker,
        };
        Some(lane.enter(recorder, registered, kind))
    }
}
