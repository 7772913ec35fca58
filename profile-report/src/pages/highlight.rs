//! Colours for Rust source: splits lines into tokens, well enough for reading, never wrong enough to
//! lose a character.

/// What a piece of source is, by the name of its CSS class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything that is not coloured.
    Plain,
    /// A keyword, `true`, `false`, `self`.
    Keyword,
    /// A string, byte string or character.
    Text,
    /// A comment.
    Comment,
    /// A number.
    Number,
    /// A macro's name with its `!`, or an attribute's `#[`.
    Macro,
}

impl Kind {
    /// The CSS class; empty for plain text.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Keyword => "k",
            Self::Text => "s",
            Self::Comment => "c",
            Self::Number => "d",
            Self::Macro => "m",
        }
    }
}

/// A piece of a line.
pub(crate) type Token = (Kind, String);

const KEYWORDS: [&str; 39] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern",
    "false", "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub",
    "ref", "return", "self", "Self", "static", "struct", "super", "trait", "true", "type",
    "unsafe", "use", "where", "while", "yield",
];

/// Remembers, from line to line, whether a comment or a string is still open.
#[derive(Debug, Default)]
pub(crate) struct Highlighter {
    open: Open,
}

/// What a line begins in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    /// A block comment, this deep.
    Comment(usize),
    /// A string.
    Text,
    /// A raw string with this many `#`.
    RawText(usize),
}

impl Highlighter {
    /// The tokens of the next line; put together they are the line.
    pub(crate) fn line(&mut self, line: &str) -> Vec<Token> {
        let mut tokens: Vec<Token> = Vec::new();
        let mut rest = line;
        while !rest.is_empty() {
            let before = tokens.last().and_then(|(_, text)| text.chars().next_back());
            let (kind, length) = self.next(rest, before);
            let (token, after) = rest.split_at(length);
            match tokens.last_mut() {
                Some((last, text)) if *last == kind => text.push_str(token),
                _ => tokens.push((kind, token.to_owned())),
            }
            rest = after;
        }
        tokens
    }

    /// The kind and the length of the token at the start of `rest`, which is not empty.
    fn next(&mut self, rest: &str, before: Option<char>) -> (Kind, usize) {
        match self.open {
            Open::Comment(depth) => (Kind::Comment, self.comment(rest, depth)),
            Open::Text => (Kind::Text, self.text(rest, 0)),
            Open::RawText(hashes) => (Kind::Text, self.raw_text(rest, 0, hashes)),
            Open::Nothing => self.code(rest, before),
        }
    }

    fn code(&mut self, rest: &str, before: Option<char>) -> (Kind, usize) {
        let first = rest.chars().next().unwrap_or_default();
        if rest.starts_with("//") {
            return (Kind::Comment, rest.len());
        }
        if rest.starts_with("/*") {
            return (Kind::Comment, self.comment(rest, 0));
        }
        if let Some((opening, hashes)) = raw_opening(rest) {
            return (Kind::Text, self.raw_text(rest, opening, hashes));
        }
        if let Some(opening) = ["\"", "b\"", "c\""]
            .iter()
            .find(|opening| rest.starts_with(**opening))
        {
            return (Kind::Text, self.text(rest, opening.len()));
        }
        if let Some(length) = character(rest) {
            return (Kind::Text, length);
        }
        if rest.starts_with("#[") || rest.starts_with("#![") {
            return (
                Kind::Macro,
                rest.find(']').map_or(rest.len(), |end| end + 1),
            );
        }
        if first.is_ascii_digit() && !before.is_some_and(is_word) {
            return (Kind::Number, number(rest));
        }
        if is_word(first) {
            return word(rest);
        }
        (Kind::Plain, first.len_utf8())
    }

    /// Length of the comment at the start of `rest`, which is `depth` deep already.
    fn comment(&mut self, rest: &str, mut depth: usize) -> usize {
        let bytes = rest.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes.get(at..at + 2) {
                Some(b"/*") => (depth, at) = (depth + 1, at + 2),
                Some(b"*/") => (depth, at) = (depth.saturating_sub(1), at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                self.open = Open::Nothing;
                return at;
            }
        }
        self.open = Open::Comment(depth);
        at
    }

    /// Length of the string at the start of `rest`, whose opening takes `from` bytes.
    fn text(&mut self, rest: &str, from: usize) -> usize {
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < from) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    self.open = Open::Nothing;
                    return at + 1;
                }
                _ => {}
            }
        }
        self.open = Open::Text;
        rest.len()
    }

    fn raw_text(&mut self, rest: &str, from: usize, hashes: usize) -> usize {
        let closing = format!("\"{}", "#".repeat(hashes));
        match rest[from..].find(&closing) {
            Some(at) => {
                self.open = Open::Nothing;
                from + at + closing.len()
            }
            None => {
                self.open = Open::RawText(hashes);
                rest.len()
            }
        }
    }
}

/// Length of a raw string's opening and its number of `#`.
fn raw_opening(rest: &str) -> Option<(usize, usize)> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    Some((prefix.len() + hashes + 1, hashes))
}

/// Length of a character literal; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let from = if rest.starts_with("b'") { 2 } else { 1 };
    let inside = rest
        .strip_prefix("b'")
        .or_else(|| rest.strip_prefix('\''))?;
    let first = inside.chars().next()?;
    if first == '\\' {
        let after = inside
            .char_indices()
            .nth(2)
            .map_or(inside.len(), |(at, _)| at);
        return inside[after..].find('\'').map(|end| from + after + end + 1);
    }
    let length = first.len_utf8();
    inside[length..]
        .starts_with('\'')
        .then_some(from + length + 1)
}

fn number(rest: &str) -> usize {
    let mut length = 0;
    for (at, c) in rest.char_indices() {
        // A point belongs to the number unless a range or a method follows.
        let point = c == '.' && rest[at + 1..].starts_with(|next: char| next.is_ascii_digit());
        if !(is_word(c) || point) {
            break;
        }
        length = at + c.len_utf8();
    }
    length
}

fn word(rest: &str) -> (Kind, usize) {
    let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let after = &rest[length..];
    let kind = if KEYWORDS.contains(&&rest[..length]) {
        Kind::Keyword
    } else if after.starts_with('!') && !after.starts_with("!=") {
        return (Kind::Macro, length + 1);
    } else {
        Kind::Plain
    };
    (kind, length)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(source: &str) -> String {
        let mut highlighter = Highlighter::default();
        let lines = source.lines().map(|line| {
            let tokens = highlighter.line(line).into_iter();
            tokens
                .map(|(kind, text)| match kind {
                    Kind::Plain => text,
                    kind => format!("{}<{text}>", kind.class()),
                })
                .collect::<String>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rust_is_recognised() {
        let source = r##"#[inline] fn f<'a>(x: &'a str) -> u8 { // note
    let s = "a \" b"; let c = 'x'; let n = '\u{1b}'; let b = b'\'';
    println!("{}", 1_000.5e3 + 0xFFu8 as f64); for i in 0..10 { x.0.g(); }
    let raw = r#"one
two "quoted" // not a comment"#; /* a /* nested */
still */ if a != b { self.r#type }"##;
        insta::assert_snapshot!(shown(source));
    }

    proptest! {
        #[test]
        fn no_character_is_lost(lines in prop::collection::vec("[a-z'\"#/*\\\\r!0-9.ß{} ]{0,30}", 0..6)) {
            let mut highlighter = Highlighter::default();
            for line in &lines {
                let joined: String = highlighter.line(line).into_iter().map(|(_, text)| text).collect();
                prop_assert_eq!(&joined, line);
            }
        }
    }
}
