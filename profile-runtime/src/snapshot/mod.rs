//! Makes a [`Run`], the run so far as data, of what threads and sites hold.

mod function;
mod groups;
mod header;
pub(crate) mod identity;
mod live_blocks;
#[cfg(feature = "report")]
pub(crate) mod progress;
#[cfg(test)]
mod scene;
pub(crate) mod whole_run;

use crate::own_code::{self, uncancelled};
use crate::recorder;
use memprof_model::run::{Run, RunOutcome};

/// The run so far. Calls in progress count as if they ended now, with outcome
/// [`Outcome::Running`](memprof_model::run::Outcome::Running). `None` when nothing is recorded: no annotated call yet, or `MEMPROF=0`.
///
/// Takes time in proportion to the number of functions called (about 10 µs each), and none from
/// other threads but a short wait at their next probe.
///
/// ```
/// #[memprof::profile_memory]
/// fn work() -> Vec<u8> {
///     vec![1; 1 << 20]
/// }
///
/// # let dir = std::env::temp_dir().join("memprof-doc");
/// # memprof::Settings::new().dir(dir).quiet(true).apply().unwrap();
/// work();
/// let run = memprof::snapshot().expect("a call was made");
/// assert_eq!(run.functions[0].label, "work");
/// assert_eq!(run.functions[0].calls, 1);
/// ```
#[must_use]
pub fn snapshot() -> Option<Run> {
    let _inside = own_code::enter()?;
    let _uncancelled = uncancelled(|| ());
    recorder::running().map(|recorder| whole_run::take(recorder, RunOutcome::Running))
}
