//! `cargo memprof rm`: removes runs.

use clap::Args;

use super::clean::{failure, remove};
use crate::failure::Outcome;
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  cargo memprof rm -1                # the newest run
  cargo memprof rm 0 1 2
  cargo memprof rm --dry-run demo-20260301-140509-4242";

/// Removes runs, and .dat files of mprof
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Rm {
    /// Folders, numbers, `latest`, programs or .dat files
    #[arg(required = true, allow_negative_numbers = true)]
    runs: Vec<String>,
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl Rm {
    /// Removes the runs; none if one of them cannot be found.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let words = self.runs.iter().map(|word| store.lookup(Some(word)));
        let mut entries = words.collect::<Outcome<Vec<_>>>()?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.dedup_by(|a, b| a.path == b.path);
        remove(store, &entries, self.dry_run, |entry, reason| {
            Err(failure(entry, reason))
        })
    }
}
