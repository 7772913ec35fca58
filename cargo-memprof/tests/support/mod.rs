//! What the end-to-end tests share: a folder of their own, our program in it, and programs to watch.
#![allow(dead_code, reason = "each test program uses a part of it")]

#[cfg(unix)]
pub(crate) mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A folder for one test, without a package around it.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    /// An empty folder.
    pub(crate) fn new() -> Bench {
        Bench {
            folder: TempDir::new().expect("a temporary folder"),
        }
    }

    /// The current folder of what is run.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where runs are kept.
    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("runs")
    }

    /// `cargo memprof <arguments>`, to be run in this folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-memprof"));
        self.settle(&mut command);
        command.arg("memprof").args(arguments);
        command
    }

    /// Runs `cargo memprof <arguments>`.
    pub(crate) fn memprof(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .output()
            .expect("cargo-memprof starts")
    }

    /// What `cargo memprof <arguments>` prints; it must end well.
    pub(crate) fn prints(&self, arguments: &[&str]) -> String {
        let output = self.memprof(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        stdout(&output)
    }

    /// What `cargo memprof <arguments>` complains of; it must end badly.
    pub(crate) fn complains(&self, arguments: &[&str]) -> String {
        let output = self.memprof(arguments);
        assert!(
            !output.status.success(),
            "{arguments:?}: {}",
            stdout(&output)
        );
        stderr(&output)
    }

    /// Runs the annotated example, whose run is then kept here.
    pub(crate) fn words(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(example("words"));
        self.settle(&mut command);
        command.args(arguments).output().expect("words starts")
    }

    /// Starts the annotated example, which stays at work for a minute.
    pub(crate) fn words_at_work(&self) -> Child {
        let mut command = Command::new(example("words"));
        self.settle(&mut command);
        command.args(["20000", "wait=60"]).stdout(Stdio::null());
        command.spawn().expect("words starts")
    }

    /// The folders of all runs, by name.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.root()) else {
            return Vec::new();
        };
        let mut runs: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_dir() && !path.is_symlink())
            .collect();
        runs.sort();
        runs
    }

    /// Keeps whoever runs the tests out of them.
    fn settle(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MEMPROF") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.path());
        command.env("MEMPROF_DIR", self.root()).env("NO_COLOR", "1");
    }
}

/// The path of an example of this package, built on first use.
pub(crate) fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--examples",
                "--manifest-path",
                manifest,
            ])
            .status()
            .expect("cargo starts");
        assert!(status.success(), "the examples compile");
        let ours = Path::new(env!("CARGO_BIN_EXE_cargo-memprof"));
        ours.parent().expect("a folder").join("examples")
    });
    folder.join(name)
}

/// What was printed.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What was said beside it.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
