//! A plot as a page, one file that loads nothing.

use askama::Template;

use super::fill::fill;
use crate::error::ReportError;
use crate::text::visible::visible;

#[derive(Template)]
#[template(path = "plot.html")]
struct PlotPage<'a> {
    title: String,
    chart: &'a str,
}

/// A chart that [`plot`](crate::plot()) drew, as a page under `title`.
///
/// # Errors
/// When the template cannot be filled, which would be a defect of memprof.
pub fn plot_page(title: &str, chart: &str) -> Result<String, ReportError> {
    fill(&PlotPage {
        title: visible(title),
        chart,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stays_text() {
        let page = plot_page("<script>alert(1)</script>", "<svg></svg>").unwrap();
        assert!(!page.contains("<script>alert") && page.contains("<svg></svg>"));
    }
}
