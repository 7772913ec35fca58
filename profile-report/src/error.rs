//! The one error of this module: what was tried, on what path, why it failed, and what to do next.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::visible::{truncate, visible};

/// A report could not be written, read or drawn.
///
/// Its `Display` is one line made for a terminal: what was tried, on which path, the reason, and
/// what the user can do about it.
#[derive(Debug)]
pub struct ReportError {
    action: &'static str,
    path: Option<PathBuf>,
    reason: Box<dyn Error + Send + Sync>,
    advice: &'static str,
}

/// What helps when a folder cannot be written.
const ADVICE_WRITE: &str = "set MEMPROF_DIR to a folder that can be written";
/// What helps when a saved run cannot be read.
const ADVICE_READ: &str = "check that it is the run.json of a run of this version of memprof";
/// What helps when an mprof file cannot be read.
const ADVICE_READ_DAT: &str = "check that it is a .dat file that mprof or memprof wrote";
/// What helps when a baseline cannot be read.
const ADVICE_READ_BASELINE: &str =
    "correct it, or make a new one: remove the file and run `MEMPROF_BASELINE=save cargo test`";
/// What helps when a baseline cannot be written.
const ADVICE_WRITE_BASELINE: &str =
    "make the folder writable, or set MEMPROF_BASELINE_FILE to a file that can be written";
/// What helps when drawing fails: nothing that a user does, so the way to tell us.
const ADVICE_RENDER: &str = "this is a defect of memprof: please report it with the run's run.json";

impl ReportError {
    /// There is no run to report on.
    #[doc(hidden)]
    pub fn nothing_recorded() -> Self {
        Self {
            action: "write reports",
            path: None,
            reason: "nothing was recorded".into(),
            advice: "call a function that has #[profile_memory], and do not set MEMPROF=0",
        }
    }

    /// The file or folder at `path` could not be written.
    #[doc(hidden)]
    pub fn write(path: &Path, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            action: "write",
            path: Some(path.to_owned()),
            reason: reason.into(),
            advice: ADVICE_WRITE,
        }
    }

    /// The file at `path` could not be read, or is no run.
    pub(crate) fn read(path: &Path, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            action: "read",
            path: Some(path.to_owned()),
            reason: reason.into(),
            advice: ADVICE_READ,
        }
    }

    /// A text is not that of a `run.json`.
    pub(crate) fn read_text(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            action: "read a run",
            path: None,
            reason: reason.into(),
            advice: ADVICE_READ,
        }
    }

    /// The mprof file at `path` could not be read, or is none.
    pub(crate) fn read_dat(path: &Path, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            advice: ADVICE_READ_DAT,
            ..Self::read(path, reason)
        }
    }

    /// A text is not that of an mprof file.
    pub(crate) fn read_dat_text(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            action: "read an mprof file",
            path: None,
            reason: reason.into(),
            advice: ADVICE_READ_DAT,
        }
    }

    /// The baseline at `path` could not be read, or is none.
    pub(crate) fn read_baseline(
        path: &Path,
        reason: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            action: "read the baseline",
            advice: ADVICE_READ_BASELINE,
            ..Self::read(path, reason)
        }
    }

    /// The baseline at `path` could not be written.
    pub(crate) fn write_baseline(
        path: &Path,
        reason: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            action: "save the baseline",
            advice: ADVICE_WRITE_BASELINE,
            ..Self::write(path, reason)
        }
    }

    /// A panic of our own.
    #[doc(hidden)]
    pub fn bug() -> Self {
        Self {
            action: "write reports",
            path: None,
            reason: "memprof panicked".into(),
            advice: "this is a defect of memprof: please report it",
        }
    }

    /// `what` could not be rendered.
    pub(crate) fn render(
        what: &'static str,
        reason: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            action: what,
            path: None,
            reason: reason.into(),
            advice: ADVICE_RENDER,
        }
    }
}

/// The most columns of a path and of a reason, which may quote what is in a file.
const LONGEST: usize = 1_000;

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memprof: cannot {}", self.action)?;
        if let Some(path) = &self.path {
            let path = visible(&path.display().to_string());
            write!(f, " {}", truncate(&path, LONGEST))?;
        }
        let reason = truncate(&visible(&self.reason.to_string()), LONGEST);
        write!(f, ": {reason}; {}", self.advice)
    }
}

impl Error for ReportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.reason.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_why_and_what_next_on_one_line() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let shown = ReportError::write(Path::new("/ro/memprof"), denied).to_string();
        assert_eq!(
            shown,
            "memprof: cannot write /ro/memprof: permission denied; \
             set MEMPROF_DIR to a folder that can be written"
        );
    }

    #[test]
    fn a_hostile_path_stays_on_one_line() {
        let shown = ReportError::write(Path::new("a\nb\u{1b}[31m"), "no").to_string();
        assert_eq!(shown.lines().count(), 1);
        assert!(!shown.contains('\u{1b}'));
    }
}
