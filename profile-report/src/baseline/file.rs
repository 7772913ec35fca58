//! The file of a baseline, read and written.

use std::path::Path;

use super::entries::Baseline;
use super::error::BaselineError;
use super::parse;
use crate::atomic_file;
use crate::bounded_file::{self, Links};
use crate::error::ReportError;

/// Far more than the entries of thousands of functions take.
const LARGEST: u64 = 16 << 20;

impl Baseline {
    /// What the text of a file says.
    ///
    /// # Errors
    /// When it is not the text of a baseline: the error names the line and says what was expected.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        parse::parse(text)
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is larger than 16 MiB, or is no baseline.
    pub fn read(path: impl AsRef<Path>) -> Result<Baseline, ReportError> {
        let path = path.as_ref();
        let error = |reason: String| ReportError::read_baseline(path, reason);
        let bytes = bounded_file::read(path, Links::Follow, LARGEST)
            .map_err(|reason| error(reason.to_string()))?;
        let text = str::from_utf8(&bytes).map_err(|reason| error(reason.to_string()))?;
        Baseline::parse(text).map_err(|reason| error(reason.to_string()))
    }

    /// Writes the file at `path`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        let path = path.as_ref();
        atomic_file::try_write(path, self.to_string().as_bytes())
            .map_err(|reason| ReportError::write_baseline(path, reason))
    }
}
