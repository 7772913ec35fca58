//! Closures' lines: on the calling thread like any line, on others counted apart.

use memprof_tests::program::{function, run};
use memprof_tests::truth::{check, check_invariants};

#[test]
fn every_line_of_every_closure_is_told_truly() {
    let run = check(|| run(env!("CARGO_BIN_EXE_closures"), &[]).recorded());
    check_invariants(&run);
}

#[test]
fn lines_beside_which_nobody_else_worked_are_not_estimated() {
    let run = run(env!("CARGO_BIN_EXE_closures"), &[]).recorded();
    let lines = &function(&run, "own_thread").lines;
    assert!(lines.iter().all(|line| line.shared == 0));
}
