//! Which known word a misspelled one was meant to be.

/// The word in `known` that is nearest to `word`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|&known| (distance(word, known), known));
    let (distance, known) = near.min_by_key(|&(distance, _)| distance)?;
    let is_part = word.len() >= 3 && (known.contains(word) || word.contains(known));
    (is_part || distance <= 2).then_some(known)
}

/// How many characters have to be inserted, removed or replaced to make one word the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let known = ["interval_ms", "name", "lines", "crate"];
        assert_eq!(nearest("interval", &known), Some("interval_ms"));
        assert_eq!(nearest("intervall_ms", &known), Some("interval_ms"));
        assert_eq!(nearest("line", &known), Some("lines"));
        assert_eq!(nearest("nmae", &known), Some("name"));
        assert_eq!(nearest("krate", &known), Some("crate"));
        assert_eq!(nearest("color", &known), None);
    }
}
