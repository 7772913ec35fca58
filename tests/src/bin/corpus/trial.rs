//! One crate, tried with the attribute on every function and without.

use std::fs;
use std::path::Path;

use crate::annotate;
use crate::cargo::{self, Outcome, Suite};
use crate::list::Entry;

/// What came of a crate.
pub(crate) struct Trial {
    pub(crate) entry: Entry,
    pub(crate) version: String,
    pub(crate) suite: Suite,
    /// How many got the attribute.
    pub(crate) functions: usize,
    pub(crate) before: Outcome,
    pub(crate) after: Outcome,
}

pub(crate) fn run(entry: &Entry, dir: &Path, memprof: &Path) -> Result<Trial, String> {
    let published = cargo::fetch(entry, dir)?;
    let work = dir.join(format!("{}-{}", entry.name, published.version));
    let (plain, annotated) = (work.join("plain"), work.join("annotated"));
    for copy in [&plain, &annotated] {
        if copy.exists() {
            fs::remove_dir_all(copy).map_err(|error| format!("{}: {error}", copy.display()))?;
        }
        cargo::copy(&published.dir, copy)?;
    }
    let manifest = cargo::read(&plain.join("Cargo.toml"))?;
    cargo::write(&plain.join("Cargo.toml"), &detached(&manifest))?;
    let (suite, before) = most_that_compiles(entry, &plain)?;
    // The same versions of everything else.
    cargo::write(
        &annotated.join("Cargo.lock"),
        &cargo::read(&plain.join("Cargo.lock"))?,
    )?;
    cargo::write(
        &annotated.join("Cargo.toml"),
        &depending(&detached(&manifest), memprof)?,
    )?;
    let functions = annotate::package(&annotated)?;
    if let Some(root) = &published.root_2015 {
        annotate::declare(&annotated.join(root))?;
    }
    let after = cargo::test(entry, suite, &annotated)?;
    Ok(Trial {
        entry: entry.clone(),
        version: published.version,
        suite,
        functions,
        before,
        after,
    })
}

fn most_that_compiles(entry: &Entry, dir: &Path) -> Result<(Suite, Outcome), String> {
    let mut tried = (Suite::All, cargo::test(entry, Suite::All, dir)?);
    for suite in [Suite::Library, Suite::Nothing] {
        if !tried.1.compiles {
            tried = (suite, cargo::test(entry, suite, dir)?);
        }
    }
    Ok(tried)
}

/// The manifest of a package that is in no workspace but its own.
pub(crate) fn detached(manifest: &str) -> String {
    if manifest.contains("[workspace") {
        manifest.to_owned()
    } else {
        format!("{manifest}\n[workspace]\n")
    }
}

pub(crate) fn depending(manifest: &str, memprof: &Path) -> Result<String, String> {
    let path = memprof
        .canonicalize()
        .map_err(|error| format!("{}: {error}", memprof.display()))?;
    Ok(format!(
        "{manifest}\n[dependencies.memprof]\npath = '{}'\n",
        path.display()
    ))
}

impl Trial {
    /// Everything that is not as before, and not explained in the list.
    pub(crate) fn unexplained(&self) -> Vec<String> {
        if !self.before.compiles {
            return vec!["does not compile as published".to_owned()];
        }
        let mut differences = self.differences();
        differences.retain(|difference| {
            let mut known = self.entry.explained.keys();
            !known.any(|known| difference.contains(known.as_str()))
        });
        differences
    }

    /// What the list says about differences that there are.
    pub(crate) fn explanations(&self) -> impl Iterator<Item = String> {
        let differences = self.differences();
        let known = self.entry.explained.iter();
        known.filter_map(move |(known, reason)| {
            let met = differences
                .iter()
                .any(|difference| difference.contains(known));
            met.then(|| format!("`{known}`: {reason}"))
        })
    }

    fn differences(&self) -> Vec<String> {
        let mut differences = self.messages();
        for (test, before) in &self.before.tests {
            match self.after.tests.get(test) {
                Some(after) if after == before => {}
                after => {
                    let after = after.map_or("not run", String::as_str);
                    differences.push(format!("{test}: {before} before, {after} after"));
                }
            }
        }
        // A failed test says so by itself.
        if differences.is_empty() && self.before.ends_well && !self.after.ends_well {
            differences.push("a test program fails after its last test".to_owned());
        }
        differences
    }

    fn messages(&self) -> Vec<String> {
        let (before, after) = (&self.before.messages, &self.after.messages);
        let gone = before.iter().filter(|message| !after.contains(message));
        let new = after.iter().filter(|message| !before.contains(message));
        let gone = gone.map(|message| format!("no more: {message}"));
        gone.chain(new.map(|message| format!("new: {message}")))
            .collect()
    }
}
