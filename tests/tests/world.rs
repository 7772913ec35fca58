//! What programs do to their own process, memprof neither disturbs nor is disturbed by: each test is a small program
//! that somebody has. The last test runs all of them once more as programs are shipped.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::path::Path;

use std::process::Stdio;

use memprof::run::{FunctionProfile, Run};
use memprof_tests::program::{Finished, command, function, run, run_with};
use memprof_tests::shipped;

/// Runs the program with these arguments. It ends with its own exit code and says nothing on stderr but memprof's
/// summary.
#[track_caller]
fn undisturbed(program: &str, arguments: &[&str]) -> Finished {
    let finished = ended(program, arguments);
    let stderr = finished.stderr();
    assert!(!stderr.contains("memprof: "), "{stderr}");
    finished
}

/// The same, and it may say something.
#[track_caller]
fn ended(program: &str, arguments: &[&str]) -> Finished {
    let finished = run(program, arguments);
    let code = finished.output.status.code();
    assert_eq!(code, Some(7), "{arguments:?}\n{}", finished.stderr());
    finished
}

/// What the program wrote into its file is all that is there, and no reading is of that file.
fn check_descriptors(program: &str) {
    for how in ["over", "one by one", "closed"] {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("mine");
        let path = file.to_str().expect("a path");
        let recorded = undisturbed(program, &["descriptors", how, path]).recorded();
        assert_eq!(
            std::fs::read(&file).expect("written"),
            b"9999999999 9999999999 100 1 0 100 0\n",
            "{how}"
        );
        let process = &recorded.process;
        assert!(process.peak_rss < 1 << 30, "{how}: {}", process.peak_rss);
        let work = function(&recorded, "work");
        assert!(work.calls >= 3, "{how}");
        // Each call has a mebibyte for a moment.
        assert!(
            (1 << 20..2 << 20).contains(&work.peak_rss),
            "{how}: {}",
            work.peak_rss
        );
    }
}

#[test]
fn descriptors_are_taken_by_the_program() {
    check_descriptors(env!("CARGO_BIN_EXE_world"));
}

/// No call is lost, whether the signal came in the program's code or in memprof's.
fn check_signals(program: &str, length: &str) {
    let finished = undisturbed(program, &["signals", length]);
    let recorded = finished.recorded();
    let calls = |label| function(&recorded, label).calls;
    assert_eq!(
        finished.stdout(),
        format!("work {} handle {}\n", calls("work"), calls("handle"))
    );
    assert!(calls("handle") > 100, "{}", calls("handle"));
    // No hit is counted that was none.
    let handle = &function(&recorded, "handle").lines;
    assert!(handle.iter().all(|line| line.hits <= calls("handle")));
}

#[test]
fn signals_interrupt_memprof_and_their_handler_is_annotated() {
    check_signals(env!("CARGO_BIN_EXE_world"), "short");
}

#[test]
fn signals_interrupt_malloc_and_their_handler_is_annotated() {
    check_signals(env!("CARGO_BIN_EXE_world"), "allocating");
}

/// Threads that are cancelled leave no lock locked.
fn check_cancelled(program: &str, how: &str) {
    let finished = undisturbed(program, &["cancelled", how]);
    let calls = function(&finished.recorded(), "work").calls;
    assert_eq!(finished.stdout(), format!("work {calls}\n"));
}

#[test]
fn threads_are_cancelled_between_annotated_calls() {
    check_cancelled(env!("CARGO_BIN_EXE_world"), "outside");
}

#[test]
fn threads_are_cancelled_inside_of_annotated_calls() {
    check_cancelled(env!("CARGO_BIN_EXE_world"), "inside");
}

/// Whoever is there reads the process's memory.
fn check_main_ends(program: &str) {
    let recorded = undisturbed(program, &["main-ends"]).recorded();
    let (keeps, peaks) = (function(&recorded, "keeps"), function(&recorded, "peaks"));
    assert_eq!((keeps.calls, keeps.threads), (5, 5));
    let slack = 1 << 20;
    let between = |what: u64, low: u64| (low..low + slack).contains(&what);
    assert!(between(keeps.peak_rss, 10 << 20), "{}", keeps.peak_rss);
    assert!(between(peaks.peak_rss, 30 << 20), "{}", peaks.peak_rss);
    let highest = recorded.process.peak_rss;
    assert!((70 << 20..90 << 20).contains(&highest), "{highest}");
    assert!(recorded.series.iter().all(|sample| sample.rss > 1 << 20));
}

#[test]
fn the_main_thread_ends_before_the_others() {
    check_main_ends(env!("CARGO_BIN_EXE_world"));
}

