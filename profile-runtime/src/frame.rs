//! The guards that generated code holds: a call in progress, and the scopes inside it.
//!
//! Their names are short because they stand in every expansion.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::AtomicU64;

use crate::lane::{Lane, hit};
use crate::recorder::Recorder;
use crate::site::Site;

/// A call in progress. Dropping it ends the call, however control leaves the function.
#[derive(Debug)]
pub struct Frame {
    open: Option<Open>,
    /// Loops that are being left; their headers are not run again.
    leaving: Cell<u32>,
    /// A frame belongs to the thread that made it.
    thread_bound: PhantomData<*const ()>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    lane: &'static Lane,
    hits: &'static [AtomicU64],
    depth: usize,
}

impl Frame {
    /// Opens a call of `site` on this thread. Does nothing when recording is off.
    #[must_use]
    pub fn enter(site: &'static Site) -> Frame {
        Frame {
            open: Recorder::get().and_then(|recorder| {
                let lane = recorder.lane()?;
                let (hits, depth) = lane.enter(recorder, recorder.register(site));
                Some(Open { lane, hits, depth })
            }),
            leaving: Cell::new(0),
            thread_bound: PhantomData,
        }
    }

    /// The line `line` begins: one hit.
    #[inline]
    pub fn line(&self, line: u32) {
        if let Some(open) = &self.open {
            hit(open.lane, open.hits, line);
        }
    }

    /// Goes back to `line` without a hit.
    #[inline]
    fn resume(&self, line: u32) {
        if let Some(open) = &self.open {
            open.lane.switch_line(line, false);
        }
    }

    /// At the end of a scope, before its locals drop: `line`, the closing brace, begins.
    #[inline]
    #[must_use]
    pub fn end(&self, line: u32) -> End<'_> {
        End { frame: self, line }
    }

    /// At the end of a loop's body: the loop's header, `line`, runs again.
    #[inline]
    #[must_use]
    pub fn again(&self, line: u32) -> Again<'_> {
        Again { frame: self, line }
    }

    /// At the end of a block inside a larger expression: `line` goes on.
    #[inline]
    #[must_use]
    pub fn back(&self, line: u32) -> Back<'_> {
        Back { frame: self, line }
    }

    /// The statement that follows leaves this many loops: their headers are not run again, their
    /// closing braces are not reached, and what it frees on the way is freed by its own line.
    #[inline]
    pub fn leaving(&self, loops: u32) {
        self.leaving.set(loops);
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.lane.exit(open.depth);
        }
    }
}

/// See [`Frame::end`].
#[derive(Debug)]
pub struct End<'frame> {
    frame: &'frame Frame,
    line: u32,
}

impl Drop for End<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.frame.leaving.get() == 0 {
            self.frame.line(self.line);
        }
    }
}

/// See [`Frame::again`].
#[derive(Debug)]
pub struct Again<'frame> {
    frame: &'frame Frame,
    line: u32,
}

impl Drop for Again<'_> {
    #[inline]
    fn drop(&mut self) {
        match self.frame.leaving.get() {
            0 => self.frame.line(self.line),
            loops => self.frame.leaving.set(loops - 1),
        }
    }
}

/// See [`Frame::back`].
#[derive(Debug)]
pub struct Back<'frame> {
    frame: &'frame Frame,
    line: u32,
}

impl Drop for Back<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.frame.leaving.get() == 0 {
            self.frame.resume(self.line);
        }
    }
}
