//! Sentences with holes: what a sentence looks like, and what stands in its holes.

use std::collections::HashMap;

/// What stands in the holes of a sentence, by their names.
pub(super) type Holes<'text> = HashMap<&'static str, &'text str>;

/// The rest of `text` behind one that looks like `template`, whose holes are names in braces; `None` if it does not
/// begin so. A hole holds as little as possible, and no backquote but in code.
pub(super) fn begins<'text>(
    text: &'text str,
    template: &'static str,
) -> Option<(Holes<'text>, &'text str)> {
    let mut holes = Holes::new();
    let mut pieces = template.split('{');
    let mut rest = text.strip_prefix(pieces.next()?)?;
    for piece in pieces {
        let (name, literal) = piece.split_once('}')?;
        let end = match literal {
            "" => rest.len(),
            literal => rest.find(literal)?,
        };
        holes.insert(name, &rest[..end]);
        rest = &rest[end + literal.len()..];
    }
    Some((holes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_have_what_stands_between_the_words() {
        let (holes, rest) = begins("a 7 MiB b. next", "a {size} b. ").unwrap();
        assert_eq!((holes["size"], rest), ("7 MiB", "next"));
        assert!(begins("b 7", "a {size}").is_none());
        assert_eq!(begins("a 7", "a {size}").unwrap().0["size"], "7");
    }
}
