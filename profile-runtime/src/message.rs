//! What the recorder says to the user while the program runs.

use std::io::Write;

use crate::os::stderr;

/// Writes one message to stderr, where stderr may be written to.
pub(crate) fn message(text: &str) {
    stderr::write(|mut stderr| writeln!(stderr, "memprof: {text}"));
}
