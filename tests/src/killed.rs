//! Programs that are killed at work, and what they had said until then.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::program::command;

/// A program that was killed, or killed itself.
#[derive(Debug)]
pub struct Killed {
    /// The steps that it had reported: number, and nanoseconds since its start.
    pub steps: Vec<(u64, u64)>,
    /// How it ended.
    pub status: std::process::ExitStatus,
    root: TempDir,
}

impl Killed {
    /// Runs `program` for `time` and kills it with SIGKILL.
    ///
    /// # Panics
    /// When it cannot be started or killed.
    #[must_use]
    pub fn after(program: &str, arguments: &[&str], time: Duration) -> Killed {
        Killed::run(program, arguments, Some(time), |_| {})
    }

    /// Runs `program` until it ends.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn by_itself(
        program: &str,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Killed {
        Killed::run(program, arguments, None, prepare)
    }

    fn run(
        program: &str,
        arguments: &[&str],
        time: Option<Duration>,
        prepare: impl FnOnce(&mut Command),
    ) -> Killed {
        let root = TempDir::new().expect("a folder");
        let mut command = command(program, root.path());
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        prepare(&mut command);
        let mut child = command.spawn().expect("started");
        let mut stdout = child.stdout.take().expect("a pipe");
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            stdout.read_to_string(&mut said).expect("text");
            said
        });
        if let Some(time) = time {
            std::thread::sleep(time);
            child.kill().expect("killed");
        }
        let status = child.wait().expect("ended");
        let said = said.join().expect("read");
        // The last line may be half there.
        let whole = said.rfind('\n').map_or("", |end| &said[..end]);
        let step = |line: &str| {
            let (number, time) = line.split_once(' ')?;
            Some((number.parse().ok()?, time.parse().ok()?))
        };
        Killed {
            steps: whole.lines().filter_map(step).collect(),
            status,
            root,
        }
    }

    /// Where its runs are kept.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Its journal, if it had begun one.
    ///
    /// # Panics
    /// When the folder cannot be read.
    #[must_use]
    pub fn journal(&self) -> Option<PathBuf> {
        let mut folders = std::fs::read_dir(self.root()).expect("the folder");
        let folder = folders.find_map(|entry| {
            let path = entry.expect("an entry").path();
            (path.is_dir() && !path.is_symlink()).then_some(path)
        })?;
        let journal = folder.join("mprofile.dat");
        journal.is_file().then_some(journal)
    }

    /// How long before the last step that was reported number `done` was; nanoseconds.
    #[must_use]
    pub fn behind(&self, done: u64) -> u64 {
        let last = self.steps.last().map_or(0, |step| step.1);
        let then = self.steps.iter().rev().find(|step| step.0 <= done);
        last.saturating_sub(then.map_or(0, |step| step.1))
    }
}
