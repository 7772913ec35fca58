//! A crate as a user has it, outside of the workspace: made of files in `tests/callers`, built and tested
//! by cargo.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A crate in a temporary folder.
#[derive(Debug)]
pub struct UserCrate {
    folder: TempDir,
    target: PathBuf,
}

/// What a command of cargo printed, and whether it was green.
#[derive(Debug)]
pub struct Printed {
    /// stdout, then stderr.
    pub text: String,
    /// Exit code 0.
    pub green: bool,
}

/// The text of `tests/callers/<name>.rs`.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn source(name: &str) -> String {
    let path = Path::new(WORKSPACE).join(format!("tests/callers/{name}.rs"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl UserCrate {
    /// The crate whose `src/lib.rs` is `tests/callers/<name>.rs`. It depends on memprof by path, and its
    /// lock file is the workspace's, so that nothing has to be fetched. `options` stands in the dependency,
    /// behind a comma. `target` keeps what is built.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn new(name: &str, edition: &str, options: &str, target: impl Into<PathBuf>) -> UserCrate {
        let made = UserCrate {
            folder: TempDir::new().expect("a folder"),
            target: target.into(),
        };
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n\
             [dependencies]\nmemprof = {{ path = {:?}{options} }}\n\n\
             [features]\nregression = []\nlittle = []\nwithout = []\nfailing = []\nuncounted = []\n\
             own = []\nwrapped = []\n\n\
             [workspace]\n",
            Path::new(WORKSPACE).join("profile-runtime")
        );
        std::fs::write(made.path().join("Cargo.toml"), manifest).expect("written");
        made.add(name, "src/lib.rs");
        let lock = Path::new(WORKSPACE).join("Cargo.lock");
        std::fs::copy(lock, made.path().join("Cargo.lock")).expect("copied");
        made
    }

    /// Puts `tests/callers/<name>.rs` at `place` in the crate.
    ///
    /// # Panics
    /// When it cannot be read or written.
    pub fn add(&self, name: &str, place: &str) {
        let place = self.path().join(place);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        std::fs::write(place, source(name)).expect("written");
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where memprof's reports of it are.
    #[must_use]
    pub fn reports(&self) -> PathBuf {
        self.path().join("reports")
    }

    /// The number of the line of `src/lib.rs` that holds `text`.
    ///
    /// # Panics
    /// When no line does.
    #[must_use]
    pub fn line_of(&self, text: &str) -> usize {
        let source = std::fs::read_to_string(self.path().join("src/lib.rs")).expect("the crate");
        let line = source.lines().position(|line| line.contains(text));
        line.expect("the line") + 1
    }

    /// cargo in its folder, with these arguments and none of the variables that concern memprof.
    #[must_use]
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo = Command::new(cargo);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("MEMPROF")
                || name.starts_with("NEXTEST")
                || name.starts_with("RUST_")
            {
                cargo.env_remove(name);
            }
        }
        cargo
            .args(arguments)
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", &self.target)
            .env("MEMPROF_DIR", self.reports())
            .env("RUST_BACKTRACE", "0")
            .env_remove("RUSTFLAGS");
        cargo
    }

    /// Its plain `cargo test`, with some more arguments and variables.
    ///
    /// # Panics
    /// When cargo cannot be started.
    #[must_use]
    pub fn test(&self, more: &[&str], variables: &[(&str, &str)]) -> Printed {
        let mut cargo = self.cargo(&["test", "--offline", "--quiet"]);
        let output = cargo.args(more).envs(variables.iter().copied()).output();
        let output = output.expect("cargo");
        Printed {
            text: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
            green: output.status.success(),
        }
    }
}
