//! What the writer thread does: the journal while the program runs, reports and baselines at its end.

mod baseline_check;
mod baseline_session;
pub(crate) mod finish;
pub(crate) mod journal;
mod memory_watch;
mod reports;
mod room;
pub(crate) mod writer;
