//! Turns a [`crate::run::Run`] into files and text. Rendering never measures.

#[cfg(test)]
mod agreement_tests;
pub(crate) mod atomic_file;
mod bar;
pub(crate) mod baseline;
#[cfg(test)]
mod browser_tests;
mod chart;
pub mod diff;
mod error;
#[cfg(feature = "export")]
pub mod export;
mod file_names;
#[cfg(test)]
pub(crate) mod fixture;
mod growth;
mod heap_story;
mod highlight;
pub(crate) mod json;
mod line_columns;
mod line_rows;
mod line_table;
mod markdown;
pub(crate) mod mprof;
mod origins_story;
mod pages;
mod peak_moment;
#[cfg(feature = "png")]
mod png;
mod read;
mod root_index;
mod run_before;
mod run_folder;
mod stopped;
mod story;
mod summary;
mod summary_markdown;
mod text_page;
mod text_table;
mod units;
mod verdict;
mod visible;
mod watched;
mod write;

pub(crate) use atomic_file::write as write_file;
pub use baseline::{
    Baseline, BaselineError, Comparison, Entry, Figure, Key, Tolerance, Verdict, Worse,
};
pub use chart::{Curve, PlotOptions, function_chart, plot, run_chart};
pub use error::ReportError;
pub use file_names::assign as function_file_names;
pub(crate) use file_names::safe as safe_file_name;
pub use json::to_json;
pub use line_table::{LineTable, line_table};
pub use pages::plot_page;
#[cfg(feature = "png")]
pub use png::png;
use read::bounded;
pub(crate) use read::is_plausible;
pub use read::{
    ChildMemory, DatCall, DatError, DatFile, DatFunction, DatRecord, DatRecords, Memory, parse_dat,
    parse_journal, parse_run, read_dat, read_run,
};
pub use root_index::{RunHeader, SavedRun, refresh_index, saved_runs};
pub use run_folder::RunFolder;
pub use summary::summary;
pub use summary_markdown::summary_markdown;
pub use write::write;

/// Numbers and other people's text as reports show them, for tools that print more of their kind.
pub mod text {
    pub use super::units::{align_points, duration, mib, mib_unit, signed_mib};
    pub use super::visible::{truncate, visible, width};
}
