//! Heap bytes: every figure equal to the truth to the byte, and lines that add up to their calls.

use memprof_tests::program::{function, run};
use memprof_tests::truth::{check, check_invariants};

#[test]
fn every_line_is_exact_to_the_byte() {
    let run = run(env!("CARGO_BIN_EXE_heap"), &[]).recorded();
    assert!(run.heap);
    check(&run);
    check_invariants(&run);
}

#[test]
fn what_other_threads_do_is_told_apart() {
    let run = run(env!("CARGO_BIN_EXE_heap"), &[]).recorded();
    let threads = function(&run, "threads");
    let elsewhere = threads.heap_elsewhere.expect("counted");
    // The message, what `works` did, and a few bytes of the thread's own.
    assert!(
        (12_345 + 777..20_000).contains(&elsewhere.allocated),
        "{elsewhere:?}"
    );
    assert!((777..8_000).contains(&elsewhere.freed), "{elsewhere:?}");
    let own = threads.heap.expect("counted");
    assert!(own.freed >= 12_345 && own.allocated < 10_000, "{own:?}");
}

#[test]
fn without_the_allocator_there_are_no_heap_figures() {
    let run = run(env!("CARGO_BIN_EXE_truth"), &[]).recorded();
    assert!(!run.heap);
    assert!(run.functions.iter().all(|function| function.heap.is_none()));
    assert!(run.series.iter().all(|sample| sample.heap.is_none()));
}
