//! `cargo memprof clean`: removes every run that memprof wrote, and nothing else.

use std::fs;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{Entry, Kind, Store};

const EXAMPLES: &str = "\
Examples:
  cargo memprof clean --dry-run      # what would be removed
  cargo memprof clean";

/// Removes every run in the folder of runs
///
/// Only folders that hold a run of memprof are removed. Other files and folders stay, and so do the
/// mprofile_*.dat files in the current folder: `cargo memprof rm` removes those.
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
        remove(store, &entries, self.dry_run)
    }
}

/// Removes `entries` and says so; the list of what is left is brought up to date.
pub(super) fn remove(store: &Store, entries: &[Entry], dry_run: bool) -> Outcome<()> {
    for entry in entries {
        if dry_run {
            output::say(format_args!("would remove {}", entry.path.display()))?;
            continue;
        }
        let removed = match entry.kind {
            Kind::Folder(_) => fs::remove_dir_all(&entry.path),
            Kind::Dat => fs::remove_file(&entry.path),
        };
        removed.map_err(|error| {
            Failure::new(
                format!("remove {}", entry.path.display()),
                error,
                "see whether it is yours, and whether a program still writes to it",
            )
        })?;
        output::say(format_args!("removed {}", entry.path.display()))?;
    }
    if !dry_run && store.root().is_dir() {
        memprof_report::refresh_index(store.root())?;
    }
    Ok(())
}
