//! The commands, a file for each.

pub(crate) mod annotate;
pub(crate) mod attach;
pub(crate) mod clean;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod open;
pub(crate) mod peak;
pub(crate) mod plot;
pub(crate) mod recover;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod strip;
pub(crate) mod top;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::failure::Outcome;
use crate::store::Store;

/// Does what was asked for; the exit code is this program's.
pub(crate) fn run(cli: &Cli) -> Outcome<ExitCode> {
    let store = || Store::find(cli.dir.as_deref());
    match &cli.command {
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
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    }
    .map(|()| ExitCode::SUCCESS)
}
