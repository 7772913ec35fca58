//! Text from other people's sources in columns: lines of source, widths, and what is cut off.

use memprof_model::internal::is_deceptive;
pub use memprof_model::internal::visible;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns between tab stops in source text.
const TAB: usize = 4;

/// Like [`visible`], for a line of source: tabs become spaces up to the next stop.
pub(crate) fn source_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.trim_end().chars() {
        let from = shown.len();
        if c == '\t' {
            shown.extend(std::iter::repeat_n(' ', TAB - column % TAB));
        } else if is_deceptive(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        column += width(&shown[from..]);
    }
    shown
}

/// Columns that `text` takes in a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Shortens `text` to at most `columns`, ending in `…` where something was cut off.
pub fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let more = c.width().unwrap_or(0);
        if used + more + 1 > columns {
            break;
        }
        used += more;
        kept.push(c);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// A sentence in lines of so many columns, where its words allow that; all but the first begin with
/// `indent`.
pub(crate) fn wrapped(sentence: &str, indent: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{indent}{word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tabs_reach_the_next_stop() {
        assert_eq!(source_line("\tx\ty"), "    x   y");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text in "\\PC{0,60}", columns in 0usize..40) {
            prop_assert!(width(&truncate(&text, columns)) <= columns);
        }

        #[test]
        fn nothing_deceptive_is_left(text in any::<String>()) {
            prop_assert!(!source_line(&text).chars().any(is_deceptive));
        }
    }
}
