//! The source text of a function, taken at compile time so that a report needs no source tree.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use proc_macro2::Span;

use crate::place::Extent;

/// Source text and the number of its first line.
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) first_line: u32,
}

impl Source {
    /// The whole lines of `extent`; what the compiler remembers of `body` where the file cannot
    /// be read; nothing where that is not to be had either.
    pub(crate) fn of(extent: &Extent, body: Span) -> Source {
        let (first, last) = (extent.first_line(), extent.last_line());
        let text = body
            .local_file()
            .and_then(|path| lines_of(&path, first, last));
        match text {
            Some(text) => Source {
                text,
                first_line: first,
            },
            None => Source::remembered(body),
        }
    }

    fn remembered(body: Span) -> Source {
        let text = body.source_text().unwrap_or_default();
        let first_line = u32::try_from(body.start().line).unwrap_or(0);
        Source { text, first_line }
    }
}

fn lines_of(path: &Path, first: u32, last: u32) -> Option<String> {
    let (first, last) = (usize::try_from(first).ok()?, usize::try_from(last).ok()?);
    let file = read(path)?;
    let lines: Vec<_> = file
        .lines()
        .skip(first.checked_sub(1)?)
        .take(last - first + 1)
        .collect();
    // A file shorter than the compiler's is not the file that it compiled.
    (lines.len() == last - first + 1).then(|| lines.join("\n"))
}

/// The text of a file, kept for its next function. An editor's macro server lives long and sees
/// files change, so the time of the last change is kept too.
fn read(path: &Path) -> Option<Arc<str>> {
    type Files = HashMap<PathBuf, (SystemTime, Arc<str>)>;
    static FILES: Mutex<Option<Files>> = Mutex::new(None);

    let modified = fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()?;
    let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
    let files = files.get_or_insert_default();
    match files.get(path) {
        Some((then, text)) if *then == modified => Some(text.clone()),
        _ => {
            let text: Arc<str> = fs::read_to_string(path).ok()?.into();
            files.insert(path.to_owned(), (modified, text.clone()));
            Some(text)
        }
    }
}
