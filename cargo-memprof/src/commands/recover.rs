//! `cargo memprof recover`: reports of programs that were killed.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  cargo memprof recover                         # every run that its program did not finish
  cargo memprof recover target/memprof/server-20260301-140509-4242";

/// Writes the reports of programs that were killed or aborted
///
/// A program writes down what it records while it runs. Runs of programs that are still at work, and
/// complete ones, are left alone.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Recover {
    /// A run's folder, or one that holds runs [default: the folder of runs]
    folder: Option<PathBuf>,
    /// Print JSON: the folders
    #[arg(long)]
    json: bool,
}

impl Recover {
    /// Recovers, and prints the folders of the runs that are complete now.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let folder = self.folder.as_deref().unwrap_or(store.root());
        if !folder.is_dir() {
            return Err(Failure::new(
                format!("recover runs in {}", folder.display()),
                "there is no such folder",
                "name the folder of a run, or of runs",
            ));
        }
        let recovered = memprof_report::recover(folder)?;
        if self.json {
            return output::json(&recovered);
        }
        if recovered.is_empty() {
            output::remark("There is nothing to recover.");
        }
        recovered
            .iter()
            .try_for_each(|run| output::say(run.display()))
    }
}
