//! Annotated futures under real runtimes, and in a real server.

use memprof_tests::program::{function, run};
use memprof_tests::truth::{check, check_invariants};

#[track_caller]
fn truthful_under(runtime: &str) {
    let run = check(|| {
        let finished = run(env!("CARGO_BIN_EXE_runtimes"), &[runtime]);
        assert!(finished.output.status.success(), "{}", finished.stderr());
        finished.recorded()
    });
    check_invariants(&run);
    assert_eq!(function(&run, "task").calls, 300);
}

#[test]
fn tokio_with_many_threads() {
    truthful_under("tokio");
}

#[test]
fn tokio_with_one_thread() {
    truthful_under("tokio-current");
}

#[test]
fn smol() {
    truthful_under("smol");
}

#[test]
fn joined() {
    truthful_under("join");
}

#[test]
fn unordered() {
    truthful_under("unordered");
}

#[test]
fn selected() {
    truthful_under("select");
}

#[test]
fn a_server_answers_as_before_and_its_lines_are_true() {
    let requests = 500;
    let finished = run(env!("CARGO_BIN_EXE_server"), &[&requests.to_string()]);
    assert!(finished.output.status.success(), "{}", finished.stderr());
    println!("{}", finished.stdout());
    let run = finished.recorded();
    check_invariants(&run);
    let handler = function(&run, "profiled");
    let calls = 5 * 4 * requests;
    assert_eq!(handler.calls, calls);
    // The scratch of every request, and nothing else, on its line.
    let scratch = handler
        .lines
        .iter()
        .find(|line| line.source.contains("vec![0_u8; 100]"));
    let scratch = scratch.expect("the line");
    let heap = scratch.heap.expect("counted");
    assert_eq!(scratch.hits, calls);
    assert_eq!(
        (heap.allocated, heap.freed, heap.peak),
        (100 * calls, 0, 100)
    );
    let heap = handler.heap.expect("counted");
    // Lengths from 0 to 49; the answers are freed by the server.
    assert!(heap.allocated > heap.freed);
}
