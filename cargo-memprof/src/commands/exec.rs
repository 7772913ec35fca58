//! `cargo memprof exec`: runs any program and watches it from outside.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{Child, Command, ExitCode, ExitStatus};

use clap::Args;
use jiff::Zoned;
use memprof::report::RunFolder;
use memprof::run::{Run, RunOutcome};

use crate::failure::{Failure, Outcome};
use crate::output::{self, COLUMNS};
use crate::store::Store;
use crate::watch::{End, Event, Events, Record, Subject, WatchOptions, watch};

const EXAMPLES: &str = "\
Examples:
  cargo memprof exec -- ./server --port 80
  cargo memprof exec -C -- make -j8              # make and all that it starts, added up
  cargo memprof exec -M -- python3 pool.py       # a curve for each child
  cargo memprof exec --backend pss -T 0.1 -- ./a | sort

The exit code is the command's. A signal that ends the command ends this program, too; one that is sent
to this program is handed on to the command. When the command cannot be started the exit code is 127 (it
is not there) or 126.";

/// The exit code of a command that is not there, as in a shell.
const NOT_FOUND: u8 = 127;
/// The exit code of a command that cannot be started.
const NOT_STARTED: u8 = 126;

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
        let mut child = self.start()?;
        let pid = child.id();
        events.report_end_of(pid);
        let watched = watch(pid, self.watch.plan(), &events, |signal, to_us_alone| {
            hand_on(pid, signal, to_us_alone);
            true
        });
        let status = wait_for(&mut child, &events)?;
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
        Ok(same_end(status))
    }

    fn start(&self) -> Outcome<Child> {
        let mut words = self.command.iter();
        let program = words.next().cloned().unwrap_or_default();
        let mut command = Command::new(&program);
        command.args(words);
        #[cfg(unix)]
        crate::watch::give_back(&mut command);
        command.spawn().map_err(|error| {
            let missing = error.kind() == ErrorKind::NotFound;
            Failure::new(
                format!("start {}", program.to_string_lossy()),
                error,
                "name a program on the PATH, or by its path",
            )
            .with_code(if missing { NOT_FOUND } else { NOT_STARTED })
        })
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
            End::Process => ended(status),
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
    let folder = memprof::report::write(run, store.root(), &RunFolder::new())?;
    if !quiet {
        let summary = memprof::report::summary(run, Some(&folder), COLUMNS);
        output::remark(summary);
    }
    if open {
        super::open::open(&folder.join("index.html"))?;
    }
    Ok(())
}

/// What the terminal sent has reached the command already.
fn hand_on(pid: u32, signal: i32, to_us_alone: bool) {
    #[cfg(unix)]
    if to_us_alone {
        crate::watch::send(pid, signal);
    }
    #[cfg(not(unix))]
    let _ = (pid, signal, to_us_alone);
}

/// Waits for the end of the command, which a watch with a timeout does not.
fn wait_for(child: &mut Child, events: &Events) -> Outcome<ExitStatus> {
    const LONG: std::time::Duration = std::time::Duration::from_millis(100);
    let failed = |error| Failure::new("wait for the command", error, "please report this");
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        if let Some(Event::Signal {
            number,
            to_us_alone,
        }) = events.next(LONG)
        {
            hand_on(child.id(), number, to_us_alone);
        }
    }
}

/// How the command ended, for people.
fn ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "without an exit code".to_owned(),
    }
}

/// Ends this program as the command ended.
fn same_end(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        crate::watch::die_of(signal);
        return ExitCode::from(128_u8.wrapping_add(signal as u8));
    }
    match status.code() {
        // Windows has codes beyond a byte.
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::FAILURE,
    }
}
