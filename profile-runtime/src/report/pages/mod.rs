//! The pages: templates filled with text that is ready to be shown. Askama escapes it.

mod chart_data;
mod function_page;
mod index_page;
mod run_page;

pub(crate) use function_page::function_page;
pub(crate) use index_page::index_page;
pub(crate) use run_page::run_page;

use super::ReportError;
use super::units::{mib_unit, signed_mib};

/// The style sheet of every page.
const STYLE: &str = include_str!("../../../templates/style.css");

/// What all pages with tables can do: sorting.
const SHARED_SCRIPT: &str = include_str!("../../../templates/sort.js");

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
fn fill(template: &impl askama::Template) -> Result<String, ReportError> {
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
