//! The end of the process: has the run written when `main` returns, when a thread calls `exit`, and when the test
//! harness ends, whether or not something panicked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::heap;
use crate::message::message;
use crate::os::hooks;
use crate::os::own_stack::on_own_stack;
use crate::own_code::{self, uncancelled};
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
    #[cfg(feature = "report")]
    crate::files::work::forked();
    let _ = current::forget_recorder();
    heap::origins::stop();
    heap::own_heap::stop();
}

/// Called when the process ends. `status`: its exit code, where that is known.
fn write_at_exit(status: Option<i32>) {
    match own_code::enter() {
        Some(_inside) => end(status),
        None => message(
            "no reports are written, because exit was called by a signal handler that interrupted memprof; what was \
             recorded is in the run's journal, if the run was long enough to have one",
        ),
    }
}

fn end(status: Option<i32>) {
    let _uncancelled = uncancelled(|| ());
    // Unwinding out of a function that C calls would abort the user's program.
    let finish = || heap::without_counting(|| on_own_stack(|| finish(status)));
    match catch_unwind(AssertUnwindSafe(finish)) {
        Ok(false) => {}
        Ok(true) => hooks::end_with(status.filter(|&status| status != 0).unwrap_or(FAILED)),
        Err(_) => message("the reports could not be written: a bug in memprof, please report it"),
    }
}

/// Says whether the process must end with a failure.
fn finish(status: Option<i32>) -> bool {
    recorder::wait_for_first_call();
    let Some(recorder) = recorder::running() else {
        return false;
    };
    let failed = write_last(recorder, status);
    // Last, because the last reading can be the one that goes wrong.
    if let Some(complaint) = recorder.instruments.meter.take_complaint() {
        message(&complaint);
    }
    failed
}

#[cfg(feature = "report")]
fn write_last(recorder: &'static recorder::Recorder, status: Option<i32>) -> bool {
    crate::files::finish::finish(recorder, status)
}

/// Without renderers there is nothing to write; the program takes its data with `snapshot`.
#[cfg(not(feature = "report"))]
fn write_last(_recorder: &'static recorder::Recorder, _status: Option<i32>) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::own_process::alone;
    #[cfg(feature = "report")]
    use crate::os::own_process::alone_with;
    use crate::probe::frame::Frame;
    use crate::process::start;
    use crate::site::annotated::Site;
    use crate::site::spec::SiteSpec;
    use crate::snapshot::snapshot;

    static SITE: Site = Site::new(SiteSpec {
        name: || "demo::f::__MEMPROF_SITE",
        label: None,
        block: None,
        file: "src/f.rs",
        line: 1,
        interval_ns: 10_000_000,
        source: "fn f() {\n    g();\n}\n",
        source_line: 1,
        lines: &[2, 3],
    });

    /// One call of a function with two lines.
    fn call() {
        let frame = Frame::enter(&SITE);
        frame.probe().line(0);
        frame.probe().line(1);
    }

    fn calls() -> u64 {
        let run = snapshot();
        run.map_or(0, |run| {
            run.functions.iter().map(|function| function.calls).sum()
        })
    }

    #[test]
    fn exit_a_process_in_which_nothing_was_recorded_has_nothing_to_say_at_its_end() {
        alone(|| assert!(!finish(Some(0))));
    }

    #[test]
    fn exit_nothing_is_recorded_in_the_child_of_a_fork() {
        alone(|| {
            call();
            assert_eq!(calls(), 1);
            assert!(current::recorder_if_any().is_some());
            forked();
            assert!(recording::is_off() && recording::has_given_up());
            assert!(current::recorder_if_any().is_none());
            assert!(start::recorder().is_none() && snapshot().is_none());
            call();
            assert!(current::recorder_if_any().is_none());
            assert!(!finish(Some(0)), "and nothing is written");
        });
    }

    #[cfg(feature = "report")]
    #[test]
    fn exit_the_run_is_written_at_the_end() {
        alone(|| {
            call();
            assert!(!finish(Some(0)));
            let runs = std::env::var("MEMPROF_DIR").expect("the test has its own");
            let run = std::path::Path::new(&runs).join("latest/run.json");
            let run = memprof_report::read_run(run).expect("it was written");
            assert_eq!(run.outcome, memprof_model::run::RunOutcome::Exited);
            assert_eq!(
                (run.functions[0].label.as_str(), run.functions[0].calls),
                ("f", 1)
            );
        });
    }

    #[cfg(feature = "report")]
    #[test]
    fn exit_the_process_fails_where_a_baseline_is_to_be_checked_and_is_missing() {
        let package = tempfile::tempdir().expect("a folder");
        let file = package.path().join("memprof-baseline.json");
        let environment = [
            ("MEMPROF_BASELINE", "check"),
            (
                "MEMPROF_BASELINE_FILE",
                file.to_str().expect("a name in Unicode"),
            ),
        ];
        alone_with(&environment, || {
            call();
            assert!(finish(Some(0)));
            // The process's own end would be another failure.
            recording::give_up();
        });
    }

    #[test]
    fn exit_what_went_wrong_with_a_reading_is_said_at_the_end() {
        alone(|| {
            let script = crate::os::scripted::Script::leaked(1 << 20);
            let instruments = crate::reading::instruments::Instruments::scripted(script);
            let recorder = crate::recorder::Recorder::new(crate::Settings::new(), instruments);
            recorder::install(|| Some(Box::leak(Box::new(recorder))));
            script.set_readable(false);
            instruments.meter.sample();
            script.set_readable(true);
            assert!(!finish(Some(0)));
            assert_eq!(instruments.meter.take_complaint(), None, "it was said");
        });
    }
}
