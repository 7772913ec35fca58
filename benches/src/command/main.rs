//! Runs every workload in every variant side by side in one go, other profilers among them, and prints
//! what is in `benches/RESULTS.md`, as Markdown: tables of ratios to the plain program, and which goals
//! are reached. What it is doing meanwhile goes to stderr.
//!
//! `cargo run --release -p memprof-benches > benches/RESULTS.md`

mod busy;
mod compile;
mod exit;
mod goals;
mod machine;
mod programs;
mod python;
mod recorded;
mod rounds;
mod run;
mod table;
mod variants;
mod workloads;

use std::num::NonZeroUsize;

use clap::Parser;

use crate::goals::Results;
use crate::programs::Programs;
use crate::run::Ground;

/// What memprof costs, side by side with the plain program and with other profilers
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// How often everything is run; nine times unless told
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<NonZeroUsize>,

    /// Three rounds unless told, and fewer functions to compile: a quarter of an hour
    #[arg(long)]
    quick: bool,

    /// Only this: a workload, or `busy`, `exit`, `compile`; may be given several times
    #[arg(long, value_name = "NAME", value_parser = names())]
    only: Vec<String>,

    /// Leaves other profilers out
    #[arg(long)]
    without_peers: bool,
}

fn names() -> clap::builder::PossibleValuesParser {
    let workloads = workloads::ALL.iter().map(|workload| workload.name);
    workloads
        .chain(["busy", "exit", "compile"])
        .collect::<Vec<_>>()
        .into()
}

impl Arguments {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// How often everything is run.
    fn rounds(&self) -> usize {
        let unless_told = if self.quick { 3 } else { 9 };
        self.rounds.map_or(unless_told, NonZeroUsize::get)
    }
}

fn main() {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let begun = machine::load();
    let programs = Programs::build(folder.path(), !arguments.without_peers);
    let ground = Ground::new(folder.path(), programs);
    let results = measure(&arguments, &ground);
    print!("{}", page(&arguments, &ground, &results, &begun));
}

fn measure(arguments: &Arguments, ground: &Ground) -> Results {
    let rounds = arguments.rounds();
    let mut results = Results::default();
    for workload in workloads::ALL.iter().filter(|it| arguments.wants(it.name)) {
        results
            .rows
            .push(rounds::interleaved(workload, ground, rounds));
    }
    if !arguments.without_peers {
        for workload in workloads::ALL.iter().filter(|it| arguments.wants(it.name)) {
            // Python's profilers are the slowest of all; their ratios need no fine ruler.
            results
                .python
                .extend(python::measure(workload, ground, rounds.min(3)));
        }
    }
    if arguments.wants("busy") {
        results.busy = busy::measure(ground, rounds.min(5), !arguments.without_peers);
    }
    if arguments.wants("exit") {
        results.exits = exit::measure(ground, rounds.min(5));
    }
    if arguments.wants("compile") {
        let functions = if arguments.quick { 200 } else { 1_000 };
        results.compile = compile::measure(ground, functions, rounds.min(3));
    }
    results
}

/// The whole text.
fn page(arguments: &Arguments, ground: &Ground, results: &Results, begun: &str) -> String {
    let mut page = String::from("# What memprof costs, side by side\n\nMade by\n\n");
    let own: Vec<String> = std::env::args().skip(1).collect();
    let own = match own.is_empty() {
        true => String::new(),
        false => format!(" -- {}", own.join(" ")),
    };
    page += &format!(
        "    cargo run --release -p memprof-benches{own} > benches/RESULTS.md\n\n\
         on {}, on {}; load average {begun} at the start, {} at the end.\n\n",
        machine::today(),
        machine::describe(),
        machine::load(),
    );
    page += &format!(
        "Medians of {rounds} rounds in which the variants alternate, of {short} where a round takes a tenth of \
         a second (other profilers: of {peers}, after those). *time* is of the clock, *CPU* the processor \
         time of all threads, both from the begin of the workload to its end and as ratios to the plain \
         program; *a unit more* is the main thread's processor time for each unit of the workload above \
         the plain program's; *peak RSS* is the whole program's, reports at its end included.\n\n\
         Goals in time are judged beside the faster one of two programs that are the same, the plain one \
         and the one from which memprof is compiled out, so that noise in one of them flatters nobody.\n\n",
        rounds = arguments.rounds(),
        short = arguments.rounds() * workloads::OFTEN,
        peers = arguments.rounds().min(rounds::ROUNDS_OF_PEERS),
    );
    page += &ground.programs.describe_peers();
    page += "\n## Goals\n\n";
    page += &goals::table(results);
    page += include_str!("../../notes.md");
    for row in &results.rows {
        page += &table::workload(row);
    }
    page += &table::python(&results.python);
    page += &busy::table(&results.busy);
    page += &exit::table(&results.exits);
    page += &compile::table(results.compile.as_ref());
    page
}
