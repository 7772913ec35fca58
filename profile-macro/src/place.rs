//! Where tokens stand in the source: which line a statement or an expression starts and ends on.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The stretch of one file that a profiled body covers.
///
/// A macro can hand us tokens from anywhere: from its own definition, from its caller, from
/// another crate. Only what lies within the stretch has a line of its own; the rest belongs to
/// the line before it.
pub(crate) struct Extent {
    file: String,
    first: u32,
    last: u32,
}

/// The lines that a piece of syntax starts and ends on, where they are known.
#[derive(Clone, Copy)]
pub(crate) struct Lines {
    pub(crate) first: Option<u32>,
    pub(crate) last: Option<u32>,
    /// The first token.
    pub(crate) start: Span,
}

impl Lines {
    /// Whether all of it lies on one known line.
    pub(crate) fn is_one(self) -> bool {
        self.first.is_some() && self.first == self.last
    }
}

impl Extent {
    /// From the line of `start` to the line on which `body` closes, or only the lines of `body`
    /// where the two are not in order in the same file.
    pub(crate) fn new(start: Span, open: Span, close: Span) -> Extent {
        let file = open.file();
        let last = end_line(close);
        let first = if start.file() == file && start_line(start) <= start_line(open) {
            start_line(start)
        } else {
            start_line(open)
        };
        Extent { file, first, last }
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn first_line(&self) -> u32 {
        self.first
    }

    pub(crate) fn last_line(&self) -> u32 {
        self.last
    }

    /// The line that `span` starts on.
    pub(crate) fn line(&self, span: Span) -> Option<u32> {
        self.within(span, start_line(span))
    }

    /// The line that the bracket closes on whose span is `close`. (Its end is what counts: a macro
    /// that rebuilds brackets gives both of them the span of the whole.)
    pub(crate) fn closing_line(&self, close: Span) -> Option<u32> {
        self.within(close, end_line(close))
    }

    /// The lines that `syntax` covers, leading attributes left out.
    pub(crate) fn lines(&self, syntax: &impl ToTokens) -> Lines {
        let mut edges = Edges::default();
        edges.take(syntax.to_token_stream());
        Lines {
            first: edges.first.and_then(|span| self.line(span)),
            last: edges.last.and_then(|span| self.closing_line(span)),
            start: edges.first.unwrap_or_else(Span::call_site),
        }
    }

    fn within(&self, span: Span, line: u32) -> Option<u32> {
        let inside = (self.first..=self.last).contains(&line) && line > 0;
        (inside && span.file() == self.file).then_some(line)
    }
}

/// The spans of the first and the last token of a stream.
#[derive(Default)]
struct Edges {
    first: Option<Span>,
    last: Option<Span>,
}

impl Edges {
    fn take(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            match token {
                // An attribute or a doc comment; no statement begins with `#` otherwise.
                TokenTree::Punct(punct) if self.first.is_none() && punct.as_char() == '#' => {
                    tokens.next();
                }
                // Invisible brackets around what a macro matched: what counts is inside.
                TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                    self.take(group.stream());
                }
                TokenTree::Group(group) => self.reach(group.span_open(), group.span_close()),
                token => self.reach(token.span(), token.span()),
            }
        }
    }

    fn reach(&mut self, first: Span, last: Span) {
        self.first.get_or_insert(first);
        self.last = Some(last);
    }
}

fn start_line(span: Span) -> u32 {
    u32::try_from(span.start().line).unwrap_or(0)
}

fn end_line(span: Span) -> u32 {
    u32::try_from(span.end().line).unwrap_or(0)
}
