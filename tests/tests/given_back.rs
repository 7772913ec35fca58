//! memprof's records of calls do not keep freed memory resident.

use memprof_tests::program::run;

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn what_calls_with_a_size_returned_goes_back_to_the_system() {
    let finished = run(env!("CARGO_BIN_EXE_given_back"), &[]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    let kept: u64 = finished.stdout().trim().parse().expect("a number of KiB");
    // The smallest of the blocks has 2048.
    assert!(kept < 1024, "{kept} KiB stay resident");
    let recorded = finished.recorded();
    assert_eq!(recorded.functions[0].sizes.len(), 11);
}
