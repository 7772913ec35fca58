//! What is wrong with the text of a baseline, and in which line.

use std::error::Error;
use std::fmt;

use struson::reader::{JsonReaderPosition, JsonSyntaxError, ReaderError, SyntaxErrorKind};
use struson::serde::DeserializerError;

use crate::text::visible::{truncate, visible};

/// The most columns of a line that are shown.
const QUOTE: usize = 60;
/// The most columns of a reason, which may quote the file.
const REASON: usize = 150;

/// A text that is not that of a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineError {
    line: u64,
    text: String,
    reason: String,
}

impl BaselineError {
    /// The line of `text` with this number, counted from 1, is wrong.
    pub(super) fn new(text: &str, line: u64, reason: impl Into<String>) -> BaselineError {
        let at = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        BaselineError {
            line,
            text: text.lines().nth(at).unwrap_or("").trim().to_owned(),
            reason: reason.into(),
        }
    }

    /// What the reader of JSON has found; it stood at `position` then.
    pub(super) fn of_json(
        text: &str,
        error: &DeserializerError,
        position: &JsonReaderPosition,
    ) -> BaselineError {
        let position = match error {
            DeserializerError::ReaderError(ReaderError::SyntaxError(error)) => &error.location,
            _ => position,
        };
        let line = position.line_pos.map_or(0, |position| position.line);
        BaselineError::new(text, line + 1, reason(error))
    }
}

fn reason(error: &DeserializerError) -> String {
    let DeserializerError::ReaderError(error) = error else {
        return match error {
            DeserializerError::InvalidNumber(_) => {
                "expected a whole number that is not negative".to_owned()
            }
            other => other.to_string(),
        };
    };
    match error {
        ReaderError::SyntaxError(JsonSyntaxError {
            kind: SyntaxErrorKind::IncompleteDocument,
            ..
        }) => "the file is cut off here".to_owned(),
        ReaderError::SyntaxError(error) => {
            format!("this is no JSON ({})", words(&error.kind.to_string()))
        }
        ReaderError::UnexpectedValueType {
            expected, actual, ..
        } => {
            let [expected, actual] = [expected, actual].map(|kind| words(&kind.to_string()));
            format!("expected a JSON {expected}, not a JSON {actual}")
        }
        other => other.to_string(),
    }
}

/// `MissingComma` as two words.
fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

impl fmt::Display for BaselineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = truncate(&visible(&self.reason), REASON);
        write!(formatter, "line {}: {reason}", self.line)?;
        if !self.text.is_empty() {
            let shown = truncate(&visible(&self.text), QUOTE);
            write!(formatter, ", but it is `{shown}`")?;
        }
        Ok(())
    }
}

impl Error for BaselineError {}
