//! Reports at the end of the program: how long they take.

use std::process::Command;

use crate::programs::Program;
use crate::rounds::median;
use crate::run::Ground;
use crate::table::time;

/// A program, and how long it takes from the end of its work to its end.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) what: &'static str,
    pub(crate) exit_ns: f64,
    /// Without reports.
    plain_ns: f64,
}

pub(crate) const INVERSE: &str = "the demo's inverse";
pub(crate) const FUNCTIONS: &str = "500 functions, 100,000 calls";

pub(crate) fn measure(ground: &Ground, rounds: usize) -> Vec<Exit> {
    let programs = [
        (INVERSE, Program::AnnotatedCounting, "inverse"),
        (FUNCTIONS, Program::Functions, ""),
    ];
    programs
        .into_iter()
        .map(|(what, program, argument)| {
            let (mut exits, mut plain) = (Vec::new(), Vec::new());
            for round in 1..=rounds {
                eprintln!("exit, {what}: round {round} of {rounds}");
                let run = |variable: (&str, &str)| {
                    let mut command = Command::new(ground.programs.path(program));
                    command.arg(argument).env(variable.0, variable.1);
                    ground.run_command(&mut command).exit_ns as f64
                };
                exits.push(run(("MEMPROF_KEEP", "30")));
                plain.push(run(("MEMPROF", "0")));
            }
            Exit {
                what,
                exit_ns: median(exits),
                plain_ns: median(plain),
            }
        })
        .collect()
}

pub(crate) fn table(exits: &[Exit]) -> String {
    if exits.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n## exit\n\nFrom the end of the work to the end of the program.\n\n\
         | program | with reports | with `MEMPROF=0` |\n|---|---|---|\n",
    );
    for exit in exits {
        text += &format!(
            "| {} | {} | {} |\n",
            exit.what,
            time(exit.exit_ns),
            time(exit.plain_ns)
        );
    }
    text
}
