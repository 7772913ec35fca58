//! The section of a function's page that tells how it grows with the size of its input.

use memprof_model::run::FunctionProfile;

use crate::chart::growth_chart;
use crate::error::ReportError;
use crate::words::growth;
use crate::words::growth::Grown;

/// What `growth.html` shows.
pub(super) struct GrowthSection {
    pub(super) heading: String,
    /// An SVG element.
    pub(super) chart: String,
    /// The headings of the predictions.
    pub(super) ahead: Vec<String>,
    pub(super) rows: Vec<Grown>,
}

impl GrowthSection {
    /// The heading of a prediction; empty where there is none.
    pub(super) fn heading_of(&self, column: &usize) -> &str {
        self.ahead.get(*column).map_or("", String::as_str)
    }
}

/// That of the function that is called `name`; `None` without `by = …`.
pub(super) fn growth_section(
    profile: &FunctionProfile,
    name: &str,
) -> Result<Option<GrowthSection>, ReportError> {
    let rows = growth::grown(profile);
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(GrowthSection {
        heading: growth::heading(profile),
        chart: growth_chart(profile, name, &rows)?,
        ahead: growth::ahead(&rows),
        rows,
    }))
}
