//! We read what Python's own mprof wrote, and find the peaks that it finds.
//!
//! `MEMPROF_TEST_MPROF` names the program: `.ci/run` installs it and sets the variable.

use std::path::{Path, PathBuf};
use std::process::Command;

use memprof::report::{DatFile, RunFolder, read_dat, write};
use tempfile::TempDir;

/// What mprof prints.
fn mprof(folder: &Path, arguments: &[&str]) -> String {
    let program = std::env::var_os("MEMPROF_TEST_MPROF")
        .expect("MEMPROF_TEST_MPROF names Python's mprof: .ci/run installs it");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("mprof starts");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The file that mprof makes of a script.
fn recorded(script: &str, options: &[&str]) -> (TempDir, DatFile) {
    let folder = tempfile::tempdir().expect("a folder");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mprof_files");
    let script: PathBuf = scripts.join(script);
    let mut arguments = vec!["run", "-T", "0.02", "-o", "made.dat"];
    arguments.extend(options);
    arguments.push(script.to_str().expect("a path"));
    mprof(folder.path(), &arguments);
    let file = read_dat(folder.path().join("made.dat")).unwrap_or_else(|error| panic!("{error}"));
    (folder, file)
}

fn shown(mib: Option<f64>) -> String {
    format!("\t{:.3} MiB", mib.expect("memory"))
}

/// A run like any other: it has all its reports.
fn assert_can_be_shown(folder: &TempDir, file: &DatFile) {
    let written = write(&file.to_run(), folder.path(), &RunFolder::new());
    let run = written.unwrap_or_else(|error| panic!("{error}"));
    assert!(run.join("index.html").is_file());
}

#[test]
#[ignore = "needs Python's mprof: .ci/run installs it and runs this"]
fn functions_and_blocks() {
    let (folder, file) = recorded("functions.py", &[]);
    assert!(
        file.command
            .as_ref()
            .is_some_and(|command| command.contains("functions.py"))
    );
    assert!(mprof(folder.path(), &["peak", "made.dat"]).contains(&shown(file.peak())));
    let calls = |name: &str| {
        let function = file.functions.iter().find(|function| function.name == name);
        function.map(|function| {
            function
                .calls
                .iter()
                .map(|call| call.level)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(calls("__main__.work"), Some(vec![Some(0)]));
    assert_eq!(calls("__main__.build"), Some(vec![Some(1), Some(1)]));
    assert_eq!(calls(".a_block"), Some(vec![Some(1)]));
    for function in &file.functions {
        let said = mprof(
            folder.path(),
            &["peak", "--func", &function.name, "made.dat"],
        );
        assert!(
            said.contains(&shown(file.peak_of(&function.name))),
            "{said}"
        );
    }
    assert_can_be_shown(&folder, &file);
}

#[test]
#[ignore = "needs Python's mprof: .ci/run installs it and runs this"]
fn child_processes() {
    let (folder, file) = recorded("forks.py", &["--multiprocess"]);
    let said = mprof(folder.path(), &["peak", "made.dat"]);
    assert!(said.contains(&shown(file.peak())), "{said}");
    assert_eq!(file.children.len(), 2, "{said}");
    for child in &file.children {
        let line = format!("  Child {}\t\t{}", child.child, shown(child.peak()));
        assert!(said.contains(&line), "{line:?} is not in {said:?}");
    }
    assert_can_be_shown(&folder, &file);
}
