//! A program with known truth: every line's net and peak, and the invariants.

use memprof::run::Outcome;
use memprof_tests::program::{function, run};
use memprof_tests::truth::{check, check_invariants};

#[test]
fn every_line_is_within_64_kib_of_the_truth() {
    let run = check(|| run(env!("CARGO_BIN_EXE_truth"), &[]).recorded());
    check_invariants(&run);
}

#[test]
fn every_call_is_in_the_run_however_it_ended() {
    let run = run(env!("CARGO_BIN_EXE_truth"), &[]).recorded();
    let outcomes = |label: &str| -> Vec<Outcome> {
        let records = &function(&run, label).call_records;
        records.iter().map(|call| call.outcome).collect()
    };
    assert_eq!(outcomes("panics"), [Outcome::Panicked]);
    assert_eq!(outcomes("panics_inside"), [Outcome::Panicked]);
    assert_eq!(outcomes("catches"), [Outcome::Returned]);
    assert_eq!(outcomes("question"), [Outcome::Returned; 2]);
    assert_eq!(outcomes("recursive"), [Outcome::Returned; 4]);
    assert_eq!(function(&run, "panics").panics, 1);
    assert_eq!(function(&run, "catches").panics, 0);
    let depths: Vec<u32> = function(&run, "recursive")
        .call_records
        .iter()
        .map(|call| call.depth)
        .collect();
    assert_eq!(depths, [0, 1, 2, 3]);
}
