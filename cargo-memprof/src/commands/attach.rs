//! `cargo memprof attach`: watches a process that is running already.

use clap::Args;
use jiff::Zoned;
use memprof_model::run::RunOutcome;

use super::exec;
use crate::failure::{Failure, Outcome};
use crate::store::Store;
use crate::watch::{
    End, Events, Listed, Processes, Subject, WatchOptions, ends, watch, why_without_memory,
};

const EXAMPLES: &str = "\
Examples:
  cargo memprof attach 4711
  cargo memprof attach postgres -C --timeout 60     # by name, with all descendants, for a minute

Ctrl-C ends the watch and writes the run; the process runs on.";

/// The most processes that a failure names.
const NAMED: usize = 10;

/// Watches the memory of a running process from outside, until it ends
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Attach {
    /// Its number, its name, or a part of its name
    #[arg(value_name = "PID|NAME")]
    process: String,
    #[command(flatten)]
    watch: WatchOptions,
    /// Print no summary
    #[arg(long, short)]
    quiet: bool,
    /// Open the page at the end
    #[arg(long)]
    open: bool,
}

impl Attach {
    /// Watches the process and writes the run.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let events = Events::take_over();
        let pid = find(&self.process)?;
        if let Some(reason) = why_without_memory(pid) {
            return Err(Failure::new(
                format!("watch process {pid}"),
                reason,
                "`ps -e` shows names and numbers of others",
            ));
        }
        let subject = Subject {
            pid,
            command: command(pid),
            started: Zoned::now(),
        };
        let watched = watch(pid, self.watch.plan(), &events, |signal, _| !ends(signal));
        let (record, end) = watched.map_err(|error| {
            Failure::new(
                format!("watch process {pid}"),
                error,
                "see whether it is still there and yours; PSS and USS of other people's are private",
            )
        })?;
        let (ended, outcome) = match end {
            End::Process => ("while it was watched", RunOutcome::Exited),
            End::Timeout | End::Told => ("still running", RunOutcome::Running),
        };
        let run = record.into_run(subject, ended.to_owned(), outcome);
        exec::write(store, &run, self.quiet, self.open)
    }
}

/// The command line, or the name of a process that has none.
fn command(pid: u32) -> Vec<String> {
    let command = Processes::command(pid);
    if command.is_empty() {
        return Processes::name(pid).into_iter().collect();
    }
    command
}

/// The process that `word` means: its number, its exact name, or a part of a name that only one has.
fn find(word: &str) -> Outcome<u32> {
    if let Ok(pid) = word.parse() {
        return Ok(pid);
    }
    let mut all = Processes::all();
    all.retain(|process| process.pid != std::process::id());
    let mut found: Vec<_> = all.iter().filter(|process| process.is(word)).collect();
    if found.is_empty() {
        found = all.iter().filter(|process| process.has(word)).collect();
    }
    match found[..] {
        [process] => Ok(process.pid),
        [] => Err(Failure::new(
            format!("find a process named {word:?}"),
            "there is none",
            "`ps -e` shows names and numbers",
        )),
        _ => Err(Failure::new(
            format!("choose a process named {word:?}"),
            format!("there are several: {}", names(&found)),
            "name one by its number",
        )),
    }
}

fn names(found: &[&Listed]) -> String {
    let shown = found
        .iter()
        .take(NAMED)
        .map(|process| format!("{} {}", process.pid, process.name()));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if found.len() > NAMED {
        text.push_str(", …");
    }
    memprof_report::text::visible(&text)
}
