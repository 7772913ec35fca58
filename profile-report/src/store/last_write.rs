//! What a program does in the folder of runs when it ends: its own run first, then those of others, within bounds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use memprof_model::run::Run;

use super::recover::{InPassing, in_passing};
use super::run_folder::RunFolder;
use super::write::write_files;
use super::{index, prune};
use crate::allowance::{Allowance, Clock};
use crate::error::ReportError;

/// What killed runs and old ones may take of the program's end, if its own reports do not take longer: a run of the
/// same program that was killed has as many.
const OTHERS: Duration = Duration::from_millis(40);

/// What the write of a run has done.
#[derive(Debug)]
pub struct Written {
    /// The run's folder.
    pub folder: PathBuf,
    /// The runs of other programs.
    pub in_passing: InPassing,
}

/// As [`write()`](super::write()), by a program that ends: runs of killed programs are recovered, and the oldest
/// removed until `keep` are left, unless that is 0.
///
/// All that is about the runs of others takes 0.12 s by `clock` at most, which is one of processor time; where the
/// program's own reports take longer than 0.04 s, so much longer.
///
/// # Errors
/// As those of [`write()`](super::write()).
pub fn write_last(
    run: &Run,
    root: &Path,
    folder: &RunFolder,
    keep: usize,
    clock: Clock,
) -> Result<Written, ReportError> {
    let began = clock();
    let folder = write_files(run, root, folder, clock)?;
    let own = clock().saturating_sub(began);
    let pages = u32::try_from(run.functions.len()).unwrap_or(u32::MAX);
    let page = own / pages.max(1);
    let allowance = Allowance::of(OTHERS.max(own), clock);
    let in_passing = in_passing(root, &folder, page, allowance);
    if keep > 0 {
        prune::prune(root, keep, &folder, allowance);
    }
    index::refresh_in_passing(root, clock)?;
    Ok(Written { folder, in_passing })
}
