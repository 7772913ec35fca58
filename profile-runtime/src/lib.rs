//! memprof: one attribute on a function tells what its memory did, over time and line by line.

mod budget;
mod calls;
mod exit;
mod frame;
mod future;
mod guards;
mod heap;
mod lane;
mod log;
mod meter;
mod os;
#[cfg(feature = "report")]
mod output;
mod own;
mod recorder;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
mod sampler;
mod series;
mod settings;
mod site;
mod snapshot;
mod tally;
mod usage;

pub use heap::CountingAllocator;
pub use memprof_macro::{block, profile_memory};
#[cfg(feature = "report")]
pub use output::write_reports;
pub use settings::{Backend, Settings, SettingsError};
pub use snapshot::snapshot;
pub use usage::{MemoryUsage, UsageSample, memory_usage};

/// What generated code refers to. Not for use by hand: it may change in any release.
#[doc(hidden)]
pub mod __private {
    pub use crate::frame::{ClosureFrame, Frame};
    pub use crate::future::{AsyncProbe, never, part, profiled};
    pub use crate::site::{Site, SiteSpec};
    pub use core::any::type_name_of_val as name_of;
}

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, whatever happened to the last holder: what our locks guard is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line on stderr. A closed stderr is not a reason to disturb the program.
fn message(text: &str) {
    let _ = writeln!(std::io::stderr(), "memprof: {text}");
}
