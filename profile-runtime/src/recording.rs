//! Whether anything is recorded: the first question of every profiled function.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::message::message;
use crate::own_code;

/// Set when recording is off, when it could not begin, and together with `GIVEN_UP`.
static OFF: AtomicBool = AtomicBool::new(false);

/// Set in the child of a fork, and after a panic of our own. In the child there is no sampler, and locks may be held
/// for ever by threads that did not come along.
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

/// Whether recording is over for good.
#[inline]
pub(crate) fn has_given_up() -> bool {
    GIVEN_UP.load(Relaxed)
}

/// From now on nothing is recorded. Says whether this is the first call.
pub(crate) fn give_up() -> bool {
    OFF.store(true, Relaxed);
    !GIVEN_UP.swap(true, Relaxed)
}

/// Runs `work`, which memprof does inside a user's function. If it panics, that is a defect of ours: it is reported
/// once, nothing is recorded any more, and the program goes on. Does nothing where memprof was interrupted.
#[inline]
pub(crate) fn contained(work: impl FnOnce()) {
    let Some(_inside) = own_code::enter() else {
        return;
    };
    // Unwind-safe: what our locks guard is whole after every statement, and nobody uses it any more.
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
