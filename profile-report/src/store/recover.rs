//! Runs whose program ended without a report: what they had written until then, made into reports.

use std::fs;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use memprof_model::data;
use memprof_model::run::{Run, RunOutcome};

use super::index::refresh_index;
use super::owner::{FILE, Found, look_at};
use super::run_folder::RunFolder;
use super::strangers::is_same_users;
use super::write::write_files;
use crate::allowance::{Allowance, Clock, standing_clock};
use crate::bounded_file::{self, Links};
use crate::error::ReportError;
use crate::read::{parse_journal, parse_journal_within, read_run_within};

/// A longer journal is none of ours.
const LARGEST: u64 = 256 << 20;

/// A longer one, or a longer `run.json` beside it, is not read when another program ends.
const LARGEST_IN_PASSING: u64 = 4 << 20;

/// Turns what a killed program left behind into its reports, and gives back the folders of the runs
/// that are complete now.
///
/// `folder` is a run's folder, or one that holds runs, such as `target/memprof`. A program writes down
/// what it has recorded while it runs, about every half second. If it ends without reports (killed, out
/// of memory, aborted), the next program that writes its reports to the same place does what this
/// function does.
///
/// The runs' outcome is [`RunOutcome::Recovered`], and [`Run::stopped`] tells where each
/// thread was. A run whose program is still at work, and one that is complete, are left alone.
///
/// # Errors
/// When `folder` or what is in it cannot be read, or the reports cannot be written.
///
/// ```
/// # let folder = std::env::temp_dir().join("memprof-doc-recover");
/// # std::fs::create_dir_all(&folder).unwrap();
/// for run in memprof::recover(&folder)? {
///     println!("{}", run.join("index.html").display());
/// }
/// # Ok::<(), memprof::report::ReportError>(())
/// ```
pub fn recover(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, ReportError> {
    let folder = folder.as_ref();
    let folder = fs::canonicalize(folder).map_err(|error| ReportError::read(folder, error))?;
    let (root, runs) = if folder.join(FILE).is_file() {
        (folder.parent().unwrap_or(&folder), vec![folder.clone()])
    } else {
        let runs = run_folders(&folder).map_err(|error| ReportError::read(&folder, error))?;
        (folder.as_path(), runs)
    };
    let mut recovered = Vec::new();
    let outcome = runs.into_iter().try_for_each(|run| {
        if recover_run(&run)? {
            recovered.push(run);
        }
        Ok(())
    });
    if !recovered.is_empty() {
        refresh_index(root)?;
    }
    outcome.map(|()| recovered)
}

/// What a program that is still at work has recorded so far: the run in `folder`, as its journal told it
/// at most about half a second ago. [`Run::stopped`] tells where each thread is. `None` if the run is
/// complete, or its program is gone.
///
/// It costs the reading of the whole journal, some megabytes at most.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn live(folder: impl AsRef<Path>) -> Result<Option<Run>, ReportError> {
    let path = folder.as_ref().join(FILE);
    let unreadable = |error| ReportError::read(&path, error);
    let Found::Alive = look_at(&path).map_err(unreadable)? else {
        return Ok(None);
    };
    let (file, _) = bounded_file::open(&path, Links::Refuse).map_err(unreadable)?;
    let text = whole(&file).map_err(unreadable)?;
    Ok(parse_journal(&text).map(|run| {
        data!(Run {
            outcome: RunOutcome::Running,
            ..run
        })
    }))
}

/// What was done for programs that had been killed, when another one ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct InPassing {
    /// Folders of the runs that are complete now.
    pub recovered: Vec<PathBuf>,
    /// How many were found that would have taken too long.
    pub left: usize,
}

/// Recovers runs under `root` that are of the user whose run is in `own`, as many as the allowance is enough for; the
/// files of a function take `page` each. What cannot be recovered is left as it is: this is not what the program that
/// is ending is about.
pub(super) fn in_passing(
    root: &Path,
    own: &Path,
    page: Duration,
    allowance: Allowance,
) -> InPassing {
    let mut done = InPassing::default();
    for folder in run_folders(root).unwrap_or_default() {
        if allowance.is_spent() {
            break;
        }
        if folder == own || !is_same_users(&folder, own) {
            continue;
        }
        match recover_within(&folder, page, allowance) {
            Some(true) => done.recovered.push(folder),
            Some(false) => done.left += 1,
            None => {}
        }
    }
    done
}

/// Whether the run in `folder` was recovered; `None` if there is nothing to be recovered.
fn recover_within(folder: &Path, page: Duration, allowance: Allowance) -> Option<bool> {
    let journal = dead_journal(folder).ok()??;
    if journal.metadata().ok()?.len() > LARGEST_IN_PASSING {
        return Some(false);
    }
    let run = left_behind(folder, &journal, LARGEST_IN_PASSING, allowance).ok()?;
    if allowance.is_spent() {
        return Some(false);
    }
    let run = run?;
    let pages = u32::try_from(run.functions.len()).unwrap_or(u32::MAX);
    let takes = page.saturating_mul(pages);
    if allowance.left().is_some_and(|left| left < takes) {
        return Some(false);
    }
    Some(write_into(folder, &run, allowance.clock()).is_ok())
}

/// The folders in `root`, without following links.
fn run_folders(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort_unstable();
    Ok(folders)
}

/// Whether there was a run to be recovered in `folder`; it is complete now.
fn recover_run(folder: &Path) -> Result<bool, ReportError> {
    let unreadable = |error| ReportError::read(&folder.join(FILE), error);
    let Some(journal) = dead_journal(folder).map_err(unreadable)? else {
        return Ok(false);
    };
    let run = left_behind(folder, &journal, LARGEST, Allowance::UNLIMITED).map_err(unreadable)?;
    let Some(run) = run else {
        return Ok(false);
    };
    write_into(folder, &run, standing_clock).map(|()| true)
}

/// The journal in `folder`, if its program is gone. The lock on it is held as long as it is kept: until the reports
/// are there.
fn dead_journal(folder: &Path) -> io::Result<Option<fs::File>> {
    Ok(match look_at(&folder.join(FILE))? {
        Found::Dead(journal) => Some(journal),
        Found::Alive | Found::None => None,
    })
}

/// The run of which `journal` is: its own last word, or what the journal has of it. `None` if nothing is whole, or the
/// allowance was too small.
fn left_behind(
    folder: &Path,
    journal: &fs::File,
    largest: u64,
    allowance: Allowance,
) -> io::Result<Option<Run>> {
    let finished = read_run_within(&folder.join("run.json"), largest, allowance);
    if let Some(run) = finished.filter(has_ended) {
        return Ok(Some(run));
    }
    Ok(parse_journal_within(&whole(journal)?, allowance))
}

fn write_into(folder: &Path, run: &Run, clock: Clock) -> Result<(), ReportError> {
    let root = folder.parent().unwrap_or(folder);
    write_files(run, root, &RunFolder::at(root, folder), clock).map(drop)
}

/// All of a journal, from its beginning.
fn whole(mut journal: &fs::File) -> io::Result<Vec<u8>> {
    journal.rewind()?;
    let mut text = Vec::new();
    journal.take(LARGEST).read_to_end(&mut text)?;
    Ok(text)
}

/// Whether it is the run's own last word: its program was killed while it wrote its reports.
fn has_ended(run: &Run) -> bool {
    run.outcome == RunOutcome::Exited
}
