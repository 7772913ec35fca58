//! Which functions are meant.

/// A part of a path, or a whole path with `*` for any text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: &str) -> Pattern {
        Pattern(text.to_owned())
    }

    /// Whether it means the function at `path`, `crate::module::Type::function`. With `*` it has to match
    /// the whole path, with or without the crate's name; otherwise to be a part of it.
    pub(crate) fn matches(&self, path: &str) -> bool {
        if !self.0.contains('*') {
            return path.contains(&self.0);
        }
        let inside = path.split_once("::").map_or(path, |(_, inside)| inside);
        matches(&self.0, path) || matches(&self.0, inside)
    }
}

/// Whether `text` is `pattern` with something in place of each `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_wildcards() {
        let path = "demo::parse::Words::next";
        for pattern in [
            "next",
            "parse::W",
            "demo::",
            "*",
            "*::next",
            "parse::*",
            "demo::parse::*",
            "parse*W*t",
            "p*e::Words::next",
        ] {
            assert!(Pattern::new(pattern).matches(path), "{pattern}");
        }
        for pattern in ["nextt", "parse::*::prev", "*::parse", "Words::*", "*next*x"] {
            assert!(!Pattern::new(pattern).matches(path), "{pattern}");
        }
    }
}
