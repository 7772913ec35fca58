//! `cargo memprof show`: a run's functions and line tables in the terminal.

use std::path::{Path, PathBuf};

use clap::Args;
use memprof_model::run::{FunctionProfile, Run};
use memprof_report::internal::order;
use memprof_report::text::visible;
use memprof_report::{line_table, summary};

use crate::failure::Outcome;
use crate::output::{self, COLUMNS, NAME, QUIET};
use crate::store::{AtWork, Store, matching, named_at_work};

const EXAMPLES: &str = "\
Examples:
  cargo memprof show                    # the newest run
  cargo memprof show -2                 # the run before it
  cargo memprof show parse              # functions of the newest run whose path contains `parse`
  cargo memprof show 3 demo::inverse    # one function of run 3
  cargo memprof show server             # the newest run of a program; of one at work, if no run is complete
  cargo memprof show --json | jq '.functions[].peak_rss'";

/// Shows a run in the terminal: its functions, and the line table of the first one
///
/// With FUNCTION it shows the line tables of the functions whose path contains that. A run whose program is still at
/// work is shown if no complete one is meant: as it was at most about half a second ago.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Show {
    /// Folder, number, `latest` or program [default: latest]
    #[arg(allow_negative_numbers = true)]
    run: Option<String>,
    /// A function's path, or a part of it
    function: Option<String>,
    /// Show the line tables of all functions
    #[arg(long, conflicts_with = "function")]
    all: bool,
    /// Print JSON, as in run.json: the run, or the functions that were asked for
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Prints the run or the functions.
    pub(crate) fn run(&self, store: &Store) -> Outcome<()> {
        let (run, folder, pattern) = self.what(store)?;
        match pattern {
            Some(pattern) => {
                let functions = matching(&run, pattern)?;
                if self.json {
                    return output::json(&functions);
                }
                functions.into_iter().try_for_each(print_function)
            }
            None if self.json => output::json(&run),
            None => self.print_run(&run, folder.as_deref()),
        }
    }

    /// The run, the folder of its pages if there are any, and the function's pattern. A single word that names no run
    /// is a pattern.
    fn what(&self, store: &Store) -> Outcome<(Run, Option<PathBuf>, Option<&str>)> {
        let (word, function) = (self.run.as_deref(), self.function.as_deref());
        if let Some(AtWork { run, .. }) = at_work(store, word) {
            return Ok((run, None, function));
        }
        let (entry, pattern) = match (word, function) {
            (Some(word), None) if store.find_entry(word)?.is_none() => {
                (store.lookup(None)?, Some(word))
            }
            _ => (store.lookup(word)?, function),
        };
        let run = entry.load()?.into_run();
        Ok((run, Some(entry.path).filter(|path| path.is_dir()), pattern))
    }

    fn print_run(&self, run: &Run, folder: Option<&Path>) -> Outcome<()> {
        output::say(summary(run, folder, output::columns().unwrap_or(COLUMNS)))?;
        let order = order(run);
        let shown = if self.all { order.len() } else { 1 };
        let functions = order.into_iter().take(shown);
        functions
            .filter_map(|place| run.functions.get(place))
            .try_for_each(print_function)
    }
}

/// The run at work that `word` means, unless it means a complete one.
fn at_work(store: &Store, word: Option<&str>) -> Option<AtWork> {
    match store.find_entry(word.unwrap_or("latest")) {
        Ok(Some(_)) => None,
        // A folder without a complete run is an error.
        Ok(None) | Err(_) => named_at_work(store.root(), word),
    }
}

fn print_function(function: &FunctionProfile) -> Outcome<()> {
    let mut table = line_table(function);
    if let Some(columns) = output::columns() {
        table = table.width(columns).styled();
    }
    output::say(format_args!(
        "\n{NAME}{}{NAME:#}  {QUIET}{}:{}{QUIET:#}\n{}",
        visible(&function.name),
        visible(&function.file),
        function.line,
        table.to_string().trim_end()
    ))
}
