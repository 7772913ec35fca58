//! Many at once: sums stay exact, memory stays bounded, nothing hangs.

use memprof::run::Outcome;
use memprof_tests::program::{Finished, function, run, run_with};
use memprof_tests::truth::check_invariants;

fn crowd(kind: &str, number: usize) -> Finished {
    let finished = run(env!("CARGO_BIN_EXE_crowd"), &[kind, &number.to_string()]);
    assert!(
        finished.output.status.success(),
        "{kind} {number}: {}",
        finished.stderr()
    );
    finished
}

/// The deepest recursion that the program survives.
fn deepest(kind: &str) -> usize {
    let survives = |depth: usize| {
        let finished = run(env!("CARGO_BIN_EXE_crowd"), &[kind, &depth.to_string()]);
        finished.output.status.success()
    };
    let (mut alive, mut dead) = (16, 1 << 16);
    assert!(survives(alive) && !survives(dead));
    while dead - alive > alive / 50 {
        let middle = usize::midpoint(alive, dead);
        if survives(middle) {
            alive = middle;
        } else {
            dead = middle;
        }
    }
    alive
}

#[test]
fn recursion_reaches_at_least_half_of_the_plain_depth() {
    let (plain, profiled) = (deepest("plain-depth"), deepest("profiled-depth"));
    println!("plain {plain}, profiled {profiled}");
    assert!(2 * profiled >= plain, "plain {plain}, profiled {profiled}");
    let finished = crowd("profiled-depth", plain / 2);
    let run = finished.recorded();
    check_invariants(&run);
    let calls = plain as u64 / 2 + 1;
    assert_eq!(function(&run, "profiled").calls, calls);
    assert_eq!(function(&run, "profiled").lines[0].hits, calls);
}

#[test]
fn a_thousand_threads_in_one_function() {
    let run = crowd("threads", 1_000).recorded();
    check_invariants(&run);
    let meets = function(&run, "meets");
    assert_eq!((meets.calls, meets.threads), (1_000, 1_000));
    assert!(meets.lines.iter().all(|line| line.hits == 1_000));
    // Each of them is inside of a call. The first 64 have all the room, 44 KiB, and the rest a fifth of that.
    assert!(
        run.overhead.profiler_bytes < 16 << 20,
        "{}",
        run.overhead.profiler_bytes
    );
}

/// By how many bytes the process is larger for each of so many threads, with recording and without.
fn bytes_a_thread(program: &str) -> [i64; 2] {
    const THREADS: i64 = 1_000;
    ["1", "0"].map(|recording| {
        let finished = run_with(program, &[&THREADS.to_string()], |command| {
            command.env("MEMPROF", recording);
        });
        assert!(finished.output.status.success(), "{}", finished.stderr());
        let grown: i64 = finished.stdout().trim().parse().expect("bytes");
        grown / THREADS
    })
}

#[test]
fn a_thousand_threads_at_once_cost_little_each() {
    for program in [
        env!("CARGO_BIN_EXE_at_once"),
        env!("CARGO_BIN_EXE_at_once_counted"),
    ] {
        let [recorded, plain] = bytes_a_thread(program);
        println!("{recorded} bytes a thread, and {plain} without recording");
        // The first 64 have more; pages of stack of unoptimised code are in it.
        assert!(recorded - plain < 28 << 10, "{recorded} and {plain}");
    }
}

#[test]
fn ten_thousand_functions() {
    let stdout = crowd("functions", 10_000).stdout();
    let numbers = stdout.trim().split(' ').map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().expect("numbers");
    assert_eq!(numbers[..2], [10_000, 20_000]);
    // 1,650 bytes for a function of three lines that was called twice.
    assert!(numbers[2] < 16 << 20, "{} bytes", numbers[2]);
}

#[test]
fn a_million_short_futures() {
    let number = 1_000_000;
    let finished = crowd("futures", number);
    let run = finished.recorded();
    check_invariants(&run);
    let short = function(&run, "short");
    assert_eq!(short.calls, number as u64);
    assert!(short.lines.iter().all(|line| line.hits == number as u64));
    assert!(short.call_records.len() < 1_000);
    let stdout = finished.stdout();
    let growth: usize = stdout
        .trim()
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("rss");
    assert!(growth < 1 << 20, "the process grew by {growth} bytes");
}

#[test]
fn futures_suspended_at_once_and_dropped_half_way() {
    let run = crowd("suspended", 20_000).recorded();
    check_invariants(&run);
    let short = function(&run, "short");
    assert_eq!(short.calls, 20_000);
    assert_eq!(short.lines[0].hits, 20_000);
    assert_eq!(short.lines[2].hits, 10_000);
    let outcomes = |wanted| {
        short
            .call_records
            .iter()
            .filter(move |call| call.outcome == wanted)
    };
    // Of short calls so many are read one by one, whatever else happens: a millisecond's worth.
    assert!(outcomes(Outcome::Cancelled).count() > 10);
    assert!(outcomes(Outcome::Returned).count() > 10);
}
