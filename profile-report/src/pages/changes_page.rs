//! A comparison as a page, one file that loads nothing.

use std::cmp::Ordering;

use askama::Template;

use super::fill::fill;
use crate::diff::compare::Diff;
use crate::diff::shown::{Cell, Row, columns, left_out, rows};
use crate::diff::verdict;
use crate::error::ReportError;
use crate::text::sentence::Part;
use crate::text::visible::visible;

/// `diff` as a page.
///
/// # Errors
/// When the template cannot be filled, which would be a defect of memprof.
pub fn page(diff: &Diff) -> Result<String, ReportError> {
    render(diff, None)
}

/// The same as a file in the folder of the second run, with links to its page and the index.
pub(crate) fn page_in_folder(diff: &Diff) -> Result<String, ReportError> {
    render(diff, Some(visible(&diff.after.program)))
}

fn render(diff: &Diff, beside: Option<String>) -> Result<String, ReportError> {
    fill(&DiffPage {
        beside,
        runs: verdict::runs(diff),
        process: verdict::process(diff),
        worst: verdict::worst(diff),
        columns: columns(diff).iter().map(|column| column.title).collect(),
        rows: rows(diff),
        left_out: left_out(diff),
        remarks: verdict::remarks(diff),
    })
}

#[derive(Template)]
#[template(path = "diff.html")]
struct DiffPage {
    /// The program whose page is beside this one.
    beside: Option<String>,
    runs: String,
    process: String,
    worst: Vec<Part>,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    left_out: usize,
    remarks: Vec<&'static str>,
}

impl DiffPage {
    /// The class of a change.
    fn direction(cell: &Cell) -> &'static str {
        match cell.direction {
            Ordering::Greater => " grown",
            Ordering::Equal => "",
            Ordering::Less => " shrunk",
        }
    }
}
