//! A real terminal with a shell in it, for sessions as a person has them.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Bench, stdout};

/// A terminal with a shell in it.
pub(crate) struct Terminal {
    socket: String,
    pub(crate) bench: Bench,
}

impl Terminal {
    /// One of 100 columns and 30 rows.
    pub(crate) fn new(name: &str) -> Terminal {
        Terminal::of_size(name, 100, 30)
    }

    pub(crate) fn of_size(name: &str, columns: u16, rows: u16) -> Terminal {
        let terminal = Terminal {
            socket: format!("memprof-{name}-{}", std::process::id()),
            bench: Bench::new(),
        };
        let folder = terminal.bench.path().to_str().expect("UTF-8").to_owned();
        terminal.tmux(&[
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns.to_string(),
            "-y",
            &rows.to_string(),
            "-c",
            &folder,
            "env",
            "-u",
            "NO_COLOR",
            "PS1=ready> ",
            "bash",
            "--norc",
            "--noprofile",
        ]);
        terminal.wait_for("ready>");
        let root = terminal.bench.root().display().to_string();
        terminal.enter(&format!("export MEMPROF_DIR={root}; clear"));
        terminal
    }

    pub(crate) fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux")
            .args(["-L", &self.socket])
            .args(arguments)
            .output();
        stdout(&output.expect("tmux: .ci/run installs it"))
    }

    /// Types a line.
    pub(crate) fn enter(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line]);
        self.tmux(&["send-keys", "Enter"]);
    }

    /// What is on the screen.
    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Presses keys, named as tmux names them.
    pub(crate) fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Waits until `text` is on the screen, which is given back.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as it should be; `what` that is, is said if it never is.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(
                began.elapsed() < Duration::from_secs(90),
                "no {what:?} in\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Our program.
pub(crate) fn ours() -> &'static str {
    env!("CARGO_BIN_EXE_cargo-memprof")
}
