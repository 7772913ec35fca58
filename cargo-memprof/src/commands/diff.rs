//! `cargo memprof diff`: what changed between two runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use memprof_report::changes_page;
use memprof_report::diff::{Change, Diff as Changes, compare, markdown, text};
use memprof_report::text::{mib_unit, visible};

use crate::failure::Outcome;
use crate::output::{self, COLUMNS};
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  cargo memprof diff -2 -1                        # the last two runs
  cargo memprof diff before/run.json latest -o diff.html
  cargo memprof diff main branch --format markdown --fail-above 5%     # in CI

With --fail-above the exit code is 1 if the peak of the process or of a function grew by more than that, \
and by more than 64 KiB. A function that is new counts with its whole peak, as a share of the process's.";

/// Memory moves by as much on its own.
const NOISE: i64 = 64 << 10;

/// Compares two runs: functions and lines, also where lines moved
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The run before: folder, number, `latest`, program or .dat file
    #[arg(allow_negative_numbers = true)]
    before: String,
    /// The run after
    #[arg(allow_negative_numbers = true)]
    after: String,
    /// Fail if a peak grew by more than this
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_above: Option<f64>,
    /// How to print it [default: by the ending of --output, or text]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write it into this file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON, with every function and line
    #[arg(long, conflicts_with_all = ["format", "output"])]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For a pull request
    Markdown,
    /// A page
    Html,
}

impl Diff {
    /// Prints or writes the comparison, and judges it.
    pub(crate) fn run(&self, store: &Store) -> Outcome<ExitCode> {
        let before = store.lookup(Some(&self.before))?.load()?.into_run();
        let after = store.lookup(Some(&self.after))?.load()?.into_run();
        let changes = compare(&before, &after);
        if self.json {
            output::json(&changes)?;
        } else {
            self.print(&changes)?;
        }
        let Some(limit) = self.fail_above else {
            return Ok(ExitCode::SUCCESS);
        };
        let grown = grown(&changes, limit);
        for (what, change) in &grown {
            output::complain(&format!(
                "{what} grew by more than {}%: {}",
                100.0 * limit,
                shown(change)
            ));
        }
        Ok(if grown.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn print(&self, changes: &Changes) -> Outcome<()> {
        let columns = if self.output.is_some() {
            None
        } else {
            output::columns()
        };
        let text = match self.format() {
            Format::Text => text(changes, columns.unwrap_or(COLUMNS)),
            Format::Markdown => markdown(changes),
            Format::Html => changes_page(changes)?,
        };
        match &self.output {
            None => output::say(text.trim_end()),
            Some(file) => output::write(file, output::plain(&text).as_bytes()),
        }
    }

    fn format(&self) -> Format {
        let ending = self
            .output
            .as_ref()
            .and_then(|file| file.extension()?.to_str());
        self.format.unwrap_or(match ending {
            Some("html" | "htm") => Format::Html,
            Some("md" | "markdown") => Format::Markdown,
            _ => Format::Text,
        })
    }
}

/// Peaks that grew by more than `limit`, a share.
fn grown(changes: &Changes, limit: f64) -> Vec<(String, Change)> {
    let whole = changes.peak_rss.before.unwrap_or(0).max(1) as f64;
    let too_much = |change: &Change| {
        let share = change.share().unwrap_or(change.change as f64 / whole);
        change.change > NOISE && share > limit
    };
    let functions = changes.functions.iter().map(|function| {
        let label = visible(&function.label);
        (format!("the peak of {label}"), function.changes.peak_rss)
    });
    let process = ("the peak of the process".to_owned(), changes.peak_rss);
    [process]
        .into_iter()
        .chain(functions)
        .filter(|(_, change)| too_much(change))
        .collect()
}

fn shown(change: &Change) -> String {
    let size = |figure: Option<i64>| mib_unit(figure.unwrap_or(0).unsigned_abs());
    format!("{} → {}", size(change.before), size(change.after))
}

/// `5%` or `5` as 0.05.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent / 100.0),
        _ => Err("expected percents, such as 5%".to_owned()),
    }
}
