//! Where reports cannot be written, there is one clear line, and the program is not disturbed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

use memprof_tests::program::command;
use tempfile::TempDir;

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

/// Another user than that of these tests.
const OTHER: u32 = 65_534;

/// A folder in which everybody can write, and in it one of somebody else's; `None`, and a line that says so, if these
/// tests may not make one.
fn somebody_elses() -> Option<(TempDir, PathBuf)> {
    let public = tempfile::tempdir().expect("a folder");
    let everybodys = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(public.path(), everybodys).expect("it is ours");
    let theirs = public.path().join("memprof");
    fs::create_dir(&theirs).expect("a folder");
    match chown(&theirs, Some(OTHER), Some(OTHER)) {
        Ok(()) => Some((public, theirs)),
        Err(error) => {
            println!("left out: a folder of somebody else's needs root ({error})");
            None
        }
    }
}

#[test]
fn a_folder_that_somebody_else_put_where_everybody_can_write_is_not_used() {
    let Some((public, theirs)) = somebody_elses() else {
        return;
    };
    let ours = public.path().join("ours");
    symlink(&theirs, &ours).expect("a link");
    lchown(&ours, Some(OTHER), Some(OTHER)).expect("as before");
    for root in [theirs.clone(), ours, theirs.join("deeper")] {
        let output = run_in(&root);
        assert_one_clear_line(&output, "belongs to user 65534");
        let left: Vec<_> = fs::read_dir(&root).expect("a folder").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_folder_of_ones_own_where_everybody_can_write_is_used() {
    let Some((public, _)) = somebody_elses() else {
        return;
    };
    let root = public.path().join("own");
    assert_eq!(run_in(&root).status.code(), Some(7));
    assert!(root.join("latest/run.json").is_file());
}
