//! Where reports cannot be written, there is one clear line, and the program is not disturbed.

use std::path::Path;
use std::process::Output;

use memprof_tests::program::command;

fn run_in(root: &Path) -> Output {
    command(env!("CARGO_BIN_EXE_ends"), root)
        .arg("exit")
        .env("MEMPROF_QUIET", "1")
        .output()
        .expect("started")
}

/// One line that names the folder and what to do; the program's own exit code.
#[track_caller]
fn assert_one_clear_line(output: &Output, path: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for part in ["memprof: cannot write", path, "MEMPROF_DIR"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

#[test]
fn a_file_where_the_folder_should_be() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let output = run_in(file.path());
    assert_one_clear_line(&output, &file.path().display().to_string());
}

#[test]
fn a_file_system_that_takes_no_files() {
    // /proc is there on every Linux machine and refuses new files even to root.
    let output = run_in(Path::new("/proc/memprof"));
    assert_one_clear_line(&output, "/proc/memprof");
}

#[test]
fn a_folder_that_vanished_is_made_again() {
    let parent = tempfile::tempdir().expect("a folder");
    let root = parent.path().join("not/there/yet");
    let output = run_in(&root);
    assert_eq!(output.status.code(), Some(7));
    assert!(root.join("index.html").is_file());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn spaces_and_other_alphabets() {
    let parent = tempfile::tempdir().expect("a folder");
    let root = parent
        .path()
        .join("my reports / пример 例".replace('/', "-"));
    let output = run_in(&root);
    assert_eq!(output.status.code(), Some(7));
    assert!(root.join("latest/run.json").is_file());
}
