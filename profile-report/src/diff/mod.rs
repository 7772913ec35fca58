//! What changed between two runs: as data, and as text, Markdown or a page.
//!
//! Functions are matched by their name, also when they moved to another module or file; lines by
//! their text, also when they moved within the function or were edited a little.
//!
//! A figure has changed if it changed by more than noise ([`Change::counts`]): RSS moves a little by
//! itself, and of threads the scheduler decides. With several runs of each side
//! ([`compare_repeated`]) it is seen how much that is.
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
mod figures;
mod functions;
mod lines;
mod markdown;
pub(crate) mod noise;
pub(crate) mod shown;
mod side;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod verdict;

pub use change::{Change, Changes};
pub use compare::{
    Diff, FunctionDiff, LineDiff, Place, RssNoise, RunFacts, compare, compare_repeated,
};
pub use markdown::markdown;
pub use text::text;
