//! `cargo memprof diff`: what changed between two runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use memprof_model::run::Run;
use memprof_report::changes_page;
use memprof_report::diff::{
    Change, Diff as Changes, FunctionDiff, compare_repeated, markdown, text,
};
use memprof_report::text::{duration, mib_unit, visible};

use crate::failure::{Failure, Outcome};
use crate::output::{self, COLUMNS};
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  cargo memprof diff -2 -1                        # the last two runs
  cargo memprof diff -6..-4 -3..-1                # three runs of each side: what they differ by is noise
  cargo memprof diff before/run.json latest -o diff.html
  cargo memprof diff main,main-again branch --format markdown --fail-above 5%     # in CI

Several runs of a side are written with commas (`4,6,latest`) or as two numbers of `list` (`4..6`, `-6..-4`).

What changed by no more than noise is not called a change. Where both sides count the heap, the heap decides. RSS \
counts beyond what the kernel's counters lag, pages that come once, and what the allocator keeps; beyond all that the \
process took for what ran while other threads were at work.

With --fail-above the exit code is 1 if beyond noise the peak of the process, or the peak of a function, or what it \
keeps or allocates on the heap grew by more than that. A figure that was 0 counts as a share of the process's peak.";

/// Compares two runs: functions and lines, also where lines moved
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The run before, or several: folder, number, `latest`, program or .dat file
    #[arg(allow_hyphen_values = true)]
    before: String,
    /// The run after, or several
    #[arg(allow_hyphen_values = true)]
    after: String,
    /// Fail if more than this is needed, kept or allocated
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_above: Option<f64>,
    /// Fail if a function or the program takes longer by more than this
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    fail_slower: Option<f64>,
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
        let (before, after) = (runs(store, &self.before)?, runs(store, &self.after)?);
        let sides = [&before, &after].map(|runs| runs.iter().collect::<Vec<_>>());
        let changes = compare_repeated(&sides[0], &sides[1]).ok_or_else(|| {
            let words = format!("{} and {}", self.before, self.after);
            Failure::new(
                format!("compare {words}"),
                "there is no run",
                "name one of `list`",
            )
        })?;
        if self.json {
            output::json(&changes)?;
        } else {
            self.print(&changes)?;
        }
        let mut grown = Vec::new();
        if let Some(limit) = self.fail_above {
            grown.extend(larger(&changes, limit));
        }
        if let Some(limit) = self.fail_slower {
            grown.extend(slower(&changes, limit));
        }
        grown.iter().for_each(|what| output::complain(what));
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

/// The runs of a side.
fn runs(store: &Store, words: &str) -> Outcome<Vec<Run>> {
    let entries = store.lookup_side(words)?;
    let runs = entries
        .into_iter()
        .map(|entry| Ok(entry.load()?.into_run()));
    runs.collect()
}

/// What beyond noise grew by more than `limit`, a share, in sentences.
fn larger(changes: &Changes, limit: f64) -> Vec<String> {
    let whole = changes.peak_rss.before.unwrap_or(0).max(1);
    let process = grew(
        "the peak of the process",
        changes.peak_rss,
        limit,
        whole,
        size,
    );
    let functions = changes.functions.iter();
    let functions = functions.flat_map(|function| larger_figures(function, limit, whole));
    process.into_iter().chain(functions).collect()
}

fn larger_figures(function: &FunctionDiff, limit: f64, whole: i64) -> Vec<String> {
    let label = visible(&function.label);
    let of = &function.changes;
    let sizes = [
        ("heap peak", of.heap_peak),
        ("heap net", of.heap_net),
        ("allocated heap", of.heap_allocated),
        ("peak", of.peak_rss),
    ];
    let sizes = sizes.into_iter().filter_map(|(what, change)| {
        grew(
            &format!("the {what} of {label}"),
            change,
            limit,
            whole,
            size,
        )
    });
    let what = format!("the number of allocations of {label}");
    let allocations = grew(&what, of.allocations, limit, i64::MAX, |n| n.to_string());
    sizes.chain(allocations).collect()
}

/// What beyond noise takes longer by more than `limit`, a share, in sentences.
fn slower(changes: &Changes, limit: f64) -> Vec<String> {
    let time = |ns: i64| duration(ns.unsigned_abs());
    let whole = changes.duration_ns.before.unwrap_or(0).max(1);
    let process = grew("the duration", changes.duration_ns, limit, whole, time);
    let functions = changes.functions.iter().filter_map(|function| {
        let what = format!("the time of {}", visible(&function.label));
        grew(&what, function.changes.time_ns, limit, whole, time)
    });
    process.into_iter().chain(functions).collect()
}

/// A sentence about `change` if it counts and is more than `limit`; a share of `whole` where nothing was before.
fn grew(
    what: &str,
    change: Change,
    limit: f64,
    whole: i64,
    shown: impl Fn(i64) -> String,
) -> Option<String> {
    let share = change
        .share()
        .unwrap_or(change.change as f64 / whole as f64);
    let [before, after] = [change.before, change.after].map(|figure| shown(figure.unwrap_or(0)));
    (change.certain() > 0 && share > limit).then(|| {
        format!(
            "{what} grew by more than {}%: {before} → {after}",
            100.0 * limit
        )
    })
}

/// Bytes, with a sign if they are fewer than none.
fn size(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    format!("{sign}{}", mib_unit(bytes.unsigned_abs()))
}

/// `5%` or `5` as 0.05.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(percent / 100.0),
        _ => Err("expected percents, such as 5%".to_owned()),
    }
}
