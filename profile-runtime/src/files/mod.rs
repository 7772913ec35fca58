//! Everything that is written to files: the journal while the program runs, and reports and baselines at its end.
//! The writer does it all.

mod baseline_check;
mod baseline_session;
pub(crate) mod finish;
pub(crate) mod journal;
mod memory_watch;
mod reports;
mod room;
pub(crate) mod work;
mod writer;
