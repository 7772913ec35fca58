//! The demo's run: what its lines allocate and what faer's worker threads allocate, told apart; and
//! its peak, which is what the kernel says of the same program without memprof.
//!
//! `MEMPROF_TEST_DEMO_RUN` names the run's folder and `MEMPROF_TEST_DEMO` the program: `.ci/run`
//! builds and runs the demo and sets both.

use std::path::PathBuf;

use memprof_tests::MIB;
use memprof_tests::program::run_with;

use memprof::run::{FunctionProfile, Line, Run};

const MATRIX: u64 = 2048 * 2048 * 8;

fn folder() -> PathBuf {
    let folder = std::env::var_os("MEMPROF_TEST_DEMO_RUN");
    folder.expect(".ci/run runs the demo and sets it").into()
}

fn inverse() -> FunctionProfile {
    let text = std::fs::read_to_string(folder().join("run.json")).expect("written");
    let run: Run = serde_json::from_str(&text).expect("a run");
    assert!(run.heap, "the demo counts heap bytes");
    let mut functions = run.functions.into_iter();
    functions
        .find(|profile| profile.name == "demo::inverse")
        .expect("the profiled function")
}

fn line<'run>(profile: &'run FunctionProfile, source: &str) -> &'run Line {
    let mut lines = profile.lines.iter();
    lines
        .find(|line| line.source.contains(source))
        .unwrap_or_else(|| panic!("no line with {source:?}"))
}

#[test]
#[ignore = "needs a demo that has run: .ci/run runs it"]
fn the_callers_lines_have_their_own_heap_to_the_byte() {
    let profile = inverse();
    assert_eq!(profile.calls, 12);
    let made = line(&profile, "random_matrix(n, seed)");
    let heap = made.heap.expect("counted");
    // One matrix of each size; faer pads the columns of the small ones.
    let sum: u64 = (0..12).map(|exponent| 8 << (2 * exponent)).sum();
    assert!((sum..sum + 1024).contains(&heap.allocated), "{heap:?}");
    assert_eq!((heap.peak, heap.freed, heap.allocations), (MATRIX, 0, 12));
    assert_eq!(made.heap_elsewhere.map(|others| others.allocated), Some(0));

    let residual = line(&profile, "norm_max");
    let peak = residual.heap.expect("counted").peak;
    assert!(peak >= 2 * MATRIX, "{peak} for the line's temporaries");
}

#[test]
#[ignore = "needs a demo that has run: .ci/run runs it"]
fn what_the_workers_allocate_is_told() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(processors > 1, "with one processor faer has no workers");
    let profile = inverse();
    let solver = line(&profile, "DenseSolveCore::inverse");
    let others = solver.heap_elsewhere.expect("counted");
    assert!(
        others.net >= 64 << 20,
        "faer's workers keep room to work in: {others:?}"
    );
    let text = std::fs::read_to_string(folder().join("demo-inverse.txt")).expect("written");
    for said in ["by other threads during the calls", "elsewhere MiB"] {
        assert!(text.contains(said), "{said:?} is not said in:\n{text}");
    }
    // Who of several threads allocated what RSS did not follow, or freed what went, is not known.
    let guessed = "RSS did not follow";
    assert!(!text.contains(guessed), "{guessed:?} is said in:\n{text}");
}

/// The kernel's own high-water mark of the largest child so far, in bytes.
fn largest_child() -> u64 {
    // SAFETY: all fields of `rusage` are integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is ours.
    let result = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    u64::try_from(usage.ru_maxrss).expect("it is positive") * 1024
}

#[test]
#[ignore = "needs the demo's release build: .ci/run makes it"]
fn the_peak_is_the_one_that_the_kernel_saw_without_memprof() {
    let demo = std::env::var("MEMPROF_TEST_DEMO").expect(".ci/run builds the demo and sets it");
    // On one thread the same allocations come in the same order in every run.
    let run_demo = |on: &str| {
        run_with(&demo, &["--threads", "1"], |command| {
            command.env("MEMPROF", on);
        })
    };
    let plain = run_demo("0");
    assert!(plain.output.status.success(), "{:?}", plain.output);
    let kernel = largest_child();
    let ours = run_demo("1").recorded().process.peak_rss;
    // What memprof itself takes is in neither: the start's part was read, with the kernel's lag, and its heap is
    // counted. Which pages of code are mapped around others at their first use differs from run to run.
    assert!(
        ours.abs_diff(kernel) < 2 * MIB as u64,
        "memprof says {ours} bytes, the kernel {kernel} without it"
    );
}
