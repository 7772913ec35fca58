//! Rust source as syntax whose places are bytes of the file.

use std::ops::Range;

use proc_macro2::Span;

/// A file's syntax.
pub(super) struct Parsed {
    pub(super) file: syn::File,
    /// Bytes before what was parsed: a byte order mark, a `#!` line.
    offset: usize,
}

impl Parsed {
    /// # Errors
    /// When `text` is no file of Rust items.
    pub(super) fn new(text: &str) -> syn::Result<Parsed> {
        let without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
        let body = match shebang(without_mark) {
            Some(length) => &without_mark[length..],
            None => without_mark,
        };
        Ok(Parsed {
            file: syn::parse_str(body)?,
            offset: text.len() - body.len(),
        })
    }

    /// The bytes of the file that `span` covers.
    pub(super) fn bytes(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        range.start + self.offset..range.end + self.offset
    }
}

/// Length of a first line that is for the shell, its end left out. `#![…]` is none.
fn shebang(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("#!")?;
    if rest.trim_start().starts_with('[') {
        return None;
    }
    Some(text.find('\n').unwrap_or(text.len()))
}
