//! Whose journal it is, and whether that process is still at work.
//!
//! A process holds a lock on its journal, which the system takes back when it ends, however it ends.
//! Where there are no locks (some network file systems), the process is looked for by its number and
//! the moment of its start.

use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::process::{boot, start_of};
use crate::bounded_file::{self, Links};
use crate::format::json;

/// The name of the journal, and of the finished run's file that takes its place.
pub const FILE: &str = "mprofile.dat";

/// The version of the journal's records.
pub(crate) const FORMAT: u32 = 1;

/// The owner's record stands this far into the file at most: the command line before it is bounded.
const HEAD: u64 = 4096;

/// A journal of another machine, or from before this one was started, has to be silent this long.
const SILENCE: Duration = Duration::from_secs(60);

/// The process that writes a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The version of its records.
    pub format: u32,
    /// Process identifier.
    pub pid: u32,
    /// When it started, in whatever unit the system has; empty where that cannot be told.
    pub start: String,
    /// Tells apart machines, and one machine before and after a restart.
    pub boot: String,
}

impl Owner {
    /// This process.
    pub fn this() -> Owner {
        let pid = std::process::id();
        Owner {
            format: FORMAT,
            pid,
            start: start_of(pid).unwrap_or_default(),
            boot: boot(),
        }
    }

    /// Whether there is a process here with the owner's number that began when the owner did.
    fn is_among_the_living(&self) -> bool {
        self.boot == boot()
            && !self.start.is_empty()
            && start_of(self.pid).as_ref() == Some(&self.start)
    }
}

/// A journal as found in a run's folder.
#[derive(Debug)]
pub(crate) enum Found {
    /// It is none: no file, a finished run's `mprofile.dat`, or something else.
    None,
    /// Its process is at work, as far as can be told.
    Alive,
    /// Its process has ended without finishing the run. The lock on it is held as long as the file is
    /// kept open.
    Dead(File),
}

/// Looks at the `mprofile.dat` at `path`. Never waits, never follows a link.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn look_at(path: &Path) -> io::Result<Found> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Found::None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::None),
        Err(error) => return Err(error),
    }
    let (file, _) = bounded_file::open(path, Links::Refuse)?;
    let Some(owner) = owner_of(&file)? else {
        return Ok(Found::None);
    };
    let locked = match file.try_lock() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        // No locks here: the other signs must do.
        Err(TryLockError::Error(_)) => false,
    };
    if locked || owner.is_among_the_living() || (owner.boot != boot() && is_recent(&file)) {
        return Ok(Found::Alive);
    }
    // Its owner may have put a new file in its place since it was opened, and have let go of this one.
    if is_at(&file, path) {
        Ok(Found::Dead(file))
    } else {
        Ok(Found::Alive)
    }
}

/// The owner of the journal that `file` is; `None` if it is no journal.
fn owner_of(file: &File) -> io::Result<Option<Owner>> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    let mut lines = head.split(|&byte| byte == b'\n');
    let record = lines.nth(1).and_then(|line| line.strip_prefix(b"journal "));
    Ok(record.and_then(|record| json::value_of(record).ok()))
}

fn is_recent(file: &File) -> bool {
    let modified = file.metadata().and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| modified.elapsed().ok());
    age.is_none_or(|age| age < SILENCE)
}

/// Whether `file` is what `path` leads to.
#[cfg(unix)]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata().map(identity);
    let there = std::fs::symlink_metadata(path).map(identity);
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

#[cfg(not(unix))]
pub fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(owner: &Owner) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("CMDLINE x\njournal {}\n", json::text_of(owner).unwrap());
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn dead() -> Owner {
        let start = "1".to_owned();
        Owner {
            start,
            ..Owner::this()
        }
    }

    #[test]
    fn a_lock_or_a_living_process_keeps_it() {
        let file = journal(&dead());
        assert!(matches!(look_at(file.path()).unwrap(), Found::Dead(_)));
        let owner = File::open(file.path()).unwrap();
        owner.lock().unwrap();
        assert!(matches!(look_at(file.path()).unwrap(), Found::Alive));

        let file = journal(&Owner::this());
        assert!(matches!(look_at(file.path()).unwrap(), Found::Alive));
    }

    #[test]
    fn only_one_finder_gets_it() {
        let file = journal(&dead());
        let first = look_at(file.path()).unwrap();
        assert!(matches!(look_at(file.path()).unwrap(), Found::Alive));
        drop(first);
        assert!(matches!(look_at(file.path()).unwrap(), Found::Dead(_)));
    }

    #[test]
    fn one_of_another_machine_that_was_written_just_now_is_left_alone() {
        let boot = "elsewhere".to_owned();
        let file = journal(&Owner { boot, ..dead() });
        assert!(matches!(look_at(file.path()).unwrap(), Found::Alive));
    }

    #[cfg(unix)]
    #[test]
    fn neither_links_nor_other_files_are_journals() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("mprofile.dat");
        assert!(matches!(look_at(&link).unwrap(), Found::None));
        let file = journal(&dead());
        std::os::unix::fs::symlink(file.path(), &link).unwrap();
        assert!(matches!(look_at(&link).unwrap(), Found::None));
        std::fs::write(file.path(), "CMDLINE x\nMEM 1.0 2.0\n").unwrap();
        assert!(matches!(look_at(file.path()).unwrap(), Found::None));
    }
}
