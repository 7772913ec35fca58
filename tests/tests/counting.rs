//! The feature `counting`: heap bytes are counted without a line of code, where the program leaves the
//! choice of its allocator to others.

use std::path::Path;
use std::process::Output;

use memprof_tests::user_crate::UserCrate;

/// 1,000 bytes that grow by 2,000, and 500 that are freed.
const COUNTED: &str = "allocated 3500, freed 500, 2 allocations\n";
const NOT_COUNTED: &str = "not counted\n";

/// Builds and runs the program. `options` are those of its dependency on memprof, `own` is the allocator
/// that it installs itself.
fn program(options: &str, own: &str) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("callers");
    let user = UserCrate::new("counting", "2024", options, target);
    user.add("counting", "src/main.rs");
    let arguments = ["run", "--offline", "--quiet", "--bin", "counting"];
    let mut cargo = user.cargo(&arguments);
    cargo
        .args(["--features", own])
        .env("MEMPROF_QUIET", "1")
        .output()
        .expect("cargo")
}

#[track_caller]
fn assert_prints(options: &str, own: &str, expected: &str) {
    let output = program(options, own);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn the_feature_alone_counts() {
    assert_prints(", features = [\"counting\"]", "", COUNTED);
    assert_prints("", "", NOT_COUNTED);
}

/// The one error of a program with an allocator of its own says what to write instead.
#[test]
fn an_allocator_of_the_programs_own_is_one_error_that_says_what_to_write() {
    let output = program(", features = [\"counting\"]", "own");
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<_> = stderr
        .lines()
        .filter(|line| line.starts_with("error"))
        .collect();
    let [conflict, summary] = errors[..] else {
        panic!("{stderr}");
    };
    assert_eq!(
        conflict,
        "error: the `#[global_allocator]` in this crate conflicts with global allocator in: \
         use_memprof_CountingAllocator_new_around_your_allocator_in_place_of_feature_counting"
    );
    assert!(summary.starts_with("error: could not compile"), "{stderr}");
}

/// What the error says to write, and what is there for those whom somebody else's `counting` hits.
#[test]
fn an_allocator_of_the_programs_own_can_be_wrapped_or_left_alone() {
    assert_prints("", "wrapped", COUNTED);
    let both = ", features = [\"counting\", \"own-allocator\"]";
    assert_prints(both, "wrapped", COUNTED);
    assert_prints(both, "own", NOT_COUNTED);
}

#[test]
fn without_recording_nothing_is_installed() {
    let options = ", default-features = false, features = [\"counting\"]";
    assert_prints(options, "", NOT_COUNTED);
    assert_prints(options, "own", NOT_COUNTED);
}
