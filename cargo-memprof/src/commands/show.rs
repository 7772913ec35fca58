//! `cargo memprof show`: a run's functions and line tables in the terminal.

use std::path::Path;

use clap::Args;
use memprof_model::run::{FunctionProfile, Run};
use memprof_report::internal::order;
use memprof_report::text::visible;
use memprof_report::{line_table, summary};

use crate::failure::Outcome;
use crate::output::{self, COLUMNS, NAME, QUIET};
use crate::store::{Store, matching};

const EXAMPLES: &str = "\
Examples:
  cargo memprof show                    # the newest run
  cargo memprof show -2                 # the run before it
  cargo memprof show parse              # functions of the newest run whose path contains `parse`
  cargo memprof show 3 demo::inverse    # one function of run 3
  cargo memprof show --json | jq '.functions[].peak_rss'";

/// Shows a run in the terminal: its functions, and the line table of the first one
///
/// With FUNCTION it shows the line tables of the functions whose path contains that.
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
        let (entry, pattern) = self.what(store)?;
        let run = entry.load()?.into_run();
        match pattern {
            Some(pattern) => {
                let functions = matching(&run, pattern)?;
                if self.json {
                    return output::json(&functions);
                }
                functions.into_iter().try_for_each(print_function)
            }
            None if self.json => output::json(&run),
            None => self.print_run(&run, &entry.path),
        }
    }

    /// The run, and the function's pattern. A single word that names no run is a pattern.
    fn what(&self, store: &Store) -> Outcome<(crate::store::Entry, Option<&str>)> {
        if let (Some(word), None) = (self.run.as_deref(), &self.function)
            && store.find_entry(word)?.is_none()
        {
            return Ok((store.lookup(None)?, Some(word)));
        }
        Ok((store.lookup(self.run.as_deref())?, self.function.as_deref()))
    }

    fn print_run(&self, run: &Run, path: &Path) -> Outcome<()> {
        let folder = path.is_dir().then_some(path);
        output::say(summary(run, folder, output::columns().unwrap_or(COLUMNS)))?;
        let order = order(run);
        let shown = if self.all { order.len() } else { 1 };
        let functions = order.into_iter().take(shown);
        functions
            .filter_map(|place| run.functions.get(place))
            .try_for_each(print_function)
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
