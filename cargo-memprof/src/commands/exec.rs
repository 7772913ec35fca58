//! `cargo memprof exec`: runs any program and watches it from outside.

use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus};

use clap::Args;
use jiff::Zoned;
use memprof_model::run::{Run, RunOutcome};
use memprof_report::RunFolder;

use crate::child;
use crate::failure::{Failure, Outcome};
use crate::output::{self, COLUMNS};
use crate::store::Store;
use crate::watch::{End, Events, Record, Subject, WatchOptions, watch};

const EXAMPLES: &str = "\
Examples:
  cargo memprof exec -- ./server --port 80
  cargo memprof exec -C -- make -j8              # make and all that it starts, added up
  cargo memprof exec -M -- python3 pool.py       # a curve for each child
  cargo memprof exec --backend pss -T 0.1 -- ./a | sort

The exit code is the command's. A signal that ends the command ends this program, too; one that is sent \
to this program is handed on to the command. When the command cannot be started the exit code is 127 (it \
is not there) or 126.";

/// Runs any program and watches its memory from outside
///
/// The result is a run like any other: a page, run.json, and mprofile.dat for Python's mprof.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Exec {
    #[command(flatten)]
    watch: WatchOptions,
    /// Print no summary
    #[arg(long, short)]
    quiet: bool,
    /// Open the page when the program has ended
    #[arg(long)]
    open: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

impl Exec {
    /// Runs the command; the exit code is its own. Where runs are kept is found out afterwards: that takes
    /// time.
    pub(crate) fn run(&self, store: impl FnOnce() -> Outcome<Store>) -> Outcome<ExitCode> {
        let events = Events::take_over();
        let started = Zoned::now();
        let mut words = self.command.iter();
        let program = words.next().cloned().unwrap_or_default();
        let mut process = child::start(&program, &events, |command| {
            command.args(words);
        })?;
        let pid = process.id();
        let watched = watch(pid, self.watch.plan(), &events, |signal, to_us_alone| {
            child::hand_on(pid, signal, to_us_alone);
            true
        });
        let status = child::wait(&mut process, &events, || {})?;
        let subject = Subject {
            pid,
            command: self
                .command
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            started,
        };
        match watched {
            Ok((record, end)) => self.report(&store()?, record, subject, end, status),
            Err(error) => output::complain(
                &Failure::new(
                    format!("watch process {pid}"),
                    error,
                    "PSS and USS of a process that changes its user are private: take --backend rss",
                )
                .to_string(),
            ),
        }
        Ok(child::same_end(status))
    }

    /// Writes the run. That it cannot be written is no reason to lose the program's exit code.
    fn report(
        &self,
        store: &Store,
        record: Record,
        subject: Subject,
        end: End,
        status: ExitStatus,
    ) {
        let ended = match end {
            End::Process => child::ended(status),
            _ => "still running".to_owned(),
        };
        let outcome = match end {
            End::Process => RunOutcome::Exited,
            _ => RunOutcome::Running,
        };
        let run = record.into_run(subject, ended, outcome);
        if let Err(failure) = write(store, &run, self.quiet, self.open) {
            output::complain(&failure.to_string());
        }
    }
}

/// Writes `run`, and says on stderr what was found.
pub(super) fn write(store: &Store, run: &Run, quiet: bool, open: bool) -> Outcome<()> {
    let folder = memprof_report::write(run, store.root(), &RunFolder::new())?;
    if !quiet {
        let summary = memprof_report::summary(run, Some(&folder), COLUMNS);
        output::remark(summary);
    }
    if open {
        super::open::open(&folder.join("index.html"))?;
    }
    Ok(())
}
