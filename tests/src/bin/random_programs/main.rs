//! `random_programs 500`: writes random programs whose every line knows what it does to memory, runs them, and
//! holds what memprof says of them against that.
//!
//! A program that is not as it should be is named by its seed: `random_programs 1 --from SEED` runs it alone.

mod build;
mod check;
mod program;
mod random;
mod source;
mod truth;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::check::{Found, check};
use crate::program::Program;
use crate::truth::Truth;

/// So many programs are compiled at once.
const TOGETHER: u64 = 50;

/// Random programs against the truth.
#[derive(Parser)]
struct Options {
    /// How many programs.
    programs: u64,
    /// The seed of the first; the others follow it.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Compile them with optimization.
    #[arg(long)]
    release: bool,
    /// Where to work; what was built is kept, so that a second run is faster.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/random-programs"))]
    dir: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("random_programs: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    let mut all = Found::default();
    let mut from = options.from;
    while from < options.from + options.programs {
        let to = (from + TOGETHER).min(options.from + options.programs);
        let programs: Vec<(u64, Program)> = (from..to)
            .map(|seed| (seed, Program::random(seed)))
            .collect();
        let binary = build::all(&programs, &options.dir, options.release)?;
        for (seed, program) in &programs {
            let run = build::run(&binary, *seed, &options.dir)?;
            let found = check(&run, &Truth::of(program));
            for wrong in &found.wrong {
                println!("seed {seed}: {wrong}");
            }
            all.add(found);
        }
        from = to;
    }
    println!("{all}");
    Ok(all.is_right())
}
