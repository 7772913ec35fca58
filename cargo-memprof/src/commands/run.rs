//! `cargo memprof run`, `test` and `bench`: cargo builds and runs an annotated program.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use clap::Args;
use memprof_report::{read_run, summary};

use crate::child;
use crate::failure::{Failure, Outcome};
use crate::live_line::LiveLine;
use crate::output::{self, COLUMNS};
use crate::store::Store;
use crate::watch::Events;

const EXAMPLES: &str = "\
Examples:
  cargo memprof run --release -- input.txt
  cargo memprof run --open -p server --features big
  cargo memprof run --example words -- 200000
  cargo memprof run --test parser            # as `cargo test --test parser`
  cargo memprof bench --bench sort           # as `cargo bench --bench sort`
  cargo memprof test -- --nocapture

Arguments are cargo's own; --open and --no-summary are taken out of them. The exit code is cargo's, which \
is the program's. Functions are recorded where they have #[memprof::profile_memory]; `cargo memprof \
annotate` puts it there, and `cargo memprof exec` watches programs without it.";

/// Options of cargo that name something `cargo test` runs.
const TESTS: [&str; 4] = ["--test", "--tests", "--lib", "--doc"];
/// Options of cargo that name something `cargo bench` runs.
const BENCHES: [&str; 2] = ["--bench", "--benches"];

/// Builds and runs an annotated program with cargo, and shows what it recorded
///
/// While it runs, the last line of the terminal shows its memory now, the peak so far, and the function
/// and the line that are running.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Run {
    /// Open the page of the last run at the end
    #[arg(long)]
    open: bool,
    /// Print no summary
    #[arg(long)]
    no_summary: bool,
    /// What `cargo run`, `cargo test` or `cargo bench` takes, `--` and the program's arguments included
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CARGO ARGUMENTS"
    )]
    arguments: Vec<OsString>,
}

/// What cargo is asked for, and what we do besides.
#[derive(Debug, PartialEq)]
struct Call {
    command: &'static str,
    arguments: Vec<OsString>,
    open: bool,
    summary: bool,
}

impl Run {
    /// Has cargo do `command`; the exit code is cargo's.
    pub(crate) fn run(&self, command: &'static str, store: &Store) -> Outcome<ExitCode> {
        let call = self.call(command, dropped_dashes(&self.arguments));
        let before: HashSet<PathBuf> = runs(store)?.into_iter().collect();
        let status = run_cargo(&call, store, &before)?;
        // What a kill or an abort left behind.
        if store.root().is_dir()
            && let Err(error) = memprof_report::recover(store.root())
        {
            output::complain(&Failure::from(error).to_string());
        }
        let mut new = runs(store)?;
        new.retain(|path| !before.contains(path));
        // What cargo says of a build that failed is enough.
        if (status.success() || !new.is_empty())
            && let Err(failure) = report(&call, &new)
        {
            output::complain(&failure.to_string());
        }
        Ok(child::same_end(status))
    }

    /// `after_dashes`: whether the arguments began with `--`, which the parser does not hand over.
    fn call(&self, command: &'static str, after_dashes: bool) -> Call {
        let mut call = Call {
            command,
            arguments: Vec::new(),
            open: self.open,
            summary: !self.no_summary,
        };
        let own = self.arguments.iter().position(|argument| argument == "--");
        let own = if after_dashes {
            0
        } else {
            own.unwrap_or(self.arguments.len())
        };
        for argument in &self.arguments[..own] {
            match argument.to_str() {
                Some("--open") => call.open = true,
                Some("--no-summary") => call.summary = false,
                _ => call.arguments.push(argument.clone()),
            }
        }
        if command == "run" {
            call.command = command_for(&call.arguments);
        }
        if after_dashes {
            call.arguments.push("--".into());
        }
        call.arguments.extend(self.arguments[own..].iter().cloned());
        call
    }
}

/// The command of cargo that knows these arguments.
fn command_for(arguments: &[OsString]) -> &'static str {
    let any = |options: &[&str]| {
        arguments.iter().any(|argument| {
            let argument = argument.to_string_lossy();
            options.contains(&argument.split('=').next().unwrap_or_default())
        })
    };
    if any(&TESTS) {
        "test"
    } else if any(&BENCHES) {
        "bench"
    } else {
        "run"
    }
}

/// Whether `--` stood right before `arguments` on our command line.
fn dropped_dashes(arguments: &[OsString]) -> bool {
    let all: Vec<_> = std::env::args_os().collect();
    let first = all.len().saturating_sub(arguments.len());
    !arguments.is_empty() && first > 0 && all[first - 1] == "--"
}

fn run_cargo(call: &Call, store: &Store, before: &HashSet<PathBuf>) -> Outcome<ExitStatus> {
    let events = Events::take_over();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut process = child::start(&cargo, &events, |command| {
        command.arg(call.command).args(&call.arguments);
        // We print the summary, after the last line of the program.
        command
            .env("MEMPROF_DIR", store.root())
            .env("MEMPROF_QUIET", "1");
    })?;
    let mut live = (call.summary && std::io::stderr().is_terminal())
        .then(|| LiveLine::new(store.root(), before));
    child::wait(&mut process, &events, || {
        if let Some(live) = &mut live {
            live.refresh();
        }
    })
}

/// The folders of all runs that can be read, the oldest first.
fn runs(store: &Store) -> Outcome<Vec<PathBuf>> {
    let entries = store.entries()?.into_iter();
    Ok(entries
        .filter(|entry| entry.header().is_some())
        .map(|entry| entry.path)
        .collect())
}

fn report(call: &Call, new: &[PathBuf]) -> Outcome<()> {
    let Some(last) = new.last() else {
        if call.summary {
            output::remark(
                "memprof  nothing was recorded: the program called no function that has \
                 #[memprof::profile_memory] (memory_usage alone makes no report), or did not come to its end",
            );
        }
        return Ok(());
    };
    for folder in new.iter().filter(|_| call.summary) {
        output::remark(summary(&read_run(folder)?, Some(folder), COLUMNS));
    }
    if call.open {
        super::open::open(&last.join("index.html"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(command: &'static str, arguments: &[&str], after_dashes: bool) -> (String, bool, bool) {
        let run = Run {
            open: false,
            no_summary: false,
            arguments: arguments.iter().map(Into::into).collect(),
        };
        let call = run.call(command, after_dashes);
        let words = call.arguments.iter().map(|word| word.to_string_lossy());
        let words = [call.command.into()].into_iter().chain(words);
        (words.collect::<Vec<_>>().join(" "), call.open, call.summary)
    }

    #[test]
    fn the_command_of_cargo_follows_from_the_arguments() {
        for (arguments, expected) in [
            (
                &["--release", "--", "--test"][..],
                "run --release -- --test",
            ),
            (&["--test", "parser"], "test --test parser"),
            (&["--bench=sort", "--", "x"], "bench --bench=sort -- x"),
            (&["--lib"], "test --lib"),
            (&["--example", "words"], "run --example words"),
        ] {
            assert_eq!(call("run", arguments, false).0, expected);
        }
        assert_eq!(call("test", &["x"], false).0, "test x");
        assert_eq!(call("run", &["x", "--", "y"], true).0, "run -- x -- y");
    }

    #[test]
    fn our_own_options_are_found_among_cargos_and_not_behind() {
        let (words, open, summary) =
            call("run", &["-p", "a", "--open", "--", "--no-summary"], false);
        assert_eq!(
            (words.as_str(), open, summary),
            ("run -p a -- --no-summary", true, true)
        );
    }
}
