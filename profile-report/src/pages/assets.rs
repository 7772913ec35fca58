//! The style sheet and the scripts of the pages, which stand in the pages themselves.

/// The style sheet of every page.
pub(crate) const STYLE: &str = include_str!("../../templates/style.css");

/// What all pages with tables can do: sorting.
pub(crate) const SORT_SCRIPT: &str = include_str!("../../templates/sort.js");

/// Puts the scripts of a page with a chart together: what such pages share, and its own.
macro_rules! scripts {
    ($own:literal) => {
        concat!(
            include_str!("../../templates/sort.js"),
            include_str!("../../templates/numbers.js"),
            include_str!("../../templates/chart.js"),
            include_str!(concat!("../../templates/", $own)),
            include_str!("../../templates/table.js"),
        )
    };
}
pub(super) use scripts;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::contrast;

    /// The value of a colour in the light (first) or the dark (second) scheme.
    fn colour(name: &str, scheme: usize) -> u32 {
        let (_, value) = STYLE
            .match_indices(&format!("--{name}: #"))
            .map(|(at, found)| (at, &STYLE[at + found.len()..]))
            .nth(scheme)
            .unwrap();
        u32::from_str_radix(&value[..6], 16).unwrap()
    }

    #[test]
    fn text_can_be_read_on_every_ground_in_both_schemes() {
        let code =
            ["comment", "string", "keyword", "number", "macro"].map(|kind| format!("code-{kind}"));
        let others = ["ink", "muted", "link", "peak", "heap"].map(str::to_owned);
        for scheme in [0, 1] {
            for text in code.iter().chain(&others) {
                for ground in ["page", "card", "hover", "lit"] {
                    let reached = contrast(colour(text, scheme), colour(ground, scheme));
                    assert!(
                        reached >= 4.5,
                        "{text} on {ground} in scheme {scheme}: {reached:.2}"
                    );
                }
            }
        }
    }
}
