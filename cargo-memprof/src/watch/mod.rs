//! Watches processes from outside: reads their memory at absolute deadlines until they end.

mod events;
mod family;
#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
mod linux;
mod listed;
mod pace;
mod plan;
mod prompt;
mod record;
mod watcher;

pub(crate) use events::{Event, Events, ends};
#[cfg(unix)]
pub(crate) use events::{die_of, end_with_terminal, give_back, send};
pub(crate) use linux::{Processes, why_without_memory};
pub(crate) use listed::Listed;
pub(crate) use plan::{WatchOptions, time};
pub(crate) use record::{Record, Subject};
pub(crate) use watcher::{End, watch};
