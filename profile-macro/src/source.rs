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
    let file = File::read(path)?;
    let first = file
        .starts
        .get(usize::try_from(first).ok()?.checked_sub(1)?)?;
    // A file shorter than the compiler's is not the file that it compiled.
    let end = file.starts.get(usize::try_from(last).ok()?)?;
    let lines: Vec<&str> = file.text.get(*first..*end)?.lines().collect();
    Some(lines.join("\n"))
}

/// A source file, with where its lines begin: in a large one, looking for them anew for each function takes
/// more of the compiler's time than all else.
#[derive(Clone)]
struct File {
    text: Arc<str>,
    /// And, last, where the file ends.
    starts: Arc<[usize]>,
}

impl File {
    /// Kept for the file's next function. An editor's macro server lives long and sees files change, so the
    /// time of the last change is kept too.
    fn read(path: &Path) -> Option<File> {
        type Files = HashMap<PathBuf, (SystemTime, File)>;
        static FILES: Mutex<Option<Files>> = Mutex::new(None);

        let modified = fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()?;
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        let files = files.get_or_insert_default();
        match files.get(path) {
            Some((then, file)) if *then == modified => Some(file.clone()),
            _ => {
                let file = File::new(fs::read_to_string(path).ok()?);
                files.insert(path.to_owned(), (modified, file.clone()));
                Some(file)
            }
        }
    }

    fn new(text: String) -> File {
        let lines = text.split_inclusive('\n').scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        let starts = std::iter::once(0).chain(lines).collect();
        File {
            text: text.into(),
            starts,
        }
    }
}
