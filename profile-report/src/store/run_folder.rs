//! The folder of one process's reports: named once, so that repeated writes replace the same files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use memprof_model::run::Run;

use super::file_names::safe;
use super::strangers;
use crate::error::ReportError;
use crate::text::time::local;

/// More processes than this with one program, second and number on one root are no accident.
const MOST_TWINS: u32 = 1_000;
/// The longest part of the folder's name that comes from the program's.
const LONGEST_PROGRAM: usize = 60;

/// Remembers which folder under a root belongs to this process.
///
/// ```
/// static FOLDER: memprof::report::RunFolder = memprof::report::RunFolder::new();
/// ```
#[derive(Debug, Default)]
pub struct RunFolder(Mutex<Option<Chosen>>);

#[derive(Debug)]
struct Chosen {
    root: PathBuf,
    folder: PathBuf,
    /// Whose it is, where the system knows users.
    owner: Option<u32>,
}

impl RunFolder {
    /// A folder that is still to be chosen, by the first write.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The folder at `folder`, under `root`.
    pub(crate) fn at(root: &Path, folder: &Path) -> Self {
        Self(Mutex::new(Some(Chosen {
            root: root.to_owned(),
            folder: folder.to_owned(),
            owner: strangers::owner_of(folder).ok().flatten(),
        })))
    }

    /// The run's folder under `root`: the one chosen before, or a new one that no other process
    /// has. It exists when this returns, also if somebody removed it in between.
    #[doc(hidden)]
    pub fn in_root(&self, root: &Path, run: &Run) -> Result<PathBuf, ReportError> {
        let mut chosen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chosen) = chosen.as_ref().filter(|chosen| chosen.root == root) {
            let folder = &chosen.folder;
            strangers::make_again(folder, chosen.owner)
                .map_err(|e| ReportError::write(folder, e))?;
            return Ok(folder.clone());
        }
        let folder = create_new(root, &name(run))?;
        strangers::refuse(root, &folder).map_err(|e| {
            let _ = fs::remove_dir(&folder);
            ReportError::write(root, e)
        })?;
        let owner = strangers::owner_of(&folder).map_err(|e| ReportError::write(&folder, e))?;
        *chosen = Some(Chosen {
            root: root.to_owned(),
            folder: folder.clone(),
            owner,
        });
        Ok(folder)
    }
}

/// Creates `root/name`, or `root/name-2`, … if another process has taken it.
fn create_new(root: &Path, name: &str) -> Result<PathBuf, ReportError> {
    fs::create_dir_all(root).map_err(|e| ReportError::write(root, e))?;
    let mut folder = root.join(name);
    for twin in 2..MOST_TWINS {
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                folder = root.join(format!("{name}-{twin}"))
            }
            Err(e) => return Err(ReportError::write(&folder, e)),
        }
    }
    Err(ReportError::write(
        &folder,
        io::Error::from(io::ErrorKind::AlreadyExists),
    ))
}

/// What the names of all folders of the program begin with.
fn program(run: &Run) -> String {
    let mut program = safe(run.program.strip_suffix(".exe").unwrap_or(&run.program));
    program.truncate(LONGEST_PROGRAM);
    program
}

/// Whether a folder of this name may hold a run of the program that made `run`.
pub(super) fn is_of(folder: &str, run: &Run) -> bool {
    let rest = folder.strip_prefix(&program(run));
    let date = rest.and_then(|rest| rest.strip_prefix('-')?.split('-').next());
    date.is_some_and(|date| date.len() == 8 && date.bytes().all(|c| c.is_ascii_digit()))
}

/// `<program>-<YYYYMMDD-HHMMSS>-<pid>`, in the local time of the run's start.
fn name(run: &Run) -> String {
    let program = program(run);
    match local(&run.started) {
        Some(start) => format!("{program}-{}-{}", start.strftime("%Y%m%d-%H%M%S"), run.pid),
        None => format!("{program}-{}", run.pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn named_by_program_local_time_and_process() {
        assert_eq!(name(&fixture::inverse()), "demo-20260301-140509-4242");
        let mut utc = fixture::inverse();
        utc.started = "2026-03-01T13:05:09.25Z".into();
        assert_eq!(name(&utc), "demo-20260301-130509-4242");
        utc.started = "yesterday".into();
        assert_eq!(name(&utc), "demo-4242");
    }

    #[test]
    fn chosen_once_for_each_process_and_its_own() {
        let root = tempfile::tempdir().unwrap();
        let (run, mine, other) = (fixture::inverse(), RunFolder::new(), RunFolder::new());
        let first = mine.in_root(root.path(), &run).unwrap();
        assert_eq!(mine.in_root(root.path(), &run).unwrap(), first);
        let second = other.in_root(root.path(), &run).unwrap();
        assert!(
            second.ends_with("demo-20260301-140509-4242-2"),
            "{second:?}"
        );
    }

    #[test]
    fn comes_back_after_somebody_removed_it() {
        let root = tempfile::tempdir().unwrap();
        let (run, folder) = (fixture::inverse(), RunFolder::new());
        let first = folder.in_root(root.path(), &run).unwrap();
        fs::remove_dir_all(root.path()).unwrap();
        assert_eq!(folder.in_root(root.path(), &run).unwrap(), first);
        assert!(first.is_dir());
    }
}
