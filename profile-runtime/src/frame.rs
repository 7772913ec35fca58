//! What generated code holds while a function or a closure of it runs on this thread.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::guards::{Probes, guards};
use crate::lane::NO_LINE;
use crate::log::Kind;
use crate::own::{self, Probe};
use crate::recorder::Recorder;
use crate::site::Site;

/// A call in progress, or a run of a closure. Dropping it ends that, however control leaves.
// Small: recursive functions have one each.
#[derive(Debug)]
pub struct Frame {
    /// `None` when recording is off.
    probe: Option<Probe>,
    /// For what is no call: the line to go back to at the end.
    back_to: Option<u32>,
    /// Loops that are being left; their headers are not run again.
    leaving: Cell<u32>,
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
        Frame {
            probe,
            back_to,
            leaving: Cell::new(0),
            thread_bound: PhantomData,
        }
    }

    /// The line at which it is; `None` before the first, and when recording is off.
    pub(crate) fn current_line(&self) -> Option<u32> {
        let line = self.probe.as_ref()?.current();
        (line != NO_LINE).then_some(line)
    }
}

guards!(Frame, ['frame] &'frame Frame, self => self);

// A call each, and not inlined: in a large function the compiler would spend most of its time on
// probes (five times that of the function itself), for a nanosecond less in each.
impl Probes for &Frame {
    #[inline(never)]
    fn line(self, line: u32) {
        if let Some(probe) = &self.probe {
            probe.line(line);
        }
    }

    #[inline(never)]
    fn resume(self, line: u32) {
        if let Some(probe) = &self.probe {
            probe.resume(line);
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
    #[inline(never)]
    fn drop(&mut self) {
        if let Some(probe) = &self.probe {
            match self.back_to {
                None => probe.exit(),
                Some(line) => probe.resume(line),
            }
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
