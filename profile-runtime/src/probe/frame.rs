//! What generated code holds while a function or a closure of it runs on this thread.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use super::scope_guards::{Probes, cold, guards};
use crate::counters::line::{CurrentLine, LineCounters, NO_CURRENT_LINE, NO_LINE};
use crate::process::start;
use crate::recording;
use crate::site::spec::Site;
use crate::thread::current;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::{CallHandle, ThreadRecorder};

/// In place of a line to go back to. Not `NO_LINE`, at which a call is before its first.
const ENDS: u32 = NO_LINE - 1;

/// A call in progress, or a run of a closure. Dropping it ends that, however control leaves.
// Small: recursive functions have one each.
#[derive(Debug)]
pub struct Frame {
    /// None where recording is off.
    lines: &'static [LineCounters],
    current_line: &'static CurrentLine,
    /// `None` when recording is off.
    thread: Option<&'static ThreadRecorder>,
    depth: u32,
    /// Loops that are being left; their headers are not run again.
    leaving: Cell<u32>,
    /// The line to go back to at the end; `ENDS` for what is then over.
    back_to: u32,
    /// A frame belongs to the thread that made it.
    thread_bound: PhantomData<*const ()>,
}

/// The probes of a frame's lines: copies of what they need, which never change, so that the compiler can
/// keep it in registers.
#[derive(Debug, Clone, Copy)]
pub struct FrameProbe<'frame> {
    lines: &'static [LineCounters],
    current_line: &'static CurrentLine,
    frame: &'frame Frame,
}

impl Frame {
    /// Opens a call of `site` on this thread. Does nothing when recording is off.
    #[inline]
    #[must_use]
    pub fn enter(site: &'static Site) -> Frame {
        if recording::is_off() {
            return Frame::new(None, ENDS);
        }
        Frame::open(site)
    }

    #[inline(never)]
    fn open(site: &'static Site) -> Frame {
        if let Some(thread) = current::recorder_if_any()
            && let Some(site) = site.registered_already()
            && let Some(probe) = thread.enter_counted(site)
        {
            return Frame::new(Some(probe), ENDS);
        }
        Frame::open_measured(site)
    }

    #[cold]
    #[inline(never)]
    fn open_measured(site: &'static Site) -> Frame {
        let probe = start::recorder().and_then(|recorder| {
            let thread = current::recorder(&recorder.threads)?;
            Some(thread.enter(recorder.register(site), Kind::Call))
        });
        Frame::new(probe, ENDS)
    }

    #[inline]
    fn new(probe: Option<CallHandle>, back_to: u32) -> Frame {
        let (lines, current_line, thread, depth): (&[_], _, _, _) = match probe {
            Some(probe) => (
                probe.counters.lines(),
                probe.recorder.current_line(),
                Some(probe.recorder),
                probe.depth,
            ),
            None => (&[], &NO_CURRENT_LINE, None, 0),
        };
        Frame {
            lines,
            current_line,
            thread,
            depth,
            leaving: Cell::new(0),
            back_to,
            thread_bound: PhantomData,
        }
    }

    /// What its lines are counted through.
    #[inline]
    #[must_use]
    pub fn probe(&self) -> FrameProbe<'_> {
        FrameProbe {
            lines: self.lines,
            current_line: self.current_line,
            frame: self,
        }
    }

    /// The line at which it is; `None` before the first, and when recording is off.
    pub(crate) fn current_line(&self) -> Option<u32> {
        let current = self.current_line.line()?;
        let place = self.lines.iter().position(|line| ptr::eq(line, current))?;
        u32::try_from(place).ok()
    }
}

impl FrameProbe<'_> {
    /// The line `line` begins: one hit.
    // A call, which is all of most probes that is put into the user's function: on probes with branches the
    // compiler would spend more time than on the rest of it.
    #[inline]
    pub fn line(&self, line: u32) {
        line_by_call(self.frame, line);
    }

    /// The same in a loop, where a nanosecond counts.
    #[inline]
    pub fn hot_line(&self, line: u32) {
        begin_line(self.lines, self.current_line, line);
    }
}

guards!(FrameProbe<'frame>, ['frame] FrameProbe<'frame>, self => *self);

#[inline]
fn begin_line(lines: &'static [LineCounters], current_line: &'static CurrentLine, line: u32) {
    if let Some(counters) = lines.get(line as usize) {
        if !current_line.hit(counters) {
            begin_line_slow(counters, true);
        }
    } else {
        cold();
    }
}

// These are of another ABI than Rust's, because such a function does not unwind: the user's functions need no
// landing pads for probes.
#[inline(never)]
extern "C" fn line_by_call(frame: &Frame, line: u32) {
    begin_line(frame.lines, frame.current_line, line);
}

#[cold]
#[inline(never)]
extern "C" fn begin_line_slow(counters: &'static LineCounters, hit: bool) {
    recording::contained(|| {
        if let Some(thread) = current::recorder_if_any() {
            thread.begin_line_slow(counters, hit);
        }
    });
}

/// Ends a call, or the run of a closure.
#[inline(never)]
extern "C" fn close(thread: &'static ThreadRecorder, depth: u32, back_to: u32) {
    recording::contained(|| match back_to {
        ENDS => thread.exit(depth),
        line => thread.go_back_to(line),
    });
}

impl Probes for FrameProbe<'_> {
    #[inline]
    fn line(self, line: u32) {
        line_by_call(self.frame, line);
    }

    #[inline]
    fn hot_line(self, line: u32) {
        begin_line(self.lines, self.current_line, line);
    }

    #[inline]
    fn resume(self, line: u32) {
        if let Some(counters) = self.lines.get(line as usize)
            && !self.current_line.resume(counters)
        {
            begin_line_slow(counters, false);
        }
    }

    #[inline]
    fn loops_left(self) -> u32 {
        self.frame.leaving.get()
    }

    #[inline]
    fn set_loops_left(self, loops: u32) {
        self.frame.leaving.set(loops);
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            close(thread, self.depth, self.back_to);
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
        if recording::is_off() {
            return Frame::new(None, ENDS);
        }
        match current::current_call_of(site) {
            Some(probe) => Frame::new(Some(probe), probe.current()),
            None => Frame::new(ClosureFrame::open(site), ENDS),
        }
    }

    fn open(site: &'static Site) -> Option<CallHandle> {
        let recorder = start::recorder()?;
        let thread = current::recorder(&recorder.threads)?;
        let registered = recorder.register(site);
        let kind = match thread.find(registered) {
            Some(depth) => Kind::NestedClosure(depth),
            None => Kind::OtherThread,
        };
        Some(thread.enter(registered, kind))
    }
}

#[cfg(test)]
mod tests;
