//! The end of the process: has the run written when `main` returns, when a thread calls `exit`, and when the test
//! harness ends, whether or not something panicked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::heap;
use crate::message::message;
use crate::os::hooks;
use crate::recorder;
use crate::recording;
use crate::thread::current;

/// The exit code of a test program in which a test has failed.
const FAILED: i32 = 101;

/// Sets up that the run is written when the process ends.
pub(crate) fn at_exit() {
    if !hooks::install(write_at_exit, forked) {
        message(
            "the run will not be written by itself: atexit refused; call memprof::write_reports()",
        );
    }
}

/// Called in the child of a fork.
extern "C" fn forked() {
    recording::give_up();
    let _ = current::forget_recorder();
    heap::origins::stop();
}

/// Called when the process ends. `status`: its exit code, where that is known.
fn write_at_exit(status: Option<i32>) {
    // Unwinding out of a function that C calls would abort the user's program.
    match catch_unwind(AssertUnwindSafe(|| finish(status))) {
        Ok(false) => {}
        Ok(true) => hooks::end_with(status.filter(|&status| status != 0).unwrap_or(FAILED)),
        Err(_) => message("the reports could not be written: a bug in memprof, please report it"),
    }
}

/// Says whether the process must end with a failure.
fn finish(status: Option<i32>) -> bool {
    let Some(recorder) = recorder::running() else {
        return false;
    };
    if let Some(complaint) = recorder.instruments.meter.take_complaint() {
        message(&complaint);
    }
    // Without renderers there is nothing to write; the program takes its data with `snapshot`.
    #[cfg(feature = "report")]
    return crate::files::finish::finish(recorder, status);
    #[cfg(not(feature = "report"))]
    {
        let _ = status;
        false
    }
}
