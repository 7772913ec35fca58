//! User crates outside the workspace, one for each edition, as strict as they come: generated code
//! compiles in them without a warning.

use std::path::{Path, PathBuf};

use memprof_tests::user_crate::UserCrate;

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("callers")
}

#[track_caller]
fn assert_compiles(subcommand: &str, edition: &str, options: &str) {
    let user = UserCrate::new("strict", edition, options, target());
    let output = user
        .cargo(&[subcommand, "--offline", "--quiet"])
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

/// What a function's last expression has made for a moment is freed in the call, in every edition, and when it always was.
#[test]
fn temporaries_of_a_value() {
    for edition in ["2021", "2024"] {
        let printed = UserCrate::new("temporaries", edition, "", target()).test(&["--lib"], &[]);
        assert!(printed.green, "{edition}: {}", printed.text);
    }
}

/// A change that takes more memory turns the crate's ordinary tests red, with the line that does.
#[test]
fn a_regression_fails_an_ordinary_test() {
    let user = UserCrate::new("limits", "2024", "", target());
    let printed = user.test(&["--lib"], &[]);
    assert!(printed.green, "{}", printed.text);

    let changed = ["--lib", "--features", "regression"];
    let printed = user.test(&changed, &[]);
    let text = printed.text;
    assert!(!printed.green, "{text}");
    assert!(text.contains("max_heap_peak = 64 KiB, was "), "{text}");
    let line = user.line_of("word.repeat");
    assert!(
        text.contains(&format!("    src/lib.rs:{line}  ")),
        "line {line}: {text}"
    );
    assert!(
        text.contains("many_words --- FAILED") || text.contains("test many_words ... FAILED"),
        "{text}"
    );
    assert!(text.contains("1 passed; 1 failed"), "{text}");

    let printed = user.test(&changed, &[("MEMPROF", "0")]);
    assert!(printed.green, "MEMPROF=0 checks nothing: {}", printed.text);
}
