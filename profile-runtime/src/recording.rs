//! Whether anything is recorded: what a profiled function asks first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::message::message;

/// Set when recording is off or could not begin, and with `GIVEN_UP`.
static OFF: AtomicBool = AtomicBool::new(false);

/// Set in the child of a fork: the sampler did not come along, and locks may be held for ever by
/// threads that did not either, so nothing is recorded there. And set after a panic of our own.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

/// Whether nothing will ever be recorded in this process.
#[inline]
pub(crate) fn is_off() -> bool {
    OFF.load(Relaxed)
}

/// Nothing will ever be recorded in this process.
pub(crate) fn switch_off() {
    OFF.store(true, Relaxed);
}

/// Whether recording has begun and is over for good.
#[inline]
pub(crate) fn has_given_up() -> bool {
    GIVEN_UP.load(Relaxed)
}

/// From now on nothing is recorded. Says whether something was until now.
pub(crate) fn give_up() -> bool {
    OFF.store(true, Relaxed);
    !GIVEN_UP.swap(true, Relaxed)
}

/// Runs what memprof does inside a user's function. If it panics, which is a defect of ours, it says so once,
/// and nothing is recorded any more: the program goes on.
#[inline]
pub(crate) fn contained(work: impl FnOnce()) {
    // What is behind our locks is whole after every statement, and nobody asks for it any more.
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        give_up_for_a_defect();
    }
}

#[cold]
fn give_up_for_a_defect() {
    if give_up() {
        message(
            "nothing is recorded any more, because of a defect of memprof's own (the panic above); \
             please report it",
        );
    }
}
