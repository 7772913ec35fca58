//! What programs do to their own process, memprof neither disturbs nor is disturbed by: each test is a small program
//! that somebody has. The last test runs all of them once more as programs are shipped.
#![cfg(target_os = "linux")]

use std::path::Path;

use memprof_tests::program::{Finished, function, run};
use memprof_tests::shipped;

/// Runs the program with these arguments. It ends with its own exit code and says nothing on stderr but memprof's
/// summary.
#[track_caller]
fn undisturbed(program: &str, arguments: &[&str]) -> Finished {
    let finished = ended(program, arguments);
    let stderr = finished.stderr();
    assert!(!stderr.contains("memprof: "), "{stderr}");
    finished
}

/// The same, and it may say something.
#[track_caller]
fn ended(program: &str, arguments: &[&str]) -> Finished {
    let finished = run(program, arguments);
    let code = finished.output.status.code();
    assert_eq!(code, Some(7), "{arguments:?}\n{}", finished.stderr());
    finished
}

/// What the program wrote into its file is all that is there, and no reading is of that file.
fn check_descriptors(program: &str) {
    for how in ["over", "one by one", "closed"] {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("mine");
        let path = file.to_str().expect("a path");
        let recorded = undisturbed(program, &["descriptors", how, path]).recorded();
        assert_eq!(
            std::fs::read(&file).expect("written"),
            b"9999999999 9999999999 100 1 0 100 0\n",
            "{how}"
        );
        let process = &recorded.process;
        assert!(process.peak_rss < 1 << 30, "{how}: {}", process.peak_rss);
        let work = function(&recorded, "work");
        assert!(work.calls >= 3, "{how}");
        // Each call has a mebibyte for a moment.
        assert!(
            (1 << 20..2 << 20).contains(&work.peak_rss),
            "{how}: {}",
            work.peak_rss
        );
    }
}

#[test]
fn descriptors_are_taken_by_the_program() {
    check_descriptors(env!("CARGO_BIN_EXE_world"));
}

/// No call is lost, whether the signal came in the program's code or in memprof's.
fn check_signals(program: &str, length: &str) {
    let finished = undisturbed(program, &["signals", length]);
    let recorded = finished.recorded();
    let calls = |label| function(&recorded, label).calls;
    assert_eq!(
        finished.stdout(),
        format!("work {} handle {}\n", calls("work"), calls("handle"))
    );
    assert!(calls("handle") > 100, "{}", calls("handle"));
    // No hit is counted that was none.
    let handle = &function(&recorded, "handle").lines;
    assert!(handle.iter().all(|line| line.hits <= calls("handle")));
}

#[test]
fn signals_interrupt_memprof_and_their_handler_is_annotated() {
    check_signals(env!("CARGO_BIN_EXE_world"), "short");
}

#[test]
fn signals_interrupt_malloc_and_their_handler_is_annotated() {
    check_signals(env!("CARGO_BIN_EXE_world"), "allocating");
}

/// Threads that are cancelled leave no lock locked.
fn check_cancelled(program: &str, how: &str) {
    let finished = undisturbed(program, &["cancelled", how]);
    let calls = function(&finished.recorded(), "work").calls;
    assert_eq!(finished.stdout(), format!("work {calls}\n"));
}

#[test]
fn threads_are_cancelled_between_annotated_calls() {
    check_cancelled(env!("CARGO_BIN_EXE_world"), "outside");
}

#[test]
fn threads_are_cancelled_inside_of_annotated_calls() {
    check_cancelled(env!("CARGO_BIN_EXE_world"), "inside");
}