/// Calls count, though the thread has given back what it records with.
fn check_taken_down(program: &str) {
    let finished = undisturbed(program, &["taken-down"]);
    let work = &function(&finished.recorded(), "work").clone();
    assert_eq!(finished.stdout(), format!("work {}\n", work.calls));
    assert_eq!(work.calls, 1 + 100 * (1 + 2 * 7) + 7 + 1);
    assert!(work.lines.iter().all(|line| line.hits <= work.calls));
}

#[test]
fn calls_are_made_while_threads_and_the_process_are_taken_down() {
    check_taken_down(env!("CARGO_BIN_EXE_world"));
}

/// A child that is forked while another thread makes the first annotated call does not wait for it.
fn check_fork_during_the_start(program: &str, times: usize) {
    for _ in 0..times {
        let recorded = undisturbed(program, &["beginnings", "fork"]).recorded();
        assert_eq!(function(&recorded, "work").calls, 1);
    }
}

#[test]
fn children_are_forked_during_the_first_annotated_call() {
    check_fork_during_the_start(env!("CARGO_BIN_EXE_world"), 10);
}

/// Several threads end the process at once, and it has its report. Threads that do so before anything was recorded
/// leave a whole one, or none.
fn check_exit_during_the_start(program: &str, times: usize) {
    for _ in 0..times {
        let recorded = undisturbed(program, &["beginnings", "exit"]).recorded();
        assert!(function(&recorded, "work").calls > 0);
        // A first call that comes when the handlers of `exit` have been called is told that there is no report.
        for run in ended(program, &["beginnings", "exit", "early"]).runs() {
            assert!(function(&run, "work").calls > 0);
        }
    }
}

#[test]
fn threads_exit_while_others_make_their_first_annotated_call() {
    check_exit_during_the_start(env!("CARGO_BIN_EXE_world"), 10);
}

/// The smallest stack that a thread can have is enough for the first annotated call, and for the end of the process.
fn check_small_stacks(program: &str) {
    for (beginning, kib) in [("stack", "16"), ("exit-stack", "16"), ("exit-stack", "64")] {
        let recorded = undisturbed(program, &["beginnings", beginning, kib]).recorded();
        assert_eq!(function(&recorded, "work").calls, 1, "{beginning} {kib}");
    }
}

#[test]
fn stacks_are_small_at_the_start_and_at_the_end() {
    check_small_stacks(env!("CARGO_BIN_EXE_world"));
}

/// The program with or without memprof's threads. Gives what it said: which namespaces it got, how many threads it had,
/// how many short calls it made, and the hits of a loop.
fn one_thread(program: &str, arguments: &[&str], threads: &str) -> (Finished, String, [u64; 3]) {
    let finished = run_with(program, arguments, |command| {
        command.env("MEMPROF_THREADS", threads);
    });
    let stderr = finished.stderr();
    assert_eq!(finished.output.status.code(), Some(7), "{stderr}");
    assert!(!stderr.contains("memprof: "), "{stderr}");
    let said = finished.stdout();
    let mut words: Vec<&str> = said.trim().rsplitn(4, ' ').collect();
    words.reverse();
    let numbers = [1, 2, 3].map(|at| words[at].parse().expect("a number"));
    let namespace = words[0].to_owned();
    (finished, namespace, numbers)
}

/// What is counted is what there was, whoever reads.
fn check_counts(run: &Run, short_calls: u64, loop_hits: u64) {
    let [keeps, short, grows] = ["keeps", "short", "grows"].map(|label| function(run, label));
    assert_eq!((keeps.calls, short.calls, grows.calls), (1, short_calls, 1));
    let lines = grows.lines.iter();
    let of_loop = lines.filter(|line| line.source.contains("hits += 1"));
    assert_eq!(of_loop.map(|line| line.hits).sum::<u64>(), loop_hits);
    let heap = |profile: &FunctionProfile| profile.heap.map(|heap| (heap.allocated, heap.net));
    if run.heap {
        assert_eq!(heap(short), Some((100 * short_calls, 0)));
        assert_eq!(heap(grows), Some((8 << 20, 8 << 20)));
    }
}

/// How many of the moments lie between these two.
fn moments(moments: &[u64], from_ms: u64, to_ms: u64) -> usize {
    let within = from_ms * 1_000_000..to_ms * 1_000_000;
    moments.iter().filter(|t_ns| within.contains(t_ns)).count()
}

