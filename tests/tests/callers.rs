//! User crates outside the workspace, one for each edition, as strict as they come: generated code
//! compiles in them without a warning.

use std::path::{Path, PathBuf};
use std::process::Command;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A crate that depends on memprof by path, with its lock file taken from the workspace, so that
/// nothing has to be fetched.
fn make_crate(folder: &Path, edition: &str) {
    let manifest = format!(
        "[package]\nname = \"strict\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n\
         [dependencies]\nmemprof = {{ path = {:?} }}\n\n[workspace]\n",
        Path::new(WORKSPACE).join("profile-runtime")
    );
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    std::fs::copy(
        Path::new(WORKSPACE).join("tests/callers/strict.rs"),
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
    make_crate(parent.path(), edition);
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
