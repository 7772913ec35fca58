//! A run in the store, as far as lists need to know it.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil, tz::TimeZone};
use memprof_report::{RunHeader, SavedRun};

use super::dat_files;

/// A run that a command can be about.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The run's folder, or the `.dat` file.
    pub(crate) path: PathBuf,
    /// Which of the two.
    pub(crate) kind: Kind,
    /// When it started, to order runs by.
    pub(crate) started: Option<Timestamp>,
}

/// What a run is kept in.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A folder of memprof's: what `run.json` begins with, or why that cannot be read.
    Folder(Result<RunHeader, String>),
    /// A file that mprof wrote, or `mprofile.dat` of a run.
    Dat,
}

impl Entry {
    /// A folder under `root`.
    pub(super) fn saved(root: &Path, run: SavedRun) -> Entry {
        let started = run.header.as_ref().ok().map(|header| &header.started);
        Entry {
            path: root.join(&run.folder),
            started: started.and_then(|started| started.parse().ok()),
            kind: Kind::Folder(run.header),
        }
    }

    /// A `.dat` file; mprof names its files by local time.
    pub(super) fn dat(path: PathBuf) -> Entry {
        let local = dat_files::stamp(&path)
            .and_then(|stamp| civil::DateTime::strptime("%Y%m%d%H%M%S", stamp).ok());
        let started =
            local.and_then(|local| Some(local.to_zoned(TimeZone::system()).ok()?.timestamp()));
        Entry {
            path,
            started,
            kind: Kind::Dat,
        }
    }

    /// What lists call it: the folder's or file's name.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// What `run.json` begins with, where there is one that can be read.
    pub(crate) fn header(&self) -> Option<&RunHeader> {
        match &self.kind {
            Kind::Folder(header) => header.as_ref().ok(),
            Kind::Dat => None,
        }
    }
}
