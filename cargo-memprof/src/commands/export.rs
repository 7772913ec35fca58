//! `cargo memprof export`: a run for other programs.

use std::path::PathBuf;

use clap::Args;
use memprof_report::export::{Format, write};

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::store::{Kind, Store};

const EXAMPLES: &str = "\
Examples:
  cargo memprof export --format csv
  cargo memprof export -2 --format trace,pprof -o out     # for Perfetto, and for `go tool pprof`
  cargo memprof export mprofile_20260301140509.dat --format csv";

/// Writes a run for other programs: tables, traces, profiles
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// Folder, number, `latest`, program or .dat file [default: latest]
    #[arg(allow_negative_numbers = true)]
    run: Option<String>,
    /// What to write, separated by commas: csv, trace (Chrome and Perfetto), pprof, markdown
    #[arg(long, short, value_name = "FORMATS", value_parser = Format::list)]
    format: std::vec::Vec<Format>,
    /// The folder to write into [default: the run's own; for a .dat file the current one]
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl Export {
    /// Writes the files and prints their paths.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let entry = store.lookup(self.run.as_deref())?;
        let folder = match (&self.output, &entry.kind) {
            (Some(folder), _) => folder.clone(),
            (None, Kind::Folder(_)) => entry.path.clone(),
            (None, Kind::Dat) => PathBuf::from("."),
        };
        std::fs::create_dir_all(&folder).map_err(|error| {
            let tried = format!("write into {}", folder.display());
            Failure::new(tried, error, "name a folder that can be written with -o")
        })?;
        let run = entry.load()?.into_run();
        let files = write(&run, &folder, &self.format)?;
        files
            .iter()
            .try_for_each(|file| output::say(file.display()))
    }
}
