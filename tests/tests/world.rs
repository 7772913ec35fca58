//! What programs do to their own process, memprof neither disturbs nor is disturbed by: each test is a small program
//! that somebody has. The last test runs all of them once more as programs are shipped.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use memprof_tests::program::{Finished, function, run};

/// Runs the program with these arguments. It ends with its own exit code and says nothing on stderr but memprof's
/// summary.
#[track_caller]
fn undisturbed(program: &str, arguments: &[&str]) -> Finished {
    let finished = run(program, arguments);
    let stderr = finished.stderr();
    assert_eq!(
        finished.output.status.code(),
        Some(7),
        "{arguments:?}\n{stderr}"
    );
    assert!(!stderr.contains("memprof: "), "{stderr}");
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

/// The program as small as it gets: optimised for size as a whole, stripped, and without unwinding.
#[test]
#[ignore = "builds memprof once more: .ci/run runs it"]
fn the_same_as_programs_are_shipped() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("world");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--offline",
            "--quiet",
            "--release",
            "--bin",
            "world",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        .status();
    assert!(built.is_ok_and(|status| status.success()));
    let program = target.join("release/world");
    let program = program.to_str().expect("a path");
    check_descriptors(program);
    check_signals(program, "short");
    for how in ["outside", "inside"] {
        check_cancelled(program, how);
    }
}
