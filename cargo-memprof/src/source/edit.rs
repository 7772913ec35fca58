//! A change of one file, made of insertions or removals.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::failure::{Failure, Outcome};

/// A file before and after.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) path: PathBuf,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Edit {
    /// As a patch, paths relative to `folder`.
    pub(crate) fn patch(&self, folder: &Path) -> String {
        let path = self
            .path
            .strip_prefix(folder)
            .unwrap_or(&self.path)
            .display();
        TextDiff::from_lines(&self.before, &self.after)
            .unified_diff()
            .header(&format!("a/{path}"), &format!("b/{path}"))
            .to_string()
    }

    /// Writes the file, if it is still what it was.
    ///
    /// # Errors
    /// When it cannot be read or written, or was changed meanwhile.
    pub(crate) fn write(&self) -> Outcome<()> {
        let failed = |reason: String| {
            let tried = format!("change {}", self.path.display());
            Failure::new(
                tried,
                reason,
                "see whether something else writes to it, and try again",
            )
        };
        let now = fs::read(&self.path).map_err(|error| failed(error.to_string()))?;
        if now != self.before.as_bytes() {
            return Err(failed("it was changed meanwhile".to_owned()));
        }
        fs::write(&self.path, &self.after).map_err(|error| failed(error.to_string()))
    }
}

/// `text` with a piece inserted at each place, in bytes.
pub(super) fn insert(text: &str, mut pieces: Vec<(usize, String)>) -> String {
    pieces.sort();
    let mut edited = String::with_capacity(text.len() + pieces.len() * 40);
    let mut from = 0;
    for (at, piece) in pieces {
        edited.push_str(&text[from..at]);
        edited.push_str(&piece);
        from = at;
    }
    edited.push_str(&text[from..]);
    edited
}

/// `text` without these ranges, in bytes; they may overlap.
pub(super) fn remove(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut edited = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        if range.start > from {
            edited.push_str(&text[from..range.start]);
        }
        from = from.max(range.end);
    }
    edited.push_str(&text[from..]);
    edited
}
