//! `cargo memprof list`: every run with its number.

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use memprof_report::text::{align_points, duration, mib, visible};
use serde::Serialize;

use crate::failure::Outcome;
use crate::output::{self, Align};
use crate::store::{Entry, Kind, Store};

const EXAMPLES: &str = "\
Examples:
  cargo memprof list
  cargo memprof list --json | jq '.[-1].peak_rss'";

/// Lists every run with its number, the oldest first
///
/// Also the mprofile_*.dat files of Python's mprof in the current folder. A number stands for its run in
/// other commands; -1 is the newest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct List {
    /// Print JSON: sizes in bytes, times in nanoseconds
    #[arg(long)]
    json: bool,
}

/// A run as `--json` prints it.
#[derive(Serialize)]
struct Listed {
    number: usize,
    path: PathBuf,
    program: Option<String>,
    command: Option<Vec<String>>,
    started: Option<String>,
    duration_ns: Option<u64>,
    peak_rss: Option<u64>,
    problem: Option<String>,
}

impl List {
    /// Prints the list.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let entries = store.entries()?;
        let listed: Vec<_> = entries.iter().enumerate().map(listed).collect();
        if self.json {
            return output::json(&listed);
        }
        if entries.is_empty() {
            output::remark(format_args!(
                "There are no runs in {}, and no mprofile_*.dat in this folder. \
                 `cargo memprof run` or `cargo memprof exec -- COMMAND` makes one.",
                store.root().display()
            ));
            return Ok(());
        }
        output::say(table(&entries, &listed))
    }
}

fn table(entries: &[Entry], listed: &[Listed]) -> String {
    let mut peaks: Vec<_> = listed
        .iter()
        .map(|run| run.peak_rss.map_or(String::new(), mib))
        .collect();
    align_points(&mut peaks);
    let rows: Vec<_> = entries
        .iter()
        .zip(listed)
        .zip(peaks)
        .map(|((entry, run), peak)| row(entry, run, peak))
        .collect();
    // A number and a name are what other commands want to know.
    output::fitting_table(
        &[
            ("run", Align::Right),
            ("started", Align::Left),
            ("duration", Align::Right),
            ("peak MiB", Align::Right),
            ("name", Align::Left),
        ],
        &rows,
        output::columns().unwrap_or(usize::MAX),
        &["duration", "started", "peak MiB"],
    )
}

fn row(entry: &Entry, run: &Listed, peak: String) -> Vec<String> {
    let name = visible(&entry.name());
    let name = match &run.problem {
        Some(problem) => format!("{name} ({})", visible(problem)),
        None => name,
    };
    vec![
        run.number.to_string(),
        started(entry),
        run.duration_ns.map_or(String::new(), duration),
        peak,
        name,
    ]
}

/// The start by the clocks of here.
fn started(entry: &Entry) -> String {
    entry.started.map_or(String::new(), |time| {
        let here = time.to_zoned(TimeZone::system());
        here.strftime("%Y-%m-%d %H:%M:%S").to_string()
    })
}

fn listed((number, entry): (usize, &Entry)) -> Listed {
    let mut listed = Listed {
        number,
        path: entry.path.clone(),
        program: None,
        command: None,
        started: entry.started.map(|time| time.to_string()),
        duration_ns: None,
        peak_rss: None,
        problem: None,
    };
    match &entry.kind {
        Kind::Folder(Ok(header)) => {
            listed.program = Some(header.program.clone());
            listed.command = Some(header.command.clone());
            listed.duration_ns = Some(header.duration_ns);
            listed.peak_rss = Some(header.peak_rss);
        }
        Kind::Folder(Err(problem)) => listed.problem = Some(problem.clone()),
        Kind::Dat => match entry.load() {
            Ok(loaded) => {
                let run = loaded.into_run();
                listed.duration_ns = Some(run.duration_ns);
                listed.peak_rss = Some(run.process.peak_rss);
                (listed.program, listed.command) = (Some(run.program), Some(run.command));
            }
            Err(failure) => listed.problem = Some(failure.to_string()),
        },
    }
    listed
}
