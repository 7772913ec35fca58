//! User crates outside the workspace, one for each edition, as strict as they come: generated code
//! compiles in them without a warning.

use std::path::{Path, PathBuf};
use std::process::Command;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A crate that depends on memprof by path, with its lock file taken from the workspace, so that
/// nothing has to be fetched.
fn make_crate(folder: &Path, name: &str, edition: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n\
         [dependencies]\nmemprof = {{ path = {:?} }}\n\n\
         [features]\nregression = []\n\n[workspace]\n",
        Path::new(WORKSPACE).join("profile-runtime")
    );
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    std::fs::copy(
        Path::new(WORKSPACE).join(format!("tests/callers/{name}.rs")),
        folder.join("src/lib.rs"),
    )
    .expect("copied");
    std::fs::copy(
        Path::new(WORKSPACE).join("Cargo.lock"),
        folder.join("Cargo.lock"),
    )
    .expect("copied");
}

#[track_caller]
fn assert_compiles(subcommand: &str, edition: &str) {
    let parent = tempfile::tempdir().expect("a folder");
    make_crate(parent.path(), "strict", edition);
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("callers");
    let output = Command::new(env!("CARGO"))
        .args([subcommand, "--offline", "--quiet"])
        .current_dir(parent.path())
        .env("CARGO_TARGET_DIR", target)
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "", "not a word");
}

#[test]
fn edition_2018() {
    assert_compiles("check", "2018");
}

#[test]
fn edition_2021() {
    assert_compiles("check", "2021");
}

#[test]
fn edition_2024() {
    assert_compiles("check", "2024");
}

#[test]
#[ignore = "needs clippy: .ci/run runs it"]
fn clippy_with_everything_on() {
    for edition in ["2018", "2021", "2024"] {
        assert_compiles("clippy", edition);
    }
}

/// Its plain `cargo test`; gives what was printed, and whether it was green.
fn tested(folder: &Path, more: &[&str], off: bool) -> (String, bool) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["test", "--offline", "--quiet", "--lib"])
        .args(more)
        .current_dir(folder)
        .env(
            "CARGO_TARGET_DIR",
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("callers"),
        )
        .env("RUST_BACKTRACE", "0")
        .env_remove("RUSTFLAGS");
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
    make_crate(parent.path(), "limits", "2024");
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
