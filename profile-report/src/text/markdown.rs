//! Markdown in which names and source are shown as what they are.

use super::sentence::Part;
use super::visible::visible;

/// `text` as code: nothing in it is markup, a mention or a link. Also right in a table.
pub(crate) fn code(text: &str) -> String {
    let text = visible(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A row of a table; the cells are Markdown already.
pub(crate) fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<_> = cells
        .into_iter()
        .map(|cell| cell.trim().to_owned())
        .collect();
    format!("| {} |\n", cells.join(" | "))
}

/// The line under a table's heading: text in the first and the last column, between them numbers.
pub(crate) fn rule(columns: usize) -> String {
    let numbers = (2..columns).map(|_| "---:".to_owned());
    row(["---".to_owned()]
        .into_iter()
        .chain(numbers)
        .chain(["---".to_owned()]))
}

/// Sentences; what they quote is code.
pub(crate) fn sentences(parts: Vec<Part>) -> String {
    let shown = |part| match part {
        Part::Words(words) => words,
        Part::Code(quoted) => code(&quoted),
    };
    parts.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays_code() {
        assert_eq!(code("a::f"), "`a::f`");
        assert_eq!(code("`x` | y"), "`` `x` \\| y ``");
        assert_eq!(code("a\nb"), "`a\\nb`");
        assert_eq!(code(" "), "");
    }

    #[test]
    fn tables() {
        let cells = ["a ", "1", " b"].map(str::to_owned);
        assert_eq!(row(cells), "| a | 1 | b |\n");
        assert_eq!(rule(3), "| --- | ---: | --- |\n");
    }
}
