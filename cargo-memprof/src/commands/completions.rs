//! `cargo memprof completions`: what a shell needs to complete our arguments.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::Outcome;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  cargo memprof completions bash > ~/.local/share/bash-completion/completions/cargo-memprof
  cargo memprof completions zsh > ~/.zfunc/_cargo-memprof
  cargo memprof completions fish > ~/.config/fish/completions/cargo-memprof.fish";

/// Prints completions for a shell, for `cargo-memprof`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints those of `program`.
    pub(crate) fn run(&self, mut program: Command) -> Outcome<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program, "cargo-memprof", &mut text);
        output::say(String::from_utf8_lossy(&text).trim_end())
    }
}
