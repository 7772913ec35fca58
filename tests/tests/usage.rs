//! `memory_usage` as a program sees it.

use memprof_tests::program::run;

#[test]
fn gives_value_samples_baseline_and_peak() {
    let finished = run(env!("CARGO_BIN_EXE_usage"), &[]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    assert_eq!(finished.stdout(), "fine\n");
    // Only `memory_usage` was used: there is nothing to report on.
    assert_eq!(finished.stderr(), "");
    assert_eq!(
        std::fs::read_dir(finished.root())
            .expect("the folder")
            .count(),
        0
    );
}
