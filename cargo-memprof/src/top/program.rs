//! What the program has recorded so far, as its journal or its reports tell.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use memprof_model::run::{Run, RunOutcome};
use memprof_report::read_run;

use crate::failure::Outcome;

/// A program that has neither a journal nor reports for so long will have none: it was killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// A program that is watched through its run's folder.
#[derive(Debug)]
pub(crate) struct Program {
    folder: PathBuf,
    /// Since when nothing has been heard of it.
    silent_since: Option<Instant>,
}

/// What a look at it shows.
#[derive(Debug)]
pub(super) enum Look {
    /// It is at work.
    Working(Box<Run>),
    /// It has written its last reports.
    Finished(Box<Run>),
    /// It ended without reports. Somebody may have recovered the run since.
    Killed(Option<Box<Run>>),
    /// Nothing is to be told now.
    Silent,
}

impl Program {
    /// The program whose run is kept in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Program {
        Program {
            folder,
            silent_since: None,
        }
    }

    /// Reads the journal, or the reports if there is none.
    ///
    /// # Errors
    /// When the journal is there and cannot be read.
    pub(super) fn look(&mut self) -> Outcome<Look> {
        if let Some(run) = memprof_report::live(&self.folder)? {
            self.silent_since = None;
            return Ok(Look::Working(Box::new(run)));
        }
        Ok(match read_run(&self.folder).map(Box::new) {
            Ok(run) if run.outcome == RunOutcome::Exited => Look::Finished(run),
            Ok(run) if run.outcome == RunOutcome::Recovered => Look::Killed(Some(run)),
            _ => {
                let since = self.silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() < PATIENCE {
                    Look::Silent
                } else {
                    Look::Killed(None)
                }
            }
        })
    }
}
