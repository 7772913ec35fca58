//! Makes text from other people's sources harmless to show: nothing that moves a cursor, reorders
//! a line or hides itself gets through, and widths can be relied on.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns between tab stops in source text.
const TAB: usize = 4;

/// Returns `text` with control, bidirectional-override and invisible characters spelled out
/// (`\u{202e}`, `\n`), so that it takes one line and reads in the order in which it is written.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

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

/// Whether a reader could not see `c`, or would see the text around it changed by it.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_overrides_are_spelled_out() {
        assert_eq!(
            visible("a\u{1b}[31mb\u{202e}c\nd"),
            "a\\u{1b}[31mb\\u{202e}c\\nd"
        );
    }

    #[test]
    fn tabs_reach_the_next_stop() {
        assert_eq!(source_line("\tx\ty"), "    x   y");
    }

    #[test]
    fn letters_of_any_script_stay() {
        assert_eq!(visible("größe 大小 שלום"), "größe 大小 שלום");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text in "\\PC{0,60}", columns in 0usize..40) {
            prop_assert!(width(&truncate(&text, columns)) <= columns);
        }

        #[test]
        fn nothing_deceptive_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_deceptive));
            prop_assert!(!source_line(&text).chars().any(is_deceptive));
        }
    }
}
