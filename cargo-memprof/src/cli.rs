//! The command line: what can be asked for, and which command does it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::failure::Outcome;
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  cargo memprof annotate parse            # the attribute on `…parse…`
  cargo memprof run --release             # an annotated program, as `cargo run --release`
  cargo memprof top                       # watch it at work, line by line
  cargo memprof exec -- ./server          # any program, watched from outside
  cargo memprof list                      # every run, the oldest first
  cargo memprof show                      # the newest run
  cargo memprof show -2 parse             # functions of the run before
  cargo memprof peak --func inverse       # one figure, as mprof prints it
  cargo memprof diff -2 -1                # what changed since the run before
  cargo memprof open                      # the newest run's page in the browser

A RUN is named by its folder, its number in `list` (-1 is the newest, -2 the one before), `latest`, or a \
program's name (its newest run). Without a name the newest run is meant.";

/// Runs, watches, shows and compares memory profiles.
#[derive(Debug, Parser)]
#[command(name = "cargo-memprof", bin_name = "cargo memprof", version, after_help = EXAMPLES)]
#[command(arg_required_else_help = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// The folder that runs are kept in [default: $MEMPROF_DIR, or memprof in the target directory]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) color: colorchoice_clap::Color,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(commands::run::Run),
    /// Runs tests with cargo, and shows what they recorded: `cargo memprof run` for `cargo test`
    Test(commands::run::Run),
    /// Runs benchmarks with cargo, and shows what they recorded: `cargo memprof run` for `cargo bench`
    Bench(commands::run::Run),
    Top(commands::top::Top),
    Exec(commands::exec::Exec),
    Attach(commands::attach::Attach),
    List(commands::list::List),
    Show(commands::show::Show),
    Peak(commands::peak::Peak),
    Plot(commands::plot::Plot),
    Diff(commands::diff::Diff),
    Export(commands::export::Export),
    Recover(commands::recover::Recover),
    Open(commands::open::Open),
    Rm(commands::rm::Rm),
    Clean(commands::clean::Clean),
    Annotate(commands::annotate::Annotate),
    Strip(commands::strip::Strip),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

impl Cli {
    /// Does what was asked for; the exit code is this program's.
    pub(crate) fn run(&self) -> Outcome<ExitCode> {
        let store = || Store::find(self.dir.as_deref());
        match &self.command {
            Command::List(list) => list.run(&store()?),
            Command::Show(show) => show.run(&store()?),
            Command::Peak(peak) => peak.run(&store()?),
            Command::Open(open) => open.run(&store()?),
            Command::Rm(rm) => rm.run(&store()?),
            Command::Clean(clean) => clean.run(&store()?),
            Command::Run(run) => return run.run("run", &store()?),
            Command::Test(run) => return run.run("test", &store()?),
            Command::Bench(run) => return run.run("bench", &store()?),
            Command::Top(top) => return top.run(&store()?),
            Command::Diff(diff) => return diff.run(&store()?),
            Command::Exec(exec) => return exec.run(store),
            Command::Attach(attach) => attach.run(&store()?),
            Command::Plot(plot) => plot.run(&store()?),
            Command::Export(export) => export.run(&store()?),
            Command::Recover(recover) => recover.run(&store()?),
            Command::Annotate(annotate) => annotate.run(),
            Command::Strip(strip) => strip.run(),
            Command::Completions(completions) => completions.run(program()),
            Command::Man(man) => man.run(program()),
        }
        .map(|()| ExitCode::SUCCESS)
    }
}

/// The definition of the command line, under the name that shells and manuals know.
fn program() -> clap::Command {
    Cli::command().bin_name("cargo-memprof")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let after = command.get_after_help().map(ToString::to_string);
            assert!(
                after.is_some_and(|text| text.contains("Example")),
                "{}",
                command.get_name()
            );
        }
    }
}
