//! `corpus NAME VERSION`: puts the attribute on every function of a published crate and checks
//! that its own test suite passes as before.
//!
//! Without a name, every crate of `tests/corpus.toml`. Prints a table in Markdown, and on stderr
//! whatever is not as before. With `--servers`, servers under load: see `servers`.

mod annotate;
mod cargo;
mod list;
mod round_trip;
mod servers;
mod table;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::list::Entry;
use crate::table::Table;

/// Annotate published crates and run their tests with and without.
#[derive(Parser)]
struct Options {
    /// The crate's name in the registry; every crate of the list if there is none.
    name: Option<String>,
    /// Its version; the newest if there is none.
    version: Option<String>,
    /// Features to switch on.
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// Compile memprof with optimization, for tests that make many millions of calls.
    #[arg(long)]
    hot: bool,
    /// The list of crates.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus.toml"))]
    list: PathBuf,
    /// Only the crates of the list that are quick to try.
    #[arg(long)]
    quick: bool,
    /// Run no tests; annotate with `cargo memprof annotate '*'`, strip, and compare every file.
    #[arg(long)]
    strip: bool,
    /// Try servers under load instead, all or the one that is named; for so many seconds.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60")]
    servers: Option<u64>,
    /// Where to work; kept afterwards, so that a second run is faster.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/corpus"))]
    dir: PathBuf,
    /// The memprof crate to use.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../profile-runtime"))]
    memprof: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("corpus: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool, String> {
    if let Some(seconds) = options.servers {
        let load = Duration::from_secs(seconds);
        // Programs are built and run in other folders than this one.
        let dir = std::path::absolute(&options.dir).map_err(|error| error.to_string())?;
        return servers::run(options.name.as_deref(), load, &dir, &options.memprof);
    }
    if options.strip {
        return round_trip::table(&entries(options)?, &options.dir, &options.memprof);
    }
    let mut table = Table::begin();
    let mut same = true;
    for entry in entries(options)? {
        // One that cannot be tried must not keep the others from it.
        match trial::run(&entry, &options.dir, &options.memprof) {
            Ok(trial) => {
                table.add(&trial);
                for difference in trial.unexplained() {
                    eprintln!("{}: {difference}", entry.name);
                    same = false;
                }
            }
            Err(error) => {
                eprintln!("{}: {error}", entry.name);
                same = false;
            }
        }
    }
    table.end();
    Ok(same)
}

fn entries(options: &Options) -> Result<Vec<Entry>, String> {
    let Some(name) = &options.name else {
        let list = list::read(&options.list)?;
        return Ok(list
            .into_iter()
            .filter(|entry| entry.quick || !options.quick)
            .collect());
    };
    Ok(vec![Entry {
        name: name.clone(),
        version: options.version.clone().unwrap_or_else(|| "*".to_owned()),
        features: options.features.clone(),
        hot: options.hot,
        ..Entry::default()
    }])
}
