//! The pages: templates filled with text that is ready to be shown. Askama escapes it.

mod changes_page;
mod chart_data;
mod function_page;
mod growth_section;
mod highlight;
mod index_page;
mod plot_page;
mod run_data;
mod run_page;
mod trend;

pub use changes_page::page as changes_page;
pub(crate) use changes_page::page_in_folder;
pub(crate) use function_page::function_page;
pub(crate) use index_page::index_page;
pub use plot_page::plot_page;
pub(crate) use run_page::run_page;

use crate::error::ReportError;
use crate::text::units::{mib_unit, signed_mib};

/// The style sheet of every page.
pub(crate) const STYLE: &str = include_str!("../../templates/style.css");

/// What all pages with tables can do: sorting.
const SORT_SCRIPT: &str = include_str!("../../templates/sort.js");

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
use scripts;

/// A number that a page shows large.
struct Figure {
    name: &'static str,
    value: String,
    detail: String,
    /// Bytes, so that the script can show them in another unit.
    size: Option<i128>,
    /// Whether a plus is shown.
    signed: bool,
}

impl Figure {
    fn new(name: &'static str, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name,
            value: value.into(),
            detail: detail.into(),
            size: None,
            signed: false,
        }
    }

    fn size(name: &'static str, bytes: u64, detail: impl Into<String>) -> Self {
        Self {
            size: Some(bytes.into()),
            ..Self::new(name, mib_unit(bytes), detail)
        }
    }

    fn change(name: &'static str, bytes: i64, detail: impl Into<String>) -> Self {
        let value = format!("{} MiB", signed_mib(bytes));
        Self {
            size: Some(bytes.into()),
            signed: true,
            ..Self::new(name, value, detail)
        }
    }
}

/// Fills a template.
pub(crate) fn fill(template: &impl askama::Template) -> Result<String, ReportError> {
    template
        .render()
        .map_err(|e| ReportError::render("render a page", e))
}

/// `part` of `whole` in percent, for the width of a bar; at least visible; empty for zero.
fn bar(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return String::new();
    }
    format!(
        "{:.1}",
        (100.0 * part as f64 / whole as f64).clamp(0.5, 100.0)
    )
}

/// A href of the page in `folder`, whatever its name.
fn href(folder: &str, page: &str) -> String {
    let mut href = String::new();
    for byte in folder.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            href.push(char::from(byte));
        } else {
            href.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{href}/{page}")
}

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

    #[test]
    fn names_of_folders_become_safe_links() {
        assert_eq!(
            href("a b\"<ß", "index.html"),
            "a%20b%22%3C%C3%9F/index.html"
        );
    }
}
