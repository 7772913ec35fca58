//! Calls that take no lock are all in the run, while others look on, and in the end.

use memprof_tests::program::{function, run};
use memprof_tests::truth::check_invariants;

#[test]
fn hot_calls_are_counted_exactly_while_others_look_on() {
    let (rounds, threads) = (300_000, 3);
    let run = run(env!("CARGO_BIN_EXE_onlookers"), &[&rounds.to_string()]).recorded();
    check_invariants(&run);
    assert_eq!(function(&run, "outer").calls, threads);
    let inner = function(&run, "inner");
    let calls = rounds * threads;
    assert_eq!(inner.calls, calls);
    assert!(inner.lines.iter().all(|line| line.hits == calls));
    let heap = inner.heap.expect("counted");
    assert_eq!((heap.allocated, heap.freed), (8 * calls, 8 * calls));
    assert_eq!((heap.allocations, heap.peak), (calls, 8));
    assert_eq!(function(&run, "recurse").calls, rounds / 100 * 40 * threads);
}
