//! `cargo memprof`: runs, watches, shows and compares memory profiles.
//!
//! A command is one file in [`commands`]. It finds runs through [`store`], has the library render them,
//! and prints through [`output`]. Nothing here measures but `watch`, and nothing renders.

mod child;
mod cli;
mod commands;
mod failure;
mod live_line;
mod output;
mod source;
mod store;
mod top;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse_from(arguments());
    cli.color.write_global();
    match cli.run() {
        Ok(code) => code,
        Err(failure) => {
            output::complain(&failure.to_string());
            ExitCode::from(failure.code())
        }
    }
}

/// The arguments without the word `memprof`, which cargo puts first.
fn arguments() -> impl Iterator<Item = std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "memprof") {
        arguments.remove(1);
    }
    arguments.into_iter()
}
