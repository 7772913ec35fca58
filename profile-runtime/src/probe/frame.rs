//! The frame that generated code holds while an annotated function, or one of its closures, runs on this thread.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use super::scope_guards::{Probes, cold, guards};
use crate::counters::line::{CurrentLine, LineCounters, NO_CURRENT_LINE, NO_LINE};
use crate::heap;
use crate::own_code;
use crate::process::start;
use crate::recorder;
use crate::recording;
use crate::site::annotated::Site;
use crate::thread::call_handle::CallHandle;
use crate::thread::current;
use crate::thread::open_call::Kind;
use crate::thread::thread_recorder::ThreadRecorder;

/// In place of a line to go back to: there is none, because the call ends. Not `NO_LINE`, which is where a call
/// is before its first line.
const ENDS: u32 = NO_LINE - 1;

/// A call in progress, or a run of a closure. Dropping it ends the call or run, however control leaves.
// Kept small: every level of a recursion has one.
#[derive(Debug)]
pub struct Frame {
    /// The counters of the site's lines; empty when recording is off.
    lines: &'static [LineCounters],
    current_line: &'static CurrentLine,
    /// `None` when recording is off.
    thread: Option<&'static ThreadRecorder>,
    depth: u32,
    /// How many loops the current statement is leaving. The headers of these are not run again.
    leaving: Cell<u32>,
    /// The line to go back to at the end; `ENDS` if the call or run ends then.
    back_to: u32,
    /// A frame belongs to the thread that made it.
    thread_bound: PhantomData<*const ()>,
}

/// The probes of a frame's lines. They work on copies of what they need, which never change, so that the compiler
/// can keep these in registers.
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
        let Some(_inside) = own_code::enter() else {
            site.count_only();
            return Frame::new(None, ENDS);
        };
        if let Some(thread) = current::recorder_if_any()
            && let Some(site) = site.registered_already()
            && let Some(handle) = thread.enter_counted(site)
        {
            return Frame::new(Some(handle), ENDS);
        }
        Frame::open_measured(site)
    }

    #[cold]
    #[inline(never)]
    fn open_measured(site: &'static Site) -> Frame {
        if heap::must_not_allocate() {
            site.count_only();
            return Frame::new(None, ENDS);
        }
        let handle = recorder::opening(|| {
            let recorder = start::recorder()?;
            let Some(thread) = current::recorder(&recorder.threads) else {
                // In a destructor of a thread-local, when the thread has given its recorder back.
                site.count_only();
                return None;
            };
            Some(thread.enter(recorder.register(site), Kind::Call))
        });
        Frame::new(handle, ENDS)
    }

    #[inline]
    fn new(handle: Option<CallHandle>, back_to: u32) -> Frame {
        let (lines, current_line, thread, depth): (&[_], _, _, _) = match handle {
            Some(handle) => (
                handle.counters.lines(),
                handle.recorder.current_line(),
                Some(handle.recorder),
                handle.depth,
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

    /// The probes of its lines.
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
    // Most probes put nothing but a call into the user's function. On probes with branches the compiler would
    // spend more time than on the rest of the function.
    #[inline]
    pub fn line(&self, line: u32) {
        line_by_call(self.frame, line);
    }

    /// [`FrameProbe::line`] in a loop, where a nanosecond counts: inlined.
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

// `extern "C"`: such a function does not unwind, so the user's functions need no landing pads for probes.
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
/// A closure is run by whoever has it:
///
/// - straight from its function, it only switches lines, like a block;
/// - from inside other annotated calls on the same thread, it books on its own lines, and that is taken off the
///   line that made these calls (`Kind::NestedClosure`);
/// - on another thread, it is counted apart, as work for its function (`Kind::OtherThread`).
#[derive(Debug)]
pub struct ClosureFrame;

impl ClosureFrame {
    /// Begins a run of a closure of `site`. Does nothing when recording is off.
    #[must_use]
    pub fn enter(site: &'static Site) -> Frame {
        if recording::is_off() {
            return Frame::new(None, ENDS);
        }
        let Some(_inside) = own_code::enter() else {
            return Frame::new(None, ENDS);
        };
        match current::current_call_of(site) {
            Some(handle) => Frame::new(Some(handle), handle.current()),
            None => Frame::new(ClosureFrame::open(site), ENDS),
        }
    }

    fn open(site: &'static Site) -> Option<CallHandle> {
        if heap::must_not_allocate() {
            return None;
        }
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
