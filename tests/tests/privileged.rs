//! A program that may do more than its caller obeys no variable of the caller's, and records only where it says so.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Output;

use memprof_tests::program::command;
use tempfile::TempDir;

/// Another user and group than that of these tests.
const OTHER: u32 = 65_534;

/// The program in a folder that everybody may write into, owned by another user whose privileges it runs with; `None`,
/// and a line that says so, if these tests may not make one.
fn setuid() -> Option<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), open).unwrap();
    let program = folder.path().join("privileged");
    fs::copy(env!("CARGO_BIN_EXE_privileged"), &program).unwrap();
    if let Err(error) = chown(&program, Some(OTHER), Some(OTHER)) {
        println!("left out: a setuid program needs root ({error})");
        return None;
    }
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    Some((folder, program))
}

/// A folder that everybody may write into.
fn open_folder(path: PathBuf) -> PathBuf {
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    path
}

fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"done\n");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn its_callers_variables_are_not_obeyed() {
    let Some((folder, program)) = setuid() else {
        return;
    };
    let (callers, secret) = (folder.path().join("callers"), folder.path().join("secret"));
    fs::write(&secret, "the first line of it\n").unwrap();
    let mut run = command(program.to_str().unwrap(), &callers);
    run.env("MEMPROF_BASELINE", "check")
        .env("MEMPROF_BASELINE_FILE", &secret)
        .current_dir(folder.path());
    let told = said(&run.output().unwrap());
    assert!(
        told.starts_with("memprof: nothing is recorded: the program has privileges"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1);
    let there = fs::read_dir(folder.path()).unwrap();
    assert_eq!(there.count(), 2, "the program and the secret");
}

#[test]
fn it_records_where_its_settings_say() {
    let Some((folder, program)) = setuid() else {
        return;
    };
    let programs = open_folder(folder.path().join("programs"));
    let callers = open_folder(folder.path().join("callers"));
    let mut run = command(program.to_str().unwrap(), &callers);
    run.arg(&programs)
        .env("MEMPROF_QUIET", "1")
        .env("TZ", "Pacific/Auckland");
    let told = said(&run.output().unwrap());
    assert!(told.contains("work"), "the summary is printed: {told}");
    assert!(programs.join("latest/run.json").is_file());
    assert_eq!(fs::read_dir(&callers).unwrap().count(), 0);
}
