//! What the recorder says to the user while the program runs.

use std::io::Write;

use crate::os::stderr;

/// Writes one message to stderr. An error is ignored: a closed stderr is no reason to disturb the program. What has
/// stderr's number and is a file of the program's gets none.
pub(crate) fn message(text: &str) {
    if let Some(mut stderr) = stderr::get() {
        let _ = writeln!(stderr, "memprof: {text}");
    }
}
