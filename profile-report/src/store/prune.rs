//! Old runs are removed: only folders that hold nothing but what we wrote, and no more than a number
//! of runs is exceeded by.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use memprof_model::run::SCHEMA;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::file_names::{Place, assign_places};
use super::owner::{FILE, Found, look_at};
use super::strangers::is_same_users;
use crate::allowance::Allowance;
use crate::bounded_file::{self, Links};
use crate::format::json;
use crate::read::saved_runs_within;
use crate::text::visible::visible;

/// What exports are called.
const EXPORTED: [&str; 5] = [
    "samples.csv",
    "lines.csv",
    "trace.json",
    "profile.pb.gz",
    "summary.md",
];

/// Removes the oldest runs under `root` until `keep` are left, or the allowance is spent; never the one in `own`, nor
/// those of other users. What cannot be removed stays: this is not what the program that is ending is about.
pub(super) fn prune(root: &Path, keep: usize, own: &Path, allowance: Allowance) {
    let Ok(listing) = saved_runs_within(root, allowance) else {
        return;
    };
    let mut readable: Vec<_> = listing
        .runs
        .iter()
        .filter(|run| run.header.is_ok())
        .collect();
    let old = readable.split_off(keep.min(readable.len()));
    for run in old.into_iter().rev() {
        let folder = root.join(&run.folder);
        if allowance.is_spent() {
            return;
        }
        if folder != own && is_same_users(&folder, own) {
            let _ = remove_within(&folder, allowance);
        }
    }
}

/// Removes the run in `folder`.
///
/// # Errors
/// When there is something in it that memprof has not written, its program may still be at work, or it cannot be
/// removed. Nothing is removed then but in the last case.
pub fn remove(folder: &Path) -> Result<(), NotRemoved> {
    remove_within(folder, Allowance::UNLIMITED)
}

fn remove_within(folder: &Path, allowance: Allowance) -> Result<(), NotRemoved> {
    let mut there = written_by_us(folder, allowance)?;
    // What tells that the folder is ours goes last.
    there.sort_by_key(|name| name == "run.json");
    for name in there {
        fs::remove_file(folder.join(name))?;
    }
    Ok(fs::remove_dir(folder)?)
}

/// The names of all files in `folder`, if we wrote all that is there.
fn written_by_us(folder: &Path, allowance: Allowance) -> Result<Vec<String>, NotRemoved> {
    // A journal is of a run in progress, or of one that is still to be recovered.
    let Found::None = look_at(&folder.join(FILE))? else {
        return Err(NotRemoved::AtWork);
    };
    let (run, _) = bounded_file::open(&folder.join("run.json"), Links::Refuse)?;
    let run = functions(&mut allowance.reader(run)).ok_or(NotRemoved::NoRun)?;
    let ours = files(&run);
    let mut there = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_file = entry.file_type()?.is_file();
        // Somebody's own file, folder or link makes it somebody's own folder.
        match entry.file_name().into_string() {
            Ok(name) if is_file && (ours.contains(&name) || is_remnant(&name)) => there.push(name),
            Ok(name) => return Err(NotRemoved::HoldsAlso(name)),
            Err(name) => return Err(NotRemoved::HoldsAlso(name.to_string_lossy().into_owned())),
        }
    }
    Ok(there)
}

/// Why a run was not removed.
#[derive(Debug)]
pub enum NotRemoved {
    /// There is a journal.
    AtWork,
    /// Its `run.json` is none, or there was no time to read it.
    NoRun,
    /// Something in the folder is not ours.
    HoldsAlso(String),
    /// The system refused.
    Failed(io::Error),
}

