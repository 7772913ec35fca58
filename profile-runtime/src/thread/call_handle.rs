//! What frames and probes of a call in progress hold.

use super::thread_recorder::ThreadRecorder;
use crate::counters::site::SiteCounters;

/// A call of the calling thread, as its probes need it: the thread's recorder, the site's counters, and the
/// call's depth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallHandle {
    pub recorder: &'static ThreadRecorder,
    pub counters: &'static SiteCounters,
    pub depth: u32,
}

impl CallHandle {
    /// For a call of the calling thread, whose recorder this is.
    #[inline]
    pub(crate) fn new(
        recorder: &'static ThreadRecorder,
        counters: &'static SiteCounters,
        depth: u32,
    ) -> CallHandle {
        CallHandle {
            recorder,
            counters,
            depth,
        }
    }

    /// The call comes to `line`: one hit.
    #[inline]
    pub(crate) fn line(&self, line: u32) {
        if let Some(counters) = self.counters.line(line as usize) {
            self.recorder.hit_line(counters);
        }
    }

    /// The call goes back to `line`, without a hit.
    #[inline]
    pub(crate) fn resume(&self, line: u32) {
        self.recorder.resume_line(self.counters.at(line));
    }

    /// The line at which the call is, given that it is the innermost.
    pub(crate) fn current(&self) -> u32 {
        self.counters.place(self.recorder.current_line().line())
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// The call has the size `n`.
    pub(crate) fn set_size(&self, n: f64) {
        self.recorder.set_size(self.depth, n);
    }

    /// Ends the call.
    pub(crate) fn exit(&self) {
        self.recorder.exit(self.depth);
    }
}
