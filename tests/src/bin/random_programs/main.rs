//! `random_programs 500`: writes random programs whose every line knows what it does to memory, runs them, and
//! holds what memprof says of them against that.
//!
//! A program that is not as it should be is named by its seed: `random_programs 1 --from SEED --keep` runs it alone
//! and leaves its source, `crate/src/pSEED.rs` of the folder. What belongs to memory, and what no reading can tell, is
//! in docs/whose-memory.md; the bounds of RSS are in `check.rs`, each with its reason.
//!
//! Nothing of the truth is memprof's: `truth.rs` goes through a program statement by statement. The size of a panic is
//! counted by the program's own allocator, and that of a future is the compiler's (`tests/callers/random_programs.rs`).

mod build;
mod check;
mod generate;
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
    /// Keep what was built when all is right, too, so that a second run is faster.
    #[arg(long)]
    keep: bool,
    /// Where to work.
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
            .map(|seed| (seed, generate::program(seed)))
            .collect();
        let binary = build::all(&programs, &options.dir, options.release)?;
        for (seed, program) in &programs {
            let (run, unknown) = build::run(&binary, *seed, &options.dir)?;
            let found = check(&run, program, &Truth::of(program, &unknown));
            for wrong in found.differences() {
                println!("seed {seed}: {wrong}");
            }
            all.add(found);
        }
        from = to;
    }
    println!("{all}");
    if all.is_right() && !options.keep {
        std::fs::remove_dir_all(&options.dir)
            .map_err(|error| format!("{}: {error}", options.dir.display()))?;
    }
    Ok(all.is_right())
}
