//! `cargo memprof clean`: removes every run that memprof wrote, and nothing else.

use std::fs;

use clap::Args;

use memprof_report::internal::store::{NotRemoved, remove as remove_run};

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{Entry, Kind, Store};

const EXAMPLES: &str = "\
Examples:
  cargo memprof clean --dry-run      # what would be removed
  cargo memprof clean";

/// Removes every run in the folder of runs
///
/// Only folders that hold a run of memprof, and nothing else, are removed. Other files and folders stay, and so do
/// the mprofile_*.dat files in the current folder: `cargo memprof rm` removes those.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Clean {
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Clean {
    /// Removes the runs.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let mut entries = store.entries()?;
        // What cannot be read may be somebody else's.
        entries.retain(|entry| matches!(entry.kind, Kind::Folder(Ok(_))));
        remove(
            store,
            &entries,
            self.dry_run,
            |entry, reason| match reason {
                NotRemoved::Failed(_) => Err(failure(entry, reason)),
                // Not all that lies there is memprof's to remove.
                _ => output::say(format_args!("left {}: {reason}", entry.path.display())),
            },
        )
    }
}

/// Removes `entries` and says so; the list of what is left is brought up to date. `not_removed` is told what stays.
pub(super) fn remove(
    store: &Store,
    entries: &[Entry],
    dry_run: bool,
    not_removed: impl Fn(&Entry, NotRemoved) -> Outcome<()>,
) -> Outcome<()> {
    for entry in entries {
        if dry_run {
            output::say(format_args!("would remove {}", entry.path.display()))?;
            continue;
        }
        let removed = match entry.kind {
            Kind::Folder(_) => remove_run(&entry.path),
            Kind::Dat => fs::remove_file(&entry.path).map_err(NotRemoved::Failed),
        };
        match removed {
            Ok(()) => output::say(format_args!("removed {}", entry.path.display()))?,
            Err(reason) => not_removed(entry, reason)?,
        }
    }
    if !dry_run && store.root().is_dir() {
        memprof_report::refresh_index(store.root())?;
    }
    Ok(())
}

/// What is said of a run that should have been removed.
pub(super) fn failure(entry: &Entry, reason: NotRemoved) -> Failure {
    Failure::new(
        format!("remove {}", entry.path.display()),
        reason,
        "see what is in it and whether a program still writes to it, and remove it yourself",
    )
}
