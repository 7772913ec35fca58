//! What the recorder says to the user while the program runs.

use std::io::Write;

/// Writes one message to stderr. An error is ignored: a closed stderr is no reason to disturb the program.
pub(crate) fn message(text: &str) {
    let _ = writeln!(std::io::stderr(), "memprof: {text}");
}