/// Whoever is there reads the process's memory.
fn check_main_ends(program: &str) {
    let recorded = undisturbed(program, &["main-ends"]).recorded();
    let (keeps, peaks) = (function(&recorded, "keeps"), function(&recorded, "peaks"));
    assert_eq!((keeps.calls, keeps.threads), (5, 5));
    let slack = 1 << 20;
    let between = |what: u64, low: u64| (low..low + slack).contains(&what);
    assert!(between(keeps.peak_rss, 10 << 20), "{}", keeps.peak_rss);
    assert!(between(peaks.peak_rss, 30 << 20), "{}", peaks.peak_rss);
    let highest = recorded.process.peak_rss;
    assert!((70 << 20..90 << 20).contains(&highest), "{highest}");
    assert!(recorded.series.iter().all(|sample| sample.rss > 1 << 20));
}

#[test]
fn the_main_thread_ends_before_the_others() {
    check_main_ends(env!("CARGO_BIN_EXE_world"));
}

/// Calls count, though the thread has given back what it records with.
fn check_taken_down(program: &str) {
    let finished = undisturbed(program, &["taken-down"]);
    let work = &function(&finished.recorded(), "work").clone();
    assert_eq!(finished.stdout(), format!("work {}\n", work.calls));
    assert_eq!(work.calls, 1 + 100 * (1 + 2 * 7) + 7 + 1);
    assert!(work.lines.iter().all(|line| line.hits <= work.calls));
}

#[test]
fn calls_are_made_while_threads_and_the_process_are_taken_down() {
    check_taken_down(env!("CARGO_BIN_EXE_world"));
}

/// A child that is forked while another thread makes the first annotated call does not wait for it.
fn check_fork_during_the_start(program: &str, times: usize) {
    for _ in 0..times {
        let recorded = undisturbed(program, &["beginnings", "fork"]).recorded();
        assert_eq!(function(&recorded, "work").calls, 1);
    }
}

#[test]
fn children_are_forked_during_the_first_annotated_call() {
    check_fork_during_the_start(env!("CARGO_BIN_EXE_world"), 10);
}

/// Several threads end the process at once, and it has its report. Threads that do so before anything was recorded
/// leave a whole one, or none.
fn check_exit_during_the_start(program: &str, times: usize) {
    for _ in 0..times {
        let recorded = undisturbed(program, &["beginnings", "exit"]).recorded();
        assert!(function(&recorded, "work").calls > 0);
        // A first call that comes when the handlers of `exit` have been called is told that there is no report.
        for run in ended(program, &["beginnings", "exit", "early"]).runs() {
            assert!(function(&run, "work").calls > 0);
        }
    }
}

#[test]
fn threads_exit_while_others_make_their_first_annotated_call() {
    check_exit_during_the_start(env!("CARGO_BIN_EXE_world"), 10);
}

/// The smallest stack that a thread can have is enough for the first annotated call, and for the end of the process.
fn check_small_stacks(program: &str) {
    for (beginning, kib) in [("stack", "16"), ("exit-stack", "16"), ("exit-stack", "64")] {
        let recorded = undisturbed(program, &["beginnings", beginning, kib]).recorded();
        assert_eq!(function(&recorded, "work").calls, 1, "{beginning} {kib}");
    }
}

#[test]
fn stacks_are_small_at_the_start_and_at_the_end() {
    check_small_stacks(env!("CARGO_BIN_EXE_world"));
}

/// The program as small as it gets: optimised for size as a whole, stripped, and without unwinding.
#[test]
#[ignore = "builds memprof once more: .ci/run runs it"]
fn the_same_as_programs_are_shipped() {
    let programs = shipped::built(Path::new(env!("CARGO_TARGET_TMPDIR")), &["world"]);
    let program = programs.join("world");
    let program = program.to_str().expect("a path");
    check_descriptors(program);
    for how in ["short", "allocating"] {
        check_signals(program, how);
    }
    for how in ["outside", "inside"] {
        check_cancelled(program, how);
    }
    check_main_ends(program);
    check_taken_down(program);
    check_fork_during_the_start(program, 10);
    check_exit_during_the_start(program, 10);
    check_small_stacks(program);
}
