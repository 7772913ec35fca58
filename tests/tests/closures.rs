//! Closures' lines: on the calling thread like any line, on others counted apart.

use memprof_tests::program::{function, run};
use memprof_tests::truth::{check, check_invariants};

#[test]
fn every_line_of_every_closure_is_told_truly() {
    let run = check(|| run(env!("CARGO_BIN_EXE_closures"), &[]).recorded());
    check_invariants(&run);
}

#[test]
fn lines_beside_which_threads_worked_are_marked_as_shared() {
    let run = run(env!("CARGO_BIN_EXE_closures"), &[]).recorded();
    let shared = |label: &str| {
        function(&run, label)
            .lines
            .iter()
            .any(|line| line.shared > 0)
    };
    assert!(shared("scoped"));
    assert!(!shared("own_thread"), "nobody else was at work");
}
