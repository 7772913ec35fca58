//! Old runs are removed: only folders that hold nothing but what we wrote, and no more than a number
//! of runs is exceeded by.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use memprof_model::run::Run;

use super::file_names::assign;
use super::owner::{FILE, Found, look_at};
use crate::read::{read_run, saved_runs};

/// What exports are called.
const EXPORTED: [&str; 5] = [
    "samples.csv",
    "lines.csv",
    "trace.json",
    "profile.pb.gz",
    "summary.md",
];

/// Removes the oldest runs under `root` until `keep` are left; never the one in `own`. Says whether any
/// was removed. What cannot be removed stays: this is not what the program that is ending is about.
pub fn prune(root: &Path, keep: usize, own: &Path) -> bool {
    let runs = saved_runs(root).unwrap_or_default();
    let readable = runs.iter().filter(|run| run.header.is_ok());
    let mut removed = false;
    for run in readable.skip(keep) {
        let folder = root.join(&run.folder);
        if folder != own {
            removed |= remove(&folder).is_some();
        }
    }
    removed
}

/// Removes the run in `folder`, if that is a folder of ours and nothing else is in it.
fn remove(folder: &Path) -> Option<()> {
    // A journal is of a run in progress, or of one that is still to be recovered.
    let Found::None = look_at(&folder.join(FILE)).ok()? else {
        return None;
    };
    let run = read_run(folder.join("run.json")).ok()?;
    let ours = files(&run);
    let mut there = Vec::new();
    for entry in fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        // Somebody's own file, folder or link makes it somebody's own folder.
        if !entry.file_type().ok()?.is_file() || !(ours.contains(&name) || is_remnant(&name)) {
            return None;
        }
        there.push(name);
    }
    // What tells that the folder is ours goes last.
    there.sort_by_key(|name| name == "run.json");
    for name in there {
        fs::remove_file(folder.join(name)).ok()?;
    }
    fs::remove_dir(folder).ok()
}

/// Every file that is written for `run`.
fn files(run: &Run) -> HashSet<String> {
    let pages = assign(&run.functions).into_iter();
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
        assert!(prune(root.path(), 2, &folders[4]));
        let there: Vec<bool> = folders.iter().map(|folder| folder.exists()).collect();
        assert_eq!(there, [false, false, false, true, true]);
        assert!(!prune(root.path(), 2, &folders[4]), "nothing left to do");
    }

    #[test]
    fn ones_own_run_stays_though_it_is_the_oldest() {
        let (root, folders) = runs();
        prune(root.path(), 1, &folders[0]);
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
        assert!(!prune(root.path(), 0, &folders[4]));
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
        prune(root.path(), 1, &folders[4]);
        assert!(folders[0].exists() && !folders[1].exists());
    }
}
