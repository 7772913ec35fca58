//! Where runs are kept, which there are, and which one a word on the command line means.

mod at_work;
mod dat_files;
mod entry;
mod functions;
mod load;
mod lookup;
mod root;

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

pub(crate) use at_work::{AtWork, at_work, named as named_at_work};
pub(crate) use entry::{Entry, Kind};
pub(crate) use functions::matching;
pub(crate) use load::Loaded;

/// The folder that runs are kept in, with the `.dat` files of Python's mprof in the current one.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

impl Store {
    /// The store in `dir`, or the one of the package that the current folder belongs to.
    ///
    /// # Errors
    /// When the current folder is gone.
    pub(crate) fn find(dir: Option<&Path>) -> Outcome<Store> {
        let root = root::find(dir);
        let root = std::path::absolute(&root).map_err(|e| {
            Failure::new(
                format!("find {}", root.display()),
                e,
                "name a folder with --dir",
            )
        })?;
        Ok(Store { root })
    }

    /// The folder that runs are kept in; it need not exist.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Every run, the oldest first: its place is its number.
    ///
    /// # Errors
    /// When the folder exists and cannot be read.
    pub(crate) fn entries(&self) -> Outcome<Vec<Entry>> {
        let mut entries = Vec::new();
        if self.root.is_dir() {
            let saved = memprof_report::saved_runs(&self.root)?;
            entries.extend(saved.into_iter().map(|run| Entry::saved(&self.root, run)));
        }
        entries.extend(
            dat_files::in_folder(Path::new("."))
                .into_iter()
                .map(Entry::dat),
        );
        entries.sort_by(|a, b| (a.started, &a.path).cmp(&(b.started, &b.path)));
        Ok(entries)
    }
}
