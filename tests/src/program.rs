//! Runs a test program to its end in a folder of its own and reads back what memprof wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use memprof::run::{FunctionProfile, Run};
use tempfile::TempDir;

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit status, stdout and stderr.
    pub output: Output,
    root: TempDir,
}

/// Runs `program` with memprof's variables cleared and its reports in a new folder.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run(program: &str, arguments: &[&str]) -> Finished {
    run_with(program, arguments, |_| {})
}

/// Like [`run`]; `prepare` may set variables.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run_with(program: &str, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Finished {
    let root = TempDir::new().expect("a temporary folder");
    let mut command = command(program, root.path());
    command.args(arguments);
    prepare(&mut command);
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    Finished { output, root }
}

/// A command for `program` that keeps its reports in `root` and is not disturbed by the variables
/// of whoever runs the tests.
#[must_use]
pub fn command(program: &str, root: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MEMPROF") {
            command.env_remove(name);
        }
    }
    command.env("MEMPROF_DIR", root).env("NO_COLOR", "1");
    command
}

impl Finished {
    /// Where its runs are kept.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    fn folders(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.root.path())
            .expect("the reports' folder")
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.is_dir() && !path.is_symlink())
            .collect()
    }

    /// The folder of its one run.
    ///
    /// # Panics
    /// When there is none, or more than one.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let mut folders = self.folders();
        assert_eq!(
            folders.len(),
            1,
            "one run in {folders:?}\n{}",
            self.stderr()
        );
        folders.remove(0)
    }

    /// What it recorded.
    ///
    /// # Panics
    /// When it wrote no run.
    #[must_use]
    pub fn recorded(&self) -> Run {
        self.run_in(self.folder())
    }

    /// The runs of all copies of memprof in it.
    ///
    /// # Panics
    /// When one cannot be read.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let folders = self.folders().into_iter();
        folders.map(|folder| self.run_in(folder)).collect()
    }

    fn run_in(&self, folder: PathBuf) -> Run {
        memprof::report::read_run(folder)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.stderr()))
    }

    /// What it wrote to stderr.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// What it wrote to stdout.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

/// The one function of `run` with this label.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn function<'run>(run: &'run Run, label: &str) -> &'run FunctionProfile {
    let found = run.functions.iter().find(|profile| profile.label == label);
    found.unwrap_or_else(|| panic!("no function {label} in the run"))
}
