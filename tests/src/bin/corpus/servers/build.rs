//! A server with the attribute on every function, and the allocator that memprof is compared with.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Server;
use crate::list::Entry;
use crate::{annotate, cargo, trial};

/// What is put into the server's program.
const REFERENCE: &str = include_str!("reference.rs");

/// Builds the server; gives its program.
pub(super) fn annotated(server: &Server, dir: &Path, memprof: &Path) -> Result<PathBuf, String> {
    let entry = Entry {
        name: server.name.to_owned(),
        version: server.version.to_owned(),
        ..Entry::default()
    };
    let published = cargo::fetch(&entry, dir)?;
    let work = dir
        .join(format!("{}-{}", server.name, server.version))
        .join("server");
    if work.exists() {
        std::fs::remove_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    }
    cargo::copy(&published.dir, &work)?;
    let manifest = trial::detached(&cargo::read(&work.join("Cargo.toml"))?);
    cargo::write(
        &work.join("Cargo.toml"),
        &trial::depending(&manifest, memprof)?,
    )?;
    annotate::package(&work)?;
    cargo::write(&work.join("reference.rs"), REFERENCE)?;
    let main = work.join(server.main);
    cargo::write(&main, &with_reference(&cargo::read(&main)?, &work)?)?;
    build(server, &work, &dir.join("build"))
}

/// The file with `main`, in which the reference begins first.
fn with_reference(text: &str, work: &Path) -> Result<String, String> {
    let main = text.find("fn main(").ok_or("there is no main")?;
    let body = main + text[main..].find("{\n").ok_or("main has no body")? + 1;
    let path = work.join("reference.rs");
    let path = path.canonicalize().map_err(|error| error.to_string())?;
    Ok(format!(
        "{} reference::begin();{}\n#[path = {path:?}]\nmod reference;\n",
        &text[..body],
        &text[body..]
    ))
}

/// As the tests of other crates are built, so that what they share is built once; memprof optimized.
fn build(server: &Server, work: &Path, target: &Path) -> Result<PathBuf, String> {
    let status = Command::new("cargo")
        .args(["build", "--no-default-features", "--bin", server.program])
        .arg(cargo::OPTIMIZED)
        .current_dir(work)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .status()
        .map_err(|error| format!("cargo build: {error}"))?;
    match status.success() {
        true => Ok(target.join("debug").join(server.program)),
        false => Err(format!("{} does not build", server.name)),
    }
}
