//! The commands, a file for each.

pub(crate) mod annotate;
pub(crate) mod attach;
pub(crate) mod clean;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod exec;
pub(crate) mod export;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod open;
pub(crate) mod peak;
pub(crate) mod plot;
pub(crate) mod recover;
pub(crate) mod rm;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod strip;
pub(crate) mod top;