impl From<io::Error> for NotRemoved {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for NotRemoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtWork => {
                f.write_str("its program may be at work, or its journal has more than its reports")
            }
            Self::NoRun => f.write_str("its run.json is not that of a run"),
            Self::HoldsAlso(name) => write!(
                f,
                "it holds {}, which memprof has not written",
                visible(name)
            ),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// What of a function decides how its files are called.
#[derive(Deserialize)]
struct Function {
    name: String,
    file: String,
    line: u32,
}

/// The functions of the run that `text` holds; nothing else of it is kept in memory.
fn functions(text: &mut dyn Read) -> Option<Vec<Function>> {
    let mut found = Functions::default();
    json::read_with(text, |mut json| json.deserialize_map(&mut found)).ok()?;
    found.of_a_run.then_some(found.functions)
}

#[derive(Default)]
struct Functions {
    /// Whether the text says that it is a run.
    of_a_run: bool,
    functions: Vec<Function>,
}

impl<'de> Visitor<'de> for &mut Functions {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a saved run")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "schema" => self.of_a_run = map.next_value::<String>()? == SCHEMA,
                "functions" => self.functions = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Every file that is written for a run with these functions.
fn files(functions: &[Function]) -> HashSet<String> {
    let places = functions.iter().map(|function| Place {
        name: &function.name,
        file: &function.file,
        line: function.line,
    });
    let pages = assign_places(places).into_iter();
    let pages = pages.flat_map(|name| ["html", "svg", "txt"].map(|kind| format!("{name}.{kind}")));
    let own = ["run.json", "index.html", "changes.html", FILE].map(str::to_owned);
    pages
        .chain(own)
        .chain(EXPORTED.map(str::to_owned))
        .collect()
}

/// Whether it is what a writer that was killed has left.
fn is_remnant(name: &str) -> bool {
    name.starts_with(".memprof-") && name.ends_with(".tmp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::store::RunFolder;
    use crate::store::write;
    use std::path::PathBuf;

    /// A root with five runs, oldest first.
    fn runs() -> (tempfile::TempDir, Vec<PathBuf>) {
        let root = tempfile::tempdir().unwrap();
        let folders = (1..=5).map(|day| {
            let mut run = fixture::inverse();
            run.started = format!("2026-03-0{day}T10:00:00Z");
            write(&run, root.path(), &RunFolder::new()).unwrap()
        });
        let folders = folders.collect();
        (root, folders)
    }

    #[test]
    fn the_oldest_go() {
        let (root, folders) = runs();
        prune(root.path(), 2, &folders[4], Allowance::UNLIMITED);
        let there: Vec<bool> = folders.iter().map(|folder| folder.exists()).collect();
        assert_eq!(there, [false, false, false, true, true]);
        prune(root.path(), 2, &folders[4], Allowance::UNLIMITED);
        assert!(folders[3].exists(), "nothing is left to do");
        prune(root.path(), 0, &folders[4], Allowance::SPENT);
        assert!(folders[3].exists(), "there is no time");
    }

    #[test]
    fn ones_own_run_stays_though_it_is_the_oldest() {
        let (root, folders) = runs();
        prune(root.path(), 1, &folders[0], Allowance::UNLIMITED);
        assert!(folders[0].exists() && folders[4].exists() && !folders[1].exists());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_that_is_not_ours_is_touched() {
        let (root, folders) = runs();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("kept"), "").unwrap();
        fs::write(folders[0].join("notes.txt"), "mine").unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folders[1].join("link")).unwrap();
        fs::create_dir(folders[2].join("folder")).unwrap();
        // A folder that is called like a run, and one that a link leads to.
        fs::create_dir(root.path().join("demo-20200101-000000-1")).unwrap();
        fs::write(root.path().join("demo-20200101-000000-1/data.txt"), "mine").unwrap();
        fs::rename(&folders[3], elsewhere.path().join("run")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("run"), &folders[3]).unwrap();
        prune(root.path(), 0, &folders[4], Allowance::UNLIMITED);
        assert!(
            folders
                .iter()
                .all(|folder| folder.join("run.json").exists())
        );
        assert!(elsewhere.path().join("kept").exists());
        assert!(root.path().join("demo-20200101-000000-1/data.txt").exists());
    }

    #[test]
    fn a_journal_stays() {
        let (root, folders) = runs();
        fs::write(
            folders[0].join(FILE),
            "CMDLINE x\njournal {\"format\":1,\"pid\":1,\"start\":\"x\",\"boot\":\"x\"}\n",
        )
        .unwrap();
        prune(root.path(), 1, &folders[4], Allowance::UNLIMITED);
        assert!(folders[0].exists() && !folders[1].exists());
    }
}
