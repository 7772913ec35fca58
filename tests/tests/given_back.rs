//! memprof's records of calls do not keep freed memory resident.

use memprof_tests::program::run;

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn what_calls_with_a_size_returned_goes_back_to_the_system() {
    for arguments in [&[][..], &["overlapping"]] {
        let finished = run(env!("CARGO_BIN_EXE_given_back"), arguments);
        assert!(finished.output.status.success(), "{}", finished.stderr());
        let kept: u64 = finished.stdout().trim().parse().expect("a number of KiB");
        // The smallest of the blocks has 2048.
        assert!(kept < 1024, "{kept} KiB stay resident {arguments:?}");
        let recorded = finished.recorded();
        assert_eq!(recorded.functions[0].sizes.len(), 11);
    }
}

/// What is asked for at each call, and given back at its end, takes other places from call to call:
/// between what the program has there, which it then keeps from going back.
#[test]
fn calls_that_are_watched_ask_for_no_memory() {
    let finished = run(env!("CARGO_BIN_EXE_own_requests"), &[]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    let requests: u64 = finished.stdout().trim().parse().expect("a number");
    // A call whose peak is the highest so far, by a page of somebody else's, may ask for room once more.
    assert!(requests < 10, "{requests} requests in 20 calls");
    assert_eq!(finished.recorded().functions[0].calls, 60);
}
