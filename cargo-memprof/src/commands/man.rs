//! `cargo memprof man`: the manual.

use std::path::PathBuf;

use clap::{Args, Command};

use crate::failure::{Failure, Outcome};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  cargo memprof man | man -l -
  cargo memprof man ~/.local/share/man/man1     # a page for each command: man cargo-memprof-list";

/// Prints the manual page, or writes the pages of all commands into a folder
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// The folder to write into
    folder: Option<PathBuf>,
}

impl Man {
    /// Prints or writes the pages of `program`.
    pub(crate) fn run(&self, program: Command) -> Outcome<()> {
        let failed = |error| {
            Failure::new(
                "write the manual",
                error,
                "name a folder that can be written",
            )
        };
        match &self.folder {
            Some(folder) => clap_mangen::generate_to(program, folder).map_err(failed),
            None => {
                let mut text = Vec::new();
                clap_mangen::Man::new(program)
                    .render(&mut text)
                    .map_err(failed)?;
                output::say(String::from_utf8_lossy(&text).trim_end())
            }
        }
    }
}
