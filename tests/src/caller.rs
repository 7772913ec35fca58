//! A user's crate outside of the workspace, made for a test from a source in `tests/callers`: it has
//! the features of memprof that it asks for, whatever the workspace is built with.

use std::path::{Path, PathBuf};
use std::process::Command;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A source in `tests/callers`.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn source(name: &str) -> String {
    let path = Path::new(WORKSPACE).join(format!("tests/callers/{name}.rs"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Makes a crate that depends on memprof by path, with its lock file taken from the workspace, so
/// that nothing has to be fetched. `options` stands in the dependency, behind a comma.
///
/// # Panics
/// When it cannot be written.
pub fn make(folder: &Path, name: &str, edition: &str, options: &str) {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n\n\
         [dependencies]\nmemprof = {{ path = {:?}{options} }}\n\n\
         [features]\nregression = []\n\n[workspace]\n",
        Path::new(WORKSPACE).join("profile-runtime")
    );
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("written");
    std::fs::write(folder.join("src/lib.rs"), source(name)).expect("written");
    std::fs::copy(
        Path::new(WORKSPACE).join("Cargo.lock"),
        folder.join("Cargo.lock"),
    )
    .expect("copied");
}

/// `cargo` in a crate made by [`make`], with one target folder below `scratch` for all of them.
#[must_use]
pub fn cargo(folder: &Path, scratch: &str, subcommand: &str) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([subcommand, "--offline", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", PathBuf::from(scratch).join("callers"))
        .env_remove("RUSTFLAGS");
    cargo
}
