//! A comparison as a page, one file that loads nothing.

use askama::Template;

use super::compare::Diff;
use super::shown::{Row, columns, left_out, rows};
use super::verdict;
use crate::report::ReportError;
use crate::report::pages::fill;
use crate::report::story::Part;

/// `diff` as a page.
///
/// # Errors
/// When the template cannot be filled, which would be a defect of memprof.
pub fn page(diff: &Diff) -> Result<String, ReportError> {
    fill(&DiffPage {
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
    runs: String,
    process: String,
    worst: Vec<Part>,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    left_out: usize,
    remarks: Vec<&'static str>,
}

impl DiffPage {
    /// The class of a row's changes.
    fn direction(row: &Row) -> &'static str {
        match row.growth {
            1.. => "grown",
            0 => "",
            _ => "shrunk",
        }
    }
}
