//! The calling thread's recorder, and the call that it is in.

use std::cell::Cell;

use super::call_handle::CallHandle;
use super::registry::ThreadRegistry;
use super::thread_recorder::ThreadRecorder;
use crate::counters::line::NO_CURRENT_LINE;
use crate::heap;
use crate::heap::origins::BlockOwner;
use crate::own_code;
use crate::recording;
use crate::site::annotated::Site;

/// Without a destructor, so that an access need not check whether it is still there.
struct CurrentThread {
    recorder: Cell<Option<&'static ThreadRecorder>>,
    /// Where the recorder comes from.
    registry: Cell<Option<&'static ThreadRegistry>>,
    /// For the probes of futures; see `Frame::leaving`.
    loops_being_left: Cell<u32>,
}

/// Gives the recorder back when the thread ends.
struct GiveRecorderBack;

impl Drop for GiveRecorderBack {
    fn drop(&mut self) {
        let Some(_inside) = own_code::enter() else {
            return;
        };
        let registry = CURRENT.with(|current| current.registry.take());
        if let (Some(recorder), Some(registry)) = (forget_recorder(), registry)
            && !recording::has_given_up()
        {
            registry.give_back(recorder);
        }
    }
}

thread_local! {
    static CURRENT: CurrentThread = const {
        CurrentThread {
            recorder: Cell::new(None),
            registry: Cell::new(None),
            loops_being_left: Cell::new(0),
        }
    };
    static GIVE_BACK: GiveRecorderBack = const { GiveRecorderBack };
}

/// The calling thread's recorder, if it has one.
#[inline]
pub(crate) fn recorder_if_any() -> Option<&'static ThreadRecorder> {
    CURRENT.with(|current| current.recorder.get())
}

/// The calling thread's recorder, taken from `registry` if it has none; `None` while the thread is being
/// taken down.
pub(crate) fn recorder(registry: &'static ThreadRegistry) -> Option<&'static ThreadRecorder> {
    if let Some(recorder) = recorder_if_any() {
        return Some(recorder);
    }
    GIVE_BACK.try_with(|_| ()).ok()?;
    let recorder = heap::without_counting(|| registry.take());
    recorder.count_heap_on(heap::of_this_thread());
    CURRENT.with(|current| {
        current.recorder.set(Some(recorder));
        current.registry.set(Some(registry));
    });
    heap::set_current_line_source(recorder.current_line());
    Some(recorder)
}

/// Takes the calling thread's recorder away, and gives it.
pub(crate) fn forget_recorder() -> Option<&'static ThreadRecorder> {
    heap::set_current_line_source(&NO_CURRENT_LINE);
    CURRENT.with(|current| current.recorder.take())
}

/// The calling thread's innermost call, if it is one of `site`.
#[inline]
pub(crate) fn current_call_of(site: &'static Site) -> Option<CallHandle> {
    let recorder = recorder_if_any()?;
    let (innermost, counters, depth) = recorder.innermost()?;
    std::ptr::eq(innermost.spec, &raw const site.spec)
        .then(|| CallHandle::new(recorder, counters, depth))
}

/// The owner of a block that the calling thread allocates now: its current line, and its innermost call's id.
pub(crate) fn current_block_owner() -> Option<BlockOwner> {
    recorder_if_any()?.block_owner()
}

/// How many loops the innermost call's current statement is leaving.
#[inline]
pub(crate) fn loops_being_left() -> u32 {
    CURRENT.with(|current| current.loops_being_left.get())
}

/// See [`loops_being_left`].
#[inline]
pub(crate) fn set_loops_being_left(loops: u32) {
    CURRENT.with(|current| current.loops_being_left.set(loops));
}
