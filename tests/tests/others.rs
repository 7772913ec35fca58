//! What other threads do to RSS is not a thread's own: neither in lines, nor in calls, nor in the sums over calls.

use memprof::run::{FunctionProfile, Line, Run};
use memprof_tests::program::{function, run};
use memprof_tests::truth::check_invariants;

const COUNTED: &str = env!("CARGO_BIN_EXE_others_counted");
const NOT_COUNTED: &str = env!("CARGO_BIN_EXE_others");

/// Stacks, the first use of code, and allocators' own tables, of ten threads.
const SMALL: i64 = 1 << 20;

/// What a thread allocates in one go.
const BYTES: i64 = 16_000_000;
const THREADS: i64 = 10;

fn line<'run>(function: &'run FunctionProfile, source: &str) -> &'run Line {
    let mut lines = function.lines.iter();
    let found = lines.find(|line| line.source.contains(source));
    found.unwrap_or_else(|| panic!("no line with {source:?}"))
}

#[track_caller]
fn assert_between(found: i64, least: i64, most: i64) {
    assert!(
        (least..=most).contains(&found),
        "{found}, and not {least} to {most}"
    );
}

/// By how much the process grew from the first entry into a function to the last exit, whoever was at work.
fn growth_of_the_process(run: &Run) -> i64 {
    let calls = || {
        run.functions
            .iter()
            .flat_map(|function| &function.call_records)
    };
    let first = calls().min_by_key(|call| call.start_ns).expect("calls");
    let last = calls().max_by_key(|call| call.end_ns).expect("calls");
    last.exit_rss as i64 - first.entry_rss as i64
}

/// All functions together have grown as the process has, each by what it did itself.
fn check_sums(run: &Run) {
    check_invariants(run);
    for function in &run.functions {
        assert_eq!(function.calls_omitted, 0, "all are told of");
    }
    let sum: i64 = run
        .functions
        .iter()
        .map(|function| function.self_net_rss)
        .sum();
    let grown = growth_of_the_process(run);
    assert_between(sum, grown - 2 * SMALL, grown + SMALL);
}

/// 160 MB in all, of which nothing is left but what the allocator keeps.
fn check_once(program: &str) -> Run {
    let run = run(program, &["once"]).recorded();
    check_sums(&run);
    let worker = function(&run, "worker");
    let made = line(worker, "vec![1_u8; BYTES]");
    // Who gave back what while it ran is an estimate where nobody counts.
    assert!(made.net_rss <= THREADS * BYTES + SMALL, "{}", made.net_rss);
    let freed = line(worker, "drop(mine)");
    assert!((program == COUNTED) || freed.shared > 0, "an estimate");
    let asleep = line(worker, "thread::sleep");
    assert_between(asleep.peak_rss as i64, 0, SMALL);
    assert!(asleep.net_rss <= SMALL, "{}", asleep.net_rss);
    assert!(
        worker.peak_rss as i64 <= BYTES + SMALL,
        "{}",
        worker.peak_rss
    );
    run
}

#[test]
fn ten_threads_that_allocate_sleep_and_free_have_what_each_of_them_did() {
    check_once(NOT_COUNTED);
}

#[test]
fn where_the_heap_is_counted_that_is_known_line_by_line() {
    let run = check_once(COUNTED);
    let worker = function(&run, "worker");
    let made = line(worker, "vec![1_u8; BYTES]");
    assert_between(made.net_rss, THREADS * BYTES, THREADS * BYTES + SMALL);
    let asleep = line(worker, "thread::sleep");
    assert_between(asleep.net_rss, -SMALL, SMALL);
    assert_eq!(asleep.shared, 0, "who frees nothing gives nothing back");
    for call in &worker.call_records {
        assert_between(call.peak_rss as i64, BYTES, BYTES + SMALL);
    }
}

#[test]
fn threads_that_come_and_go_at_their_own_pace_add_up_to_the_process() {
    for program in [NOT_COUNTED, COUNTED] {
        let run = run(program, &["churn"]).recorded();
        check_sums(&run);
        let asleep = line(function(&run, "one_round"), "thread::sleep");
        assert!(asleep.net_rss <= SMALL, "{}", asleep.net_rss);
    }
}

#[test]
fn who_waits_has_nothing_of_what_others_keep() {
    for program in [NOT_COUNTED, COUNTED] {
        let run = run(program, &["keeps"]).recorded();
        check_sums(&run);
        let keeper = function(&run, "keeper");
        let kept = THREADS / 2 * BYTES;
        assert_between(keeper.net_rss, kept, kept + SMALL);
        let sleeper = function(&run, "sleeper");
        assert_between(sleeper.net_rss, -SMALL, SMALL);
        // A page fault of its own may have brought a huge page, once a reading looks as if there were some.
        assert_between(sleeper.peak_rss as i64, 0, SMALL + (2 << 20));
        let waited = sleeper.call_records.iter();
        let others = waited.map(|call| call.others_rss).max().expect("calls");
        assert_between(others, kept / 2, kept + 4 * SMALL);
    }
}
