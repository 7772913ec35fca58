//! The journal of a program that is running, or that was killed.

use crate::journal::read::read;
use crate::run::Run;

/// What a program has written down of its run while it ran: its `mprofile.dat` before it has ended.
/// `None` if nothing in it is whole.
///
/// Figures are those of one moment, at most about a second before the file was read.
/// [`crate::recover`] makes reports of such files where the program is gone.
///
/// ```no_run
/// let journal = std::fs::read("target/memprof/latest/mprofile.dat")?;
/// if let Some(run) = memprof::report::parse_journal(&journal) {
///     println!("{}", memprof::report::summary(&run, None, 100));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn parse_journal(journal: &[u8]) -> Option<Run> {
    read(journal)
}
