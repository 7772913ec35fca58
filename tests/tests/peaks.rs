//! Peaks: exact between samples, and right for each of several calls at once.

use memprof::run::PeakMethod;
use memprof_tests::MIB;
use memprof_tests::program::{function, run, run_with};
use memprof_tests::truth::{check, check_invariants};

/// A call's peak may be off by this much, in bytes.
const NEAR: u64 = 64 << 10;

/// The same with two threads at work: the kernel's mark then is as precise as the kernel keeps it (up
/// to 31 pages a processor are missing from it), and the other thread's stack is in it.
const NEAR_WITH_THREADS: u64 = 512 << 10;

#[track_caller]
fn assert_near(found: u64, mebibytes: usize, tolerance: u64) {
    let expected = (mebibytes * MIB) as u64;
    assert!(
        found.abs_diff(expected) <= tolerance,
        "{found} instead of {expected}"
    );
}

#[test]
fn a_short_temporary_is_in_the_peak_of_its_line_and_call() {
    let run = check(|| run(env!("CARGO_BIN_EXE_peaks"), &[]).recorded());
    assert_eq!(run.peak_method, PeakMethod::Kernel);
    check_invariants(&run);
    let call = function(&run, "short_temporary");
    assert_near(call.peak_rss, 300, NEAR);
    let peak = call.peak_at.expect("a peak");
    assert_eq!(peak.line, Some(call.lines[1].line));
    // No sample saw it.
    let highest = call.series.iter().map(|sample| sample.rss).max();
    assert!(highest.expect("samples") < call.entry_rss + MIB as u64);
}

#[test]
fn two_calls_at_once_each_have_their_own_peak() {
    let run = run(env!("CARGO_BIN_EXE_peaks"), &[]).recorded();
    assert_near(function(&run, "first").peak_rss, 100, NEAR_WITH_THREADS);
    // The process was 100 MiB higher while `second` waited, and the page faults say that it was not `second`.
    assert_near(function(&run, "second").peak_rss, 50, NEAR_WITH_THREADS);
    let lines = &function(&run, "second").lines;
    assert_near(lines[1].peak_rss, 0, NEAR_WITH_THREADS);
    assert_near(lines[2].peak_rss, 50, NEAR_WITH_THREADS);
    assert_near(lines[4].peak_rss, 10, NEAR_WITH_THREADS);
}

#[test]
fn a_call_inside_another_has_its_own_peak() {
    let run = run(env!("CARGO_BIN_EXE_peaks"), &[]).recorded();
    assert_near(function(&run, "outer").peak_rss, 90, NEAR);
    assert_near(function(&run, "inner").peak_rss, 80, NEAR);
}

/// By how many bytes the highest RSS of a call differs from the mark that the kernel told its program.
fn difference_from_the_kernels_mark() -> u64 {
    let finished = run(env!("CARGO_BIN_EXE_peaks"), &[]);
    let stdout = finished.stdout();
    // The second call: by then the code that it runs is resident.
    let mark = stdout
        .lines()
        .filter_map(|line| line.strip_prefix("VmHWM "))
        .nth(1);
    let mark: u64 = mark.expect("its output").parse().expect("a number");
    let run = finished.recorded();
    let highest = function(&run, "marks").max_rss;
    // The kernel counts our own memory, too.
    let own = run.overhead.start_rss;
    println!("{highest}, and the kernel {mark}, {own} of it ours");
    (highest + own).abs_diff(mark)
}

#[test]
fn the_peak_is_the_kernels_own_to_a_page() {
    // On a busy machine the thread may change its processor on the way: then the kernel's mark lags by up to
    // 31 pages for each, and ours does not.
    assert!((0..3).any(|_| difference_from_the_kernels_mark() <= 4096));
}

#[test]
fn without_the_kernels_mark_peaks_are_sampled_and_said_to_be() {
    let finished = run_with(env!("CARGO_BIN_EXE_peaks"), &[], |command| {
        command.env("MEMPROF_PEAK", "sampled");
    });
    let run = finished.recorded();
    assert_eq!(run.peak_method, PeakMethod::Sampled);
    check_invariants(&run);
    assert!(function(&run, "short_temporary").peak_rss < MIB as u64);
    let table = std::fs::read_dir(finished.folder())
        .expect("the run's folder")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.to_string_lossy().ends_with("short_temporary.txt"))
        .and_then(|path| std::fs::read_to_string(path).ok())
        .expect("a line table");
    assert!(
        table.contains("sampled") || table.contains("samples"),
        "{table}"
    );
}
