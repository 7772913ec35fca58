//! Futures that hold memory while they wait: peak, timeline, and what is told of those that are suspended.

use std::path::Path;
use std::time::Duration;

use memprof::report::read_run;
use memprof::run::{FunctionProfile, Run, RunOutcome};
use memprof_tests::killed::Killed;
use memprof_tests::program::{function, run};
use memprof_tests::truth::{check_invariants, check_sums};

const AWAITS: &str = env!("CARGO_BIN_EXE_awaits");

/// Of 50 futures.
const HELD: i64 = 50 * 100_000;

#[track_caller]
fn line_with(profile: &FunctionProfile, source: &str) -> u32 {
    let line = profile
        .lines
        .iter()
        .find(|line| line.source.contains(source));
    line.expect("the line").line
}

/// The same memory, and a timeline like that of the function without `async`.
#[track_caller]
fn like_the_twin(runtime: &str) {
    let finished = run(AWAITS, &[runtime]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    let run = finished.recorded();
    check_invariants(&run);
    let (plain, awaiting) = (function(&run, "plain"), function(&run, "awaiting"));
    for profile in [plain, awaiting] {
        let heap = profile.heap.expect("counted");
        assert_eq!((heap.allocated, heap.peak), (100 << 20, 100 << 20));
        let at = profile.peak_at.expect("when");
        assert!(at.line.is_some() && at.from_ns < at.to_ns, "{at:?}");
        let busy = line_with(profile, "busy(&held)");
        let points = profile.series.iter();
        let points = points.filter(|sample| sample.line == Some(busy));
        let line = profile.lines.iter().find(|line| line.line == busy);
        let samples = line.expect("the line").samples;
        // 200 ms at 1 ms, on a machine with other things to do.
        assert!(
            samples >= 10,
            "{runtime}: {samples} samples of {}",
            profile.label
        );
        assert!(points.count() >= 10, "{runtime}: {}", profile.label);
        let heap = profile.series.iter().filter_map(|sample| sample.heap).max();
        assert!(heap >= Some(100 << 20), "{heap:?}");
    }
    assert!(awaiting.series.len() <= 1_024);
    assert!(awaiting.series.is_sorted_by_key(|sample| sample.t_ns));
    // Each suspension is a gap: a point without a line, then one at which it goes on.
    let gaps = awaiting.series.windows(2).filter(|pair| {
        let waits = line_with(awaiting, "yield_now().await");
        pair[0].line.is_none() && pair[1].line.is_some_and(|line| line >= waits)
    });
    assert_eq!(gaps.count(), 2, "{:?}", awaiting.series);
}

#[test]
fn a_future_on_one_thread_has_the_peak_and_the_timeline_of_a_function() {
    like_the_twin("block_on");
}

#[test]
fn a_future_under_a_runtime_has_the_peak_and_the_timeline_of_a_function() {
    like_the_twin("tokio");
}

#[test]
fn a_future_on_a_new_thread_at_each_poll_has_the_peak_and_the_timeline_of_a_function() {
    like_the_twin("threads");
}

/// Runs what works for a part of the time, and gives by how much the time of the function with this label is told
/// too long, with its line that works.
#[track_caller]
fn told_by_truth(mode: &str, label: &str) -> (f64, f64) {
    let finished = run(AWAITS, &[mode]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    let recorded = finished.recorded();
    let profile = function(&recorded, label);
    check_sums(profile);
    let truth: f64 = finished.stdout().trim().parse().expect("nanoseconds");
    let spins = line_with(profile, "spin()");
    let spins = profile.lines.iter().find(|line| line.line == spins);
    let of_line = spins.expect("the line").time_ns as f64;
    (
        profile.time_ns as f64 / truth,
        of_line / profile.time_ns as f64,
    )
}

/// Time is met by chance: one of three runs is near enough.
#[track_caller]
fn is_near(mode: &str, label: &str) {
    let runs: Vec<_> = (0..3).map(|_| told_by_truth(mode, label)).collect();
    let near = |(told, line): &(f64, f64)| (0.5..1.5).contains(told) && *line > 0.4;
    assert!(runs.iter().any(near), "{mode}: {runs:?}");
}

#[test]
fn time_between_polls_is_nobodys_and_time_in_them_is_that_of_the_line_that_takes_it() {
    is_near("idle_between_polls", "polled_often");
}

#[test]
fn time_between_calls_of_an_idle_thread_is_nobodys() {
    is_near("idle_between_calls", "called_often");
}

#[test]
fn a_snapshot_has_what_is_suspended_in_totals_and_at_its_await() {
    let finished = run(AWAITS, &["snapshot"]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    // Label, suspended, held, allocated, freed; and the lines.
    let expected = "\
connection 50 5000000 5050000 50000 [(\"request().await;\", 50, 5000000)]
request 50 0 50000 50000 [(\"std::future::pending::<()>().await;\", 50, 0)]
";
    assert_eq!(finished.stdout(), expected);
    // At the end the futures have been dropped.
    let run = finished.recorded();
    check_invariants(&run);
    let connection = function(&run, "connection");
    assert_eq!((connection.suspended, connection.suspended_heap), (0, 0));
}

/// What is known of the futures of a program that was killed while they waited.
#[track_caller]
fn tells_what_waits(run: &Run) {
    let connection = function(run, "connection");
    run.functions.iter().for_each(check_sums);
    assert_eq!((connection.calls, connection.suspended), (50, 50));
    assert_eq!(connection.suspended_heap, HELD);
    let heap = connection.heap.expect("counted");
    assert_eq!((heap.allocated, heap.net), (5_050_000, HELD));
    assert!(connection.time_ns > 0);
    let waits = line_with(connection, "request().await");
    let waiting = connection.lines.iter().find(|line| line.suspended > 0);
    let waiting = waiting.expect("a line");
    assert_eq!((waiting.line, waiting.suspended), (waits, 50));
    assert_eq!(waiting.suspended_heap, HELD);
    let highest = connection.highest_call().expect("a call");
    assert_eq!(highest.height(), 101_000);
}

#[test]
fn a_killed_program_tells_where_its_futures_waited() {
    let killed = Killed::after(AWAITS, &["killed"], Duration::from_secs(3));
    let journal = killed.journal().expect("it ran long enough for one");
    let folder: &Path = journal.parent().expect("a folder");
    let text = std::fs::read(&journal).expect("there");
    tells_what_waits(&memprof::report::parse_journal(&text).expect("a run"));
    let recovered = memprof::recover(killed.root()).expect("recovered");
    assert_eq!(recovered, [std::fs::canonicalize(folder).expect("there")]);
    let run = read_run(folder).expect("written");
    assert_eq!(run.outcome, RunOutcome::Recovered);
    tells_what_waits(&run);
    let summary = memprof::report::summary(&run, None, 100);
    let waits = line_with(function(&run, "connection"), "request().await");
    let said = format!(
        "Suspended calls of connection: 50, holding 4.768 MiB of heap: 50 at line {waits}, `request().await;`."
    );
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&summary).contains(&words(&said)), "{summary}");
}
