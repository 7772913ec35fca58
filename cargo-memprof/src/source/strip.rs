//! Taking the attribute off, with what it brought along: exactly what `annotate` put there, and what a
//! person wrote of its kind.

use std::ops::Range;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, Meta};

use super::edit::remove;
use super::functions::is_skip;
use super::parsed::Parsed;

/// `text` without `#[profile_memory]` and `#[memprof(skip)]`. `None` if it is no file of Rust items.
pub(crate) fn strip(text: &str) -> Option<String> {
    if !text.contains("profile_memory") && !text.contains("memprof") {
        return Some(text.to_owned());
    }
    let parsed = Parsed::new(text).ok()?;
    let mut finder = Finder {
        parsed: &parsed,
        ranges: Vec::new(),
    };
    finder.visit_file(&parsed.file);
    let ranges = finder
        .ranges
        .into_iter()
        .map(|range| with_space(text, range));
    Some(remove(text, ranges.collect()))
}

struct Finder<'a> {
    parsed: &'a Parsed,
    ranges: Vec<Range<usize>>,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_attribute(&mut self, attr: &'ast Attribute) {
        if is_profile_memory(attr) || is_skip(attr) {
            let tokens = attr.to_token_stream().into_iter();
            let spans: Vec<_> = tokens
                .map(|token| self.parsed.bytes(token.span()))
                .collect();
            if let (Some(first), Some(last)) = (spans.first(), spans.last()) {
                self.ranges.push(first.start..last.end);
            }
        }
        visit::visit_attribute(self, attr);
    }
}

/// One behind `cfg_attr` is part of a feature that somebody set up; it stays.
fn is_profile_memory(attr: &Attribute) -> bool {
    let path = attr.path();
    let ours = path.is_ident("profile_memory")
        || path.segments.len() == 2
            && path.segments[0].ident == "memprof"
            && path.segments[1].ident == "profile_memory";
    ours && !matches!(attr.meta, Meta::NameValue(_))
}

/// The whole line where nothing else is on it, otherwise one space more.
fn with_space(text: &str, range: Range<usize>) -> Range<usize> {
    let line = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
    let rest = &text[range.end..];
    let alone = text[line..range.start]
        .chars()
        .all(|c| c == ' ' || c == '\t');
    let end = ["\r\n", "\n"].iter().find(|end| rest.starts_with(**end));
    match end {
        Some(end) if alone => line..range.end + end.len(),
        _ if rest.starts_with(' ') => range.start..range.end + 1,
        _ => range,
    }
}
