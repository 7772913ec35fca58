//! The run is written however the program ends, and the program ends as it would without memprof.

use memprof::run::{Outcome, RunOutcome};
use memprof_tests::program::{Finished, function, run, run_with};
use memprof_tests::truth::check_invariants;

fn ends(ending: &str, code: i32) -> Finished {
    let finished = run(env!("CARGO_BIN_EXE_ends"), &[ending]);
    assert_eq!(
        finished.output.status.code(),
        Some(code),
        "{}",
        finished.stderr()
    );
    let recorded = finished.recorded();
    assert_eq!(recorded.outcome, RunOutcome::Exited);
    check_invariants(&recorded);
    assert_eq!(
        function(&recorded, "work").call_records[0].outcome,
        Outcome::Returned
    );
    finished
}

#[test]
fn by_returning_from_main() {
    let finished = ends("return", 0);
    assert!(finished.stderr().contains("work"), "a summary");
}

#[test]
fn by_a_panic_in_main() {
    let finished = ends("panic", 101);
    assert!(finished.stderr().contains("on purpose"));
    assert_eq!(function(&finished.recorded(), "panics").panics, 1);
}

#[test]
fn after_a_panic_in_a_thread() {
    let recorded = ends("thread-panic", 0).recorded();
    let panics = function(&recorded, "panics");
    assert_eq!(panics.call_records[0].outcome, Outcome::Panicked);
    assert_eq!(panics.call_records[0].thread, 2);
}

#[test]
fn by_exit_inside_and_outside_of_annotated_calls() {
    ends("exit", 7);
    for ending in ["exit-inside", "exit-in-thread"] {
        let recorded = ends(ending, 7).recorded();
        let call = &function(&recorded, "exits").call_records[0];
        assert_eq!(call.outcome, Outcome::Running);
        assert!(call.net_rss >= 2 << 20, "{}", call.net_rss);
    }
}

#[test]
fn while_a_thread_is_still_at_work() {
    let recorded = ends("while-a-thread-works", 0).recorded();
    let works = function(&recorded, "works_for_ever");
    assert_eq!(works.call_records[0].outcome, Outcome::Running);
    assert!(works.peak_rss >= 3 << 20, "{}", works.peak_rss);
    assert!(works.series.len() > 10, "{}", works.series.len());
}

#[test]
fn writing_again_replaces_the_same_files() {
    let recorded = ends("write-twice", 0).recorded();
    assert_eq!(function(&recorded, "work").calls, 2);
}

#[test]
fn the_child_of_a_fork_leaves_the_run_to_its_parent() {
    let recorded = ends("fork", 0).recorded();
    assert_eq!(function(&recorded, "work").calls, 2);
}

#[test]
fn switched_off_nothing_is_written_or_said() {
    let finished = run_with(env!("CARGO_BIN_EXE_ends"), &["return"], |command| {
        command.env("MEMPROF", "0");
    });
    assert!(finished.output.status.success());
    assert_eq!(finished.stderr(), "");
    let entries = std::fs::read_dir(finished.root()).expect("the folder");
    assert_eq!(entries.count(), 0);
}

#[test]
fn quiet_writes_and_says_nothing() {
    let finished = run_with(env!("CARGO_BIN_EXE_ends"), &["return"], |command| {
        command.env("MEMPROF_QUIET", "1");
    });
    assert_eq!(finished.stderr(), "");
    assert_eq!(finished.recorded().functions.len(), 1);
}
