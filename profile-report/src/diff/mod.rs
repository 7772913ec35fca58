//! What changed between two runs: as data, and as text, Markdown or a page.
//!
//! Functions are matched by their name, also when they moved to another module or file; lines by
//! their text, also when they moved within the function or were edited a little.
//!
//! ```no_run
//! use memprof::report::{diff, read_run};
//!
//! let before = read_run("target/memprof/words-20261122-095933-4114")?;
//! let after = read_run("target/memprof/latest")?;
//! let diff = diff::compare(&before, &after);
//! println!("{}", diff::text(&diff, 100));
//! # Ok::<(), memprof::report::ReportError>(())
//! ```

pub(crate) mod before;
mod change;
pub(crate) mod compare;
mod functions;
mod lines;
mod markdown;
pub(crate) mod shown;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod verdict;

pub use change::{Change, Changes};
pub use compare::{Diff, FunctionDiff, LineDiff, Place, RunFacts, compare};
pub use markdown::markdown;
pub use text::text;
