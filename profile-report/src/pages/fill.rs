//! A template and what it is filled with become a page.

use crate::error::ReportError;

/// Fills a template.
pub(super) fn fill(template: &impl askama::Template) -> Result<String, ReportError> {
    template
        .render()
        .map_err(|e| ReportError::render("render a page", e))
}
