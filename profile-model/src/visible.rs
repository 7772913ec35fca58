//! Makes text from anywhere harmless to show: nothing that moves a cursor, reorders a line or hides itself gets through.

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

/// Whether a reader could not see `c`, or would see the text around it changed by it.
pub fn is_deceptive(c: char) -> bool {
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
    fn letters_of_any_script_stay() {
        assert_eq!(visible("größe 大小 שלום"), "größe 大小 שלום");
    }

    proptest! {
        #[test]
        fn nothing_deceptive_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_deceptive));
        }
    }
}
