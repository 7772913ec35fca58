//! The root's `index.html`, which lists all runs kept there, and the link `latest`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folder_lock::take_turn;
use crate::allowance::{Allowance, Clock};
use crate::atomic_file;
use crate::error::ReportError;
use crate::pages::index_page;
use crate::read::saved_runs_within;

/// For so long a process waits for its turn.
const LONGEST_TURN: Duration = Duration::from_secs(2);

/// What the list of runs may take, of a program's time.
const IN_PASSING: Duration = Duration::from_millis(25);

/// Lists the runs under `root` in its `index.html`, and points `latest` to the newest.
///
/// Processes that end at the same time take turns, so that the last one to write has seen the runs
/// of all the others. They do not wait for one that is stopped in the middle of it. Without a turn, as on a
/// file system without locks, the index is whole all the same: it may only miss a run that ended in the same
/// instant. [`write`](crate::write()) has done this already; it is for whoever removed a run.
///
/// # Errors
/// When `root` cannot be read or its `index.html` cannot be written.
pub fn refresh_index(root: &Path) -> Result<(), ReportError> {
    refresh_within(root, Allowance::UNLIMITED)
}

/// As [`refresh_index`], by a program that is about something else. The page says so if the time that such a program
/// has for this was too short for all runs.
pub(super) fn refresh_in_passing(root: &Path, clock: Clock) -> Result<(), ReportError> {
    refresh_within(root, Allowance::of(IN_PASSING, clock))
}

fn refresh_within(root: &Path, allowance: Allowance) -> Result<(), ReportError> {
    let _turn = take_turn(root, Some(LONGEST_TURN));
    let listing = saved_runs_within(root, allowance)?;
    let index = index_page(&listing)?;
    atomic_file::write(&root.join("index.html"), index.as_bytes())?;
    let newest = listing.runs.iter().find(|entry| entry.header.is_ok());
    point_latest_to(root, newest.map(|newest| newest.folder.as_str()));
    Ok(())
}

/// Replaces the link `latest`, or removes it if there is nothing to lead to. It is a convenience: where links are
/// impossible, or somebody keeps a file or a folder of that name, it is left alone.
#[cfg(unix)]
fn point_latest_to(root: &Path, folder: Option<&str>) {
    let latest = root.join("latest");
    if latest
        .symlink_metadata()
        .is_ok_and(|there| !there.is_symlink())
    {
        return;
    }
    let Some(folder) = folder else {
        let _ = fs::remove_file(latest);
        return;
    };
    let temporary: PathBuf = root.join(format!(".latest-{}.tmp", std::process::id()));
    let made = std::os::unix::fs::symlink(folder, &temporary);
    if made.and_then(|()| fs::rename(&temporary, latest)).is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

/// On other platforms links need privileges; there is none.
#[cfg(not(unix))]
fn point_latest_to(_root: &Path, _folder: Option<&str>) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::read::saved_runs;
    use crate::store::RunFolder;
    use crate::store::write;

    #[test]
    fn newest_first_and_the_unreadable_visible() {
        let root = tempfile::tempdir().unwrap();
        for (program, started) in [
            ("older", "2026-03-01T10:00:00+01:00"),
            ("newer", "2026-03-01T09:30:00Z"),
        ] {
            let mut run = fixture::no_samples();
            (run.program, run.started) = (program.into(), started.into());
            write(&run, root.path(), &RunFolder::new()).unwrap();
        }
        for (folder, text) in [
            ("damaged", "{\"schema\":\"mem"),
            ("later", "{\"schema\":\"memprof/9\"}"),
        ] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("run.json"), text).unwrap();
        }
        fs::create_dir(root.path().join("unrelated")).unwrap();
        refresh_index(root.path()).unwrap();
        let folders: Vec<_> = saved_runs(root.path())
            .unwrap()
            .into_iter()
            .map(|e| e.folder)
            .collect();
        assert!(
            folders[0].starts_with("newer") && folders[1].starts_with("older"),
            "{folders:?}"
        );
        assert_eq!(folders[2..], ["later", "damaged"]);
        let index = fs::read_to_string(root.path().join("index.html")).unwrap();
        assert!(index.contains("damaged") && index.contains("memprof/9"));
    }

    #[cfg(unix)]
    #[test]
    fn latest_leads_to_the_newest_run_and_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let mut run = fixture::no_samples();
        for year in ["2025", "2026"] {
            run.started.replace_range(..4, year);
            let folder = write(&run, root.path(), &RunFolder::new()).unwrap();
            let latest = fs::read_link(root.path().join("latest")).unwrap();
            assert_eq!(Some(latest.as_os_str()), folder.file_name());
        }
    }

    #[cfg(unix)]
    #[test]
    fn latest_goes_with_the_last_run() {
        let root = tempfile::tempdir().unwrap();
        let folder = write(&fixture::no_samples(), root.path(), &RunFolder::new()).unwrap();
        fs::remove_dir_all(folder).unwrap();
        refresh_index(root.path()).unwrap();
        assert!(root.path().join("latest").symlink_metadata().is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_or_file_called_latest_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let latest = root.path().join("latest");
        let write = || write(&fixture::no_samples(), root.path(), &RunFolder::new()).unwrap();
        fs::create_dir(&latest).unwrap();
        fs::write(latest.join("mine"), "").unwrap();
        write();
        assert!(latest.join("mine").exists());
        fs::remove_dir_all(&latest).unwrap();
        fs::write(&latest, "mine").unwrap();
        write();
        assert_eq!(fs::read_to_string(&latest).unwrap(), "mine");
    }

    #[test]
    fn what_there_was_no_time_for_is_said() {
        let root = tempfile::tempdir().unwrap();
        write(&fixture::no_samples(), root.path(), &RunFolder::new()).unwrap();
        refresh_within(root.path(), Allowance::SPENT).unwrap();
        let index = fs::read_to_string(root.path().join("index.html")).unwrap();
        assert!(index.contains("More folders are here than could be read"));
        refresh_index(root.path()).unwrap();
        let index = fs::read_to_string(root.path().join("index.html")).unwrap();
        assert!(!index.contains("More folders are here"));
    }
}
