//! The demo's run tells apart what its lines allocate and what faer's worker threads allocate.
//!
//! `MEMPROF_TEST_DEMO_RUN` names the run's folder: `.ci/run` runs the demo and sets the variable.

use std::path::PathBuf;

use memprof::run::{Line, Profile, Run};

const MATRIX: u64 = 2048 * 2048 * 8;

fn folder() -> PathBuf {
    let folder = std::env::var_os("MEMPROF_TEST_DEMO_RUN");
    folder.expect(".ci/run runs the demo and sets it").into()
}

fn inverse() -> Profile {
    let text = std::fs::read_to_string(folder().join("run.json")).expect("written");
    let run: Run = serde_json::from_str(&text).expect("a run");
    assert!(run.heap, "the demo counts heap bytes");
    let mut functions = run.functions.into_iter();
    functions
        .find(|profile| profile.name == "demo::inverse")
        .expect("the profiled function")
}

fn line<'run>(profile: &'run Profile, source: &str) -> &'run Line {
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
fn what_the_workers_allocate_is_told_and_why_rss_differs() {
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
    for said in [
        "by other threads during the calls",
        "RSS did not follow",
        "not touched here",
        "elsewhere MiB",
    ] {
        assert!(text.contains(said), "{said:?} is not said in:\n{text}");
    }
}
