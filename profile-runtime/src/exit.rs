//! The end of the process: the run is written when `main` returns, when a thread calls `exit`, and
//! when the test harness ends, whether or not something panicked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::message;
use crate::os::hooks;
use crate::recorder::{Recorder, forked};

/// Has the run written when the process ends.
pub(crate) fn at_exit() {
    if !hooks::install(write_at_exit, forked) {
        message(
            "the run will not be written by itself: atexit refused; call memprof::write_reports()",
        );
    }
}

extern "C" fn write_at_exit() {
    // Unwinding out of an `extern "C"` function would abort the user's program.
    if catch_unwind(AssertUnwindSafe(finish)).is_err() {
        message("the reports could not be written: a bug in memprof, please report it");
    }
}

fn finish() {
    let Some(recorder) = Recorder::running() else {
        return;
    };
    if let Some(complaint) = recorder.meter().take_complaint() {
        message(&complaint);
    }
    // Without renderers there is nothing to write; the program takes its data with `snapshot`.
    #[cfg(feature = "report")]
    crate::output::finish(recorder);
}
