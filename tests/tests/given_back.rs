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
    let stdout = finished.stdout();
    let (sized, limited) = stdout.trim().split_once(' ').expect("two numbers");
    let number = |text: &str| text.parse::<u64>().expect("a number");
    assert!(number(sized) <= 1, "{sized} requests in 49 calls");
    // A call whose peak is the highest so far, by a page of somebody else's, asks for room twice.
    assert!(number(limited) < 10, "{limited} requests in 20 calls");
    let calls: Vec<u64> = finished
        .recorded()
        .functions
        .iter()
        .map(|f| f.calls)
        .collect();
    assert_eq!(calls, [50, 60]);
}
