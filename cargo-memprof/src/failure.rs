//! The one error: what was tried, why it failed, and what to do next.

use std::fmt;

use memprof_report::ReportError;
use memprof_report::text::{truncate, visible};

/// The exit code of a failure of `cargo memprof` itself.
const FAILED: u8 = 1;

/// The most columns of what was tried, and of the reason: both may quote arguments and files.
const LONGEST: usize = 1_000;

/// Why a command could not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    text: String,
    code: u8,
}

/// What a command comes to.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// "cannot `tried`: `reason`; `advice`".
    pub(crate) fn new(tried: impl fmt::Display, reason: impl fmt::Display, advice: &str) -> Self {
        let [tried, reason] =
            [tried.to_string(), reason.to_string()].map(|text| truncate(&visible(&text), LONGEST));
        Self {
            text: format!("cannot {tried}: {reason}; {advice}"),
            code: FAILED,
        }
    }

    /// The same with another exit code.
    #[must_use]
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        let text = error.to_string();
        Self {
            text: text.strip_prefix("memprof: ").unwrap_or(&text).to_owned(),
            code: FAILED,
        }
    }
}
