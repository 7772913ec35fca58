//! User crates outside the workspace, one for each edition, as strict as they come: generated code
//! compiles in them without a warning.

use std::path::Path;

use memprof_tests::caller;

const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

#[track_caller]
fn assert_compiles(subcommand: &str, edition: &str, options: &str) {
    let parent = tempfile::tempdir().expect("a folder");
    caller::make(parent.path(), "strict", edition, options);
    let output = caller::cargo(parent.path(), SCRATCH, subcommand)
        .output()
        .expect("cargo");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "", "not a word");
}

#[test]
fn edition_2018() {
    assert_compiles("check", "2018", "");
}

#[test]
fn edition_2021() {
    assert_compiles("check", "2021", "");
}

#[test]
fn edition_2024() {
    assert_compiles("check", "2024", "");
}

/// Where recording is compiled out, too.
#[test]
fn without_recording() {
    for edition in ["2018", "2024"] {
        assert_compiles("check", edition, ", default-features = false");
    }
}

#[test]
#[ignore = "needs clippy: .ci/run runs it"]
fn clippy_with_everything_on() {
    for edition in ["2018", "2021", "2024"] {
        assert_compiles("clippy", edition, "");
        assert_compiles("clippy", edition, ", default-features = false");
    }
}

/// Its plain `cargo test`; gives what was printed, and whether it was green.
fn tested(folder: &Path, more: &[&str], off: bool) -> (String, bool) {
    let mut cargo = caller::cargo(folder, SCRATCH, "test");
    cargo.arg("--lib").args(more).env("RUST_BACKTRACE", "0");
    if off {
        cargo.env("MEMPROF", "0");
    }
    let output = cargo.output().expect("cargo");
    let printed = [output.stdout, output.stderr].concat();
    (
        String::from_utf8_lossy(&printed).into_owned(),
        output.status.success(),
    )
}

/// A change that takes more memory turns the crate's ordinary tests red, with the line that does.
#[test]
fn a_regression_fails_an_ordinary_test() {
    let parent = tempfile::tempdir().expect("a folder");
    caller::make(parent.path(), "limits", "2024", "");
    let (printed, green) = tested(parent.path(), &[], false);
    assert!(green, "{printed}");

    let (printed, green) = tested(parent.path(), &["--features", "regression"], false);
    assert!(!green, "{printed}");
    let source = std::fs::read_to_string(parent.path().join("src/lib.rs")).expect("the crate");
    let line = source.lines().position(|line| line.contains("word.repeat"));
    let line = line.expect("the line") + 1;
    assert!(
        printed.contains("max_heap_peak = 64 KiB, was "),
        "{printed}"
    );
    assert!(
        printed.contains(&format!("    src/lib.rs:{line}  ")),
        "line {line}: {printed}"
    );
    assert!(
        printed.contains("many_words --- FAILED") || printed.contains("test many_words ... FAILED"),
        "{printed}"
    );
    assert!(printed.contains("1 passed; 1 failed"), "{printed}");

    let (printed, green) = tested(parent.path(), &["--features", "regression"], true);
    assert!(green, "MEMPROF=0 checks nothing: {printed}");
}
