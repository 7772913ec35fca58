//! Heap bytes: every figure equal to the truth to the byte, and lines that add up to their calls.

use memprof_tests::MIB;
use memprof_tests::program::{function, run};
use memprof_tests::truth::{check, check_invariants};

/// `header`: how much of a large block the allocator itself may touch.
fn assert_exact(program: &str, header: usize) {
    let run = check(|| run(program, &[]).recorded());
    assert!(run.heap);
    check_invariants(&run);
    let untouched = function(&run, "untouched").peak_rss;
    assert!(
        untouched <= header as u64,
        "{program}: {untouched} bytes of 2 GiB of zeros became resident"
    );
}

#[test]
fn every_line_is_exact_to_the_byte() {
    assert_exact(env!("CARGO_BIN_EXE_heap"), MIB / 16);
}

/// Left out without the feature `other-allocators`, which needs a C compiler.
#[test]
#[cfg_attr(
    not(feature = "other-allocators"),
    ignore = "needs --features other-allocators: .ci/run runs this"
)]
fn so_it_is_around_mimalloc_and_jemalloc() {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_heap")).with_file_name("");
    for program in ["heap_mimalloc", "heap_jemalloc"] {
        // mimalloc writes to the head of the block, and the kernel may make that one huge page.
        assert_exact(&folder.join(program).to_string_lossy(), 4 * MIB);
    }
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

/// Of calls inside of calls of the same function the outermost counts.
#[test]
fn totals_are_of_the_union_of_calls() {
    let run = run(env!("CARGO_BIN_EXE_heap"), &[]).recorded();
    let figures = |name: &str| {
        let function = function(&run, name);
        let (all, own) = (function.heap.expect("counted"), function.self_heap);
        let own = own.expect("counted");
        [
            function.calls,
            all.allocated,
            all.net as u64,
            all.peak,
            own.allocated,
            own.net as u64,
            own.peak,
        ]
    };
    let mib = MIB as u64;
    let ten = 10 * mib;
    assert_eq!(figures("recursion"), [10, ten, ten, ten, ten, ten, mib]);
    assert_eq!(figures("ping"), [3, 3_300, 0, 3_300, 300, 0, 100]);
    assert_eq!(figures("pong"), [3, 3_200, 0, 3_200, 3_000, 0, 1_000]);
    assert_eq!(figures("blanket"), [3_000, 50_000, 50_000, 50, 0, 0, 0]);
    assert_eq!(
        figures("work"),
        [1_000, 50_000, 50_000, 50, 50_000, 50_000, 50]
    );
    assert_eq!(figures("branch"), [15_000, 150_000, 0, 40, 150_000, 0, 10]);
    assert_eq!(
        figures("caller"),
        [1, 76_300, 1_000, 76_000, 5_300, 0, 5_300]
    );
    assert_eq!(figures("visitor"), [1, 2_649, 0, 2_648, 2_149, 0, 2_149]);
    assert_eq!(figures("measured"), [1, 3_096, 0, 3_000, 3_096, 0, 3_000]);
    let resident = function(&run, "recursion").net_rss;
    assert!((resident - ten as i64).abs() < mib as i64 / 4, "{resident}");
}

#[test]
fn without_the_allocator_there_are_no_heap_figures() {
    let run = run(env!("CARGO_BIN_EXE_truth"), &[]).recorded();
    assert!(!run.heap);
    assert!(run.functions.iter().all(|function| function.heap.is_none()));
    assert!(run.series.iter().all(|sample| sample.heap.is_none()));
}
