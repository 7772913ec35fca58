//! One crate, annotated by `cargo memprof annotate` and stripped again: every file must be as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo;
use crate::list::Entry;
use crate::trial::detached;

/// What is in every file of a folder, by path.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// What came of a crate.
pub(crate) struct RoundTrip {
    pub(crate) name: String,
    pub(crate) version: String,
    /// How many functions got the attribute.
    pub(crate) functions: usize,
    /// How many could not get it, and were named.
    pub(crate) left_out: usize,
    /// How many files were changed.
    pub(crate) files: usize,
    /// What is not as it should be.
    pub(crate) wrong: Vec<String>,
}

/// Annotates a copy of the crate in `dir`, and strips it.
pub(crate) fn run(entry: &Entry, dir: &Path, memprof: &Path) -> Result<RoundTrip, String> {
    let published = cargo::fetch(entry, dir)?;
    let name = format!("{}-{}", entry.name, published.version);
    let work = dir.join(name).join("stripped");
    if work.exists() {
        fs::remove_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    }
    cargo::copy(&published.dir, &work)?;
    let manifest = work.join("Cargo.toml");
    cargo::write(&manifest, &detached(&cargo::read(&manifest)?))?;
    let before = files(&work)?;
    let memprof = memprof.to_string_lossy();
    let said = cargo_memprof(
        &work,
        &["annotate", "*", "--all-targets", "--memprof", &memprof],
    )?;
    let annotated = files(&work)?;
    cargo_memprof(&work, &["strip"])?;
    let after = files(&work)?;
    let mut wrong = broken(&annotated);
    wrong.extend(
        said.lines()
            .filter(|line| line.contains("could not be changed back"))
            .map(str::to_owned),
    );
    wrong.extend(differences(&before, &after));
    Ok(RoundTrip {
        name: entry.name.clone(),
        version: published.version,
        functions: number_of_functions(&said)?,
        left_out: said
            .lines()
            .filter(|line| line.starts_with("left out "))
            .count(),
        files: changed(&before, &annotated).count(),
        wrong,
    })
}

/// What `cargo memprof` says on stderr; it must end well.
fn cargo_memprof(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = ours.with_file_name("cargo-memprof");
    let output = Command::new(&program)
        .args(arguments)
        .env("NO_COLOR", "1")
        .current_dir(dir)
        .output()
        .map_err(|error| {
            format!(
                "{}: {error}; `cargo build -p cargo-memprof` makes it",
                program.display()
            )
        })?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("cargo memprof {}: {said}", arguments.join(" ")))
    }
}

fn number_of_functions(said: &str) -> Result<usize, String> {
    let line = said
        .lines()
        .find_map(|line| line.strip_suffix(" functions annotated"));
    line.and_then(|number| number.parse().ok())
        .ok_or_else(|| format!("cargo memprof annotate said {said:?}"))
}

fn files(dir: &Path) -> Result<Files, String> {
    let mut found = Files::new();
    for path in cargo::entries(dir)? {
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            let contents =
                fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            found.insert(path, contents);
        }
    }
    Ok(found)
}

fn changed<'a>(before: &'a Files, after: &'a Files) -> impl Iterator<Item = &'a PathBuf> {
    let changed = |(path, contents): &(&PathBuf, &Vec<u8>)| after.get(*path) != Some(contents);
    before.iter().filter(changed).map(|(path, _)| path)
}

/// Files with the attribute that are no Rust any more.
fn broken(annotated: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, contents) in annotated {
        let text = String::from_utf8_lossy(contents);
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        let has_it = text.contains("#[memprof::profile_memory]");
        if is_rust && has_it && syn::parse_file(&text).is_err() {
            wrong.push(format!("{} is no Rust when annotated", path.display()));
        }
    }
    wrong
}

fn differences(before: &Files, after: &Files) -> Vec<String> {
    let changed = changed(before, after).map(|path| format!("{} is not as it was", path.display()));
    let new = after.keys().filter(|path| !before.contains_key(*path));
    // cargo may have made a lock file; it is none of the package's.
    let new = new.filter(|path| path.file_name().is_none_or(|name| name != "Cargo.lock"));
    changed
        .chain(new.map(|path| format!("{} is new", path.display())))
        .collect()
}

/// Prints a row for each crate as it comes, then the sums; says on stderr what is wrong. Whether nothing is.
pub(crate) fn table(entries: &[Entry], dir: &Path, memprof: &Path) -> Result<bool, String> {
    let memprof = memprof
        .canonicalize()
        .map_err(|error| format!("{}: {error}", memprof.display()))?;
    println!("| crate | version | functions | left out | files changed | as it was |");
    println!("|---|---|--:|--:|--:|---|");
    let (mut functions, mut left_out, mut files, mut same) = (0, 0, 0, true);
    for entry in entries {
        // One that cannot be tried must not keep the others from it.
        match run(entry, dir, &memprof) {
            Ok(trip) => {
                let as_it_was = if trip.wrong.is_empty() {
                    "yes"
                } else {
                    "**no**"
                };
                println!(
                    "| {} | {} | {} | {} | {} | {as_it_was} |",
                    trip.name, trip.version, trip.functions, trip.left_out, trip.files
                );
                functions += trip.functions;
                left_out += trip.left_out;
                files += trip.files;
                same &= trip.wrong.is_empty();
                for wrong in trip.wrong {
                    eprintln!("{}: {wrong}", trip.name);
                }
            }
            Err(error) => {
                eprintln!("{}: {error}", entry.name);
                same = false;
            }
        }
    }
    let count = entries.len();
    println!("| {count} crates | | {functions} | {left_out} | {files} | |");
    Ok(same)
}
