//! Reads what was saved: `run.json`, and the `.dat` files of Python's mprof and of memprof.
//!
//! A file may come from anywhere, also half-written or made to do harm. A reader takes no more memory
//! than a small multiple of the file's size, which is bounded, never panics, and says what is wrong.

mod dat_file;
mod dat_record;
mod dat_run;
#[cfg(test)]
mod huge_numbers;
mod journal;
mod numbers;
mod plausible;
#[cfg(test)]
mod round_trip;
mod run_json;
mod samples;
mod saved_runs;

pub(crate) use journal::parse_journal_within;
pub(crate) use run_json::read_run_within;
pub(crate) use saved_runs::{Listing, read_header, saved_runs_within};

pub use dat_file::{ChildMemory, DatCall, DatFile, DatFunction, parse_dat, read_dat};
pub use dat_record::{DatError, DatRecord, DatRecords, Memory};
pub use journal::parse_journal;
pub use run_json::{parse_run, read_run};
pub use saved_runs::{LiveHeap, RunHeader, SavedRun, saved_runs};
