//! Runs whose programs are at work: those that have a journal, and no reports yet.

use std::path::{Path, PathBuf};

use memprof_model::run::Run;

/// A run and the folder that it is kept in.
#[derive(Debug)]
pub(crate) struct AtWork {
    /// The run's folder.
    pub(crate) folder: PathBuf,
    /// What its program has recorded so far.
    pub(crate) run: Run,
}

impl AtWork {
    /// The folder's name.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// The run at work that `word` means: its folder, wherever that is, its folder's name under `root`, or its program's
/// name (the newest run); without a word the newest of all. `None` if there is none.
pub(crate) fn named(root: &Path, word: Option<&str>) -> Option<AtWork> {
    let Some(word) = word else {
        return at_work(root, |_| true).into_iter().next();
    };
    let folder = Path::new(word);
    if let Ok(Some(run)) = memprof_report::live(folder) {
        let folder = folder.to_path_buf();
        return Some(AtWork { folder, run });
    }
    let found = at_work(root, |_| true);
    let is = |found: &AtWork| found.name() == word || found.run.program == word;
    found.into_iter().find(is)
}

/// The runs at work under `root` whose folders are `wanted`, the newest first. What cannot be read is
/// left out.
pub(crate) fn at_work(root: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<AtWork> {
    let folders = std::fs::read_dir(root).into_iter().flatten();
    let folders = folders
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| !path.is_symlink() && wanted(path));
    let mut found: Vec<_> = folders
        .filter_map(|folder| {
            let run = memprof_report::live(&folder).ok()??;
            Some(AtWork { folder, run })
        })
        .collect();
    found.sort_by(|a, b| b.run.started.cmp(&a.run.started));
    found
}
