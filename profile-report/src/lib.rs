//! Reads, shows, compares, exports and keeps the runs that memprof recorded. It never measures.
//!
//! The crate `memprof` hands all of this on as `memprof::report`, and programs depend on that one. What
//! only reads runs, such as `cargo memprof`, depends on this crate and on `memprof-model`.
//!
//! A renderer is a pure function of a [`Run`](memprof_model::run::Run). Folders stand in an order, and import
//! only downwards: [`write()`] and what else works on a folder of runs, pages, charts, then exports, readers and
//! baselines, then the formats, then text for terminals and differences, then sentences, then facts and text.

#![forbid(unsafe_code)]

#[cfg(test)]
mod agreement_tests;
mod allowance;
mod atomic_file;
mod baseline;
mod bounded_file;
#[cfg(test)]
mod browser_tests;
mod chart;
pub mod diff;
mod error;
#[cfg(feature = "export")]
pub mod export;
mod facts;
#[cfg(any(test, feature = "fixture"))]
#[doc(hidden)]
pub mod fixture;
mod format;
mod pages;
mod plain;
mod read;
mod store;
pub mod text;
mod words;

pub use baseline::{
    Baseline, BaselineError, Comparison, Entry, Figure, Key, Tolerance, Verdict, Worse,
};
#[cfg(feature = "png")]
pub use chart::png;
pub use chart::{Curve, PlotOptions, function_chart, plot, run_chart};
pub use error::ReportError;
pub use format::json::to_json;
pub use pages::{changes_page, plot_page};
pub use plain::{LineTable, LineTableParts, line_table, summary, summary_markdown};
pub use read::{
    ChildMemory, DatCall, DatError, DatFile, DatFunction, DatRecord, DatRecords, LiveHeap, Memory,
    RunHeader, SavedRun, parse_dat, parse_journal, parse_run, read_dat, read_run, saved_runs,
};
pub use store::{RunFolder, function_file_names, live, recover, refresh_index, write};

/// What memprof's own packages share beside the reports. Not for others: it may change in any release.
#[doc(hidden)]
pub mod internal {
    pub use crate::atomic_file::write as write_file;
    pub use crate::bounded_file::read_ours;
    pub use crate::format::{json, mprof};
    pub use crate::store::file_names::safe as safe_file_name;
    pub use crate::store::folder_lock::take_turn;
    pub use crate::text::table::{Align, table};

    pub use crate::facts::names::Names;
    pub use crate::facts::ranking::{line_to_look_at, order};
    pub use crate::plain::function_columns::{FunctionColumn, Kind, function_columns};

    /// Files that appear whole or not at all.
    pub mod atomic_file {
        pub use crate::atomic_file::temporary;
        pub use tempfile::NamedTempFile as Temporary;
    }

    /// What processes of one session hand on to each other.
    pub mod baseline {
        pub use crate::baseline::{EXPECTED_TOLERANCE, Record, test_program};
    }

    /// Whose journal it is.
    pub mod owner {
        pub use crate::store::owner::{FILE, Owner, is_at};
    }

    /// What the system tells of processes.
    pub mod process {
        pub use crate::store::process::{parent_of, start_of, stat_of};
    }

    /// What is done when a program ends, and what undoes it.
    pub mod store {
        pub use crate::store::last_write::{Written, write_last};
        pub use crate::store::prune::{NotRemoved, remove};
        pub use crate::store::recover::InPassing;
    }
}
