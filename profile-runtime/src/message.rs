//! What the recorder says to the user while the program runs.

use std::io::Write;

/// Writes one line to stderr. A closed stderr is not a reason to disturb the program.
pub(crate) fn message(text: &str) {
    let _ = writeln!(std::io::stderr(), "memprof: {text}");
}
