//! Sentences that quote source: parts of words and of code.

/// Part of a sentence: plain words, or source to be set as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Words.
    Words(String),
    /// A quotation from the source.
    Code(String),
}

/// Sentences as plain text, code in backquotes.
pub(crate) fn plain(parts: Vec<Part>) -> String {
    let plain = |part| match part {
        Part::Words(words) => words,
        Part::Code(code) => format!("`{code}`"),
    };
    parts.into_iter().map(plain).collect()
}
