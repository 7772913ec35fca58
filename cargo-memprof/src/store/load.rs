//! Reading a run whole.

use memprof_model::run::Run;
use memprof_report::{DatFile, read_dat, read_run};

use super::entry::{Entry, Kind};
use crate::failure::Outcome;

/// What a run's file holds.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// A `run.json`.
    Run(Box<Run>),
    /// A file that mprof wrote.
    Dat(DatFile),
}

impl Entry {
    /// Reads the run.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(crate) fn load(&self) -> Outcome<Loaded> {
        Ok(match self.kind {
            Kind::Folder(_) => Loaded::Run(Box::new(read_run(&self.path)?)),
            Kind::Dat => Loaded::Dat(read_dat(&self.path)?),
        })
    }
}

impl Loaded {
    /// The run, or the file as one.
    pub(crate) fn into_run(self) -> Run {
        match self {
            Loaded::Run(run) => *run,
            Loaded::Dat(file) => file.to_run(),
        }
    }
}
