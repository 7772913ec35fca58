//! memprof's own memory is in no figure of the program's, where the counting allocator keeps it apart.
#![cfg(target_os = "linux")]

use memprof::run::Run;
use memprof_tests::program::{self, function};
use memprof_tests::truth::check_invariants;

const KIB: i64 = 1 << 10;
const FUNCTIONS: usize = 500;

fn recorded() -> Run {
    let run = program::run(env!("CARGO_BIN_EXE_many"), &[]).recorded();
    check_invariants(&run);
    assert_eq!(run.functions.len(), FUNCTIONS + 2);
    run
}

#[test]
fn tables_of_functions_are_in_no_functions_figures() {
    let run = recorded();
    let own = run.overhead.heap_rss.expect("a heap of its own");
    assert!(
        own > 4 << 20,
        "{own} bytes, for threads with {FUNCTIONS} functions"
    );
    // Pages of its stack, and of tables of the linker.
    let once = function(&run, "once").net_rss;
    assert!(once.abs() <= 128 * KIB, "once: {once}");
    let functions = run.functions.iter().filter(|one| one.label.len() == 1);
    let nets: Vec<i64> = functions.map(|one| one.net_rss).collect();
    assert_eq!(nets.len(), FUNCTIONS);
    let grown = nets.iter().filter(|&&net| net != 0).count();
    assert!(grown <= FUNCTIONS / 20, "{grown} of {FUNCTIONS} grew");
}

/// The highest RSS is that of the program without memprof.
#[test]
fn the_peak_of_the_process_is_that_of_the_program() {
    let run = recorded();
    let off = program::run_with(env!("CARGO_BIN_EXE_many"), &[], |command| {
        command.env("MEMPROF", "0");
    });
    let right: u64 = off.stdout().trim().parse().expect("bytes");
    let peak = run.process.peak_rss;
    assert!(
        peak.abs_diff(right) <= 1 << 20,
        "{peak} with memprof, {right} without"
    );
    let own = run.overhead.start_rss;
    assert!(own > 128 << 10, "{own} bytes of stacks");
}

/// What functions and threads need is there after a while. From then on nothing grows with the number of calls.
#[test]
fn under_load_memprof_grows_by_next_to_nothing() {
    let finished = program::run(env!("CARGO_BIN_EXE_many"), &["load"]);
    let stdout = finished.stdout();
    let bytes: Vec<u64> = stdout
        .lines()
        .map(|line| line.parse().expect("bytes"))
        .collect();
    let [early, late] = bytes[..] else {
        panic!("{stdout}");
    };
    assert!(late < early + (1 << 20), "{early} bytes, then {late}");
    let calls: u64 = finished
        .recorded()
        .functions
        .iter()
        .map(|one| one.calls)
        .sum();
    assert!(calls > 100_000, "{calls} calls");
}