/// The budget for readings is used up at once. Where nobody asks for more, there are none after some seconds.
#[test]
fn without_threads_short_calls_are_read_until_the_last() {
    let program = env!("CARGO_BIN_EXE_world");
    let (finished, _, [_, calls, hits]) = one_thread(program, &["one-thread", "patient"], "0");
    let run = finished.recorded();
    check_counts(&run, calls, hits);
    let samples = run.series.iter();
    let samples: Vec<u64> = samples.map(|sample| sample.t_ns).collect();
    for second in 0..6 {
        let read = moments(&samples, second * 1_000, (second + 1) * 1_000);
        assert!(read >= 5, "{read} in second {second}");
    }
}

/// With memprof's threads the program gets no namespace of users, and without them it does. What is counted is the
/// same, and the report says what there was not.
fn check_one_thread(program: &str) {
    let (with, namespace, [threads, calls, hits]) = one_thread(program, &["one-thread"], "1");
    assert_eq!((&namespace[..], threads), ("several", 3));
    let with = with.recorded();
    check_counts(&with, calls, hits);
    assert!(!with.sampler.missing);

    let (without, namespace, [threads, calls, hits]) = one_thread(program, &["one-thread"], "0");
    assert_eq!(threads, 1);
    match &namespace[..] {
        "one" => {}
        "not allowed" => eprintln!("this system gives no namespace of users: not tried"),
        other => panic!("{other}"),
    }
    let told = without.stderr();
    assert!(
        told.contains("no sampler: RSS was read at lines and calls only"),
        "{told}"
    );
    let without = without.recorded();
    check_counts(&without, calls, hits);
    assert!(without.sampler.missing && without.sampler.ticks_taken == 0);
    // Lines in the middle of a long call are read.
    let grows = function(&without, "grows");
    let begun = grows.call_records[0].start_ns;
    let points = grows.series.iter();
    let points: Vec<u64> = points.map(|point| point.t_ns - begun).collect();
    for (from_ms, to_ms) in [(20, 330), (370, 680)] {
        assert!(moments(&points, from_ms, to_ms) >= 3, "{points:?}");
    }
    assert!(
        (8 << 20..9 << 20).contains(&grows.net_rss),
        "{}",
        grows.net_rss
    );
}

#[test]
fn a_program_must_have_one_thread_only() {
    for program in [
        env!("CARGO_BIN_EXE_world"),
        env!("CARGO_BIN_EXE_world_counted"),
    ] {
        check_one_thread(program);
    }
}

/// Without threads the journal is written by the program's own, and survives it.
#[test]
fn a_program_with_one_thread_only_is_killed() {
    let root = tempfile::TempDir::new().expect("a folder");
    let mut command = command(env!("CARGO_BIN_EXE_world"), root.path());
    command
        .args(["one-thread", "long"])
        .env("MEMPROF_THREADS", "0");
    let mut program = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut said = String::new();
    let stdout = program.stdout.take().expect("piped");
    BufReader::new(stdout)
        .read_line(&mut said)
        .expect("it says something");
    let short_calls = said
        .trim()
        .rsplit(' ')
        .nth(1)
        .and_then(|calls| calls.parse::<u64>().ok());
    let journal = || {
        let runs = std::fs::read_dir(root.path()).expect("there").flatten();
        let mut journals =
            runs.filter_map(|run| std::fs::read(run.path().join("mprofile.dat")).ok());
        journals.next().expect("a journal")
    };
    let calls =
        || memprof::report::parse_journal(&journal()).map(|run| function(&run, "short").calls);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while calls().expect("whole entries") <= short_calls.expect("a number") {
        assert!(std::time::Instant::now() < until, "no entry comes any more");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    program.kill().expect("it was there");
    program.wait().expect("it has ended");
    let recovered = memprof::recover(root.path()).expect("recovered");
    let run = memprof::report::read_run(&recovered[0]).expect("a run");
    assert!(run.sampler.missing && Some(function(&run, "short").calls) > short_calls);
    assert_eq!(function(&run, "grows").calls, 1);
}

/// The program as small as it gets: optimised for size as a whole, stripped, and without unwinding.
#[test]
#[ignore = "builds memprof once more: .ci/run runs it"]
fn the_same_as_programs_are_shipped() {
    let programs = shipped::built(Path::new(env!("CARGO_TARGET_TMPDIR")), &["world"]);
    let program = programs.join("world");
    let program = program.to_str().expect("a path");
    check_descriptors(program);
    for how in ["short", "allocating"] {
        check_signals(program, how);
    }
    for how in ["outside", "inside"] {
        check_cancelled(program, how);
    }
    check_main_ends(program);
    check_taken_down(program);
    check_fork_during_the_start(program, 10);
    check_exit_during_the_start(program, 10);
    check_small_stacks(program);
    check_one_thread(program);
}
