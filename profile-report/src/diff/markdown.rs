//! A comparison as Markdown, for a pull request.

use super::compare::Diff;
use super::shown::{Row, columns, left_out, rows};
use super::verdict;
use crate::text::markdown::{code, row, rule, sentences};

/// `diff` as Markdown: a few sentences, and a table of what changed. Names and source are shown as
/// what they are, whatever they contain.
#[must_use]
pub fn markdown(diff: &Diff) -> String {
    let mut text = format!(
        "### Memory: {}\n\n{}\n\n{}\n\n{}",
        code(&verdict::runs(diff)),
        verdict::process(diff),
        sentences(verdict::worst(diff)),
        table(diff),
    );
    if left_out(diff) > 0 {
        text.push_str(&format!("\n… and {} more functions\n", left_out(diff)));
    }
    for remark in verdict::remarks(diff) {
        text.push_str(&format!("\n({remark})\n"));
    }
    text
}

fn table(diff: &Diff) -> String {
    let rows = rows(diff);
    if rows.is_empty() {
        return "No annotated function was called in either run.\n".to_owned();
    }
    let titles = columns(diff);
    let titles = titles.iter().flat_map(|column| [column.title, "change"]);
    let titles: Vec<_> = ["function, line"]
        .into_iter()
        .chain(titles)
        .chain([""])
        .map(str::to_owned)
        .collect();
    let rule = rule(titles.len());
    let body = rows.iter().map(|shown| row(cells(shown)));
    [row(titles), rule].into_iter().chain(body).collect()
}

fn cells(row: &Row) -> impl Iterator<Item = String> {
    let what = if row.is_function {
        format!("**{}**", code(&row.what))
    } else {
        row.what.clone()
    };
    let figures = row
        .cells
        .iter()
        .flat_map(|cell| [cell.after.clone(), cell.change.clone()]);
    [what].into_iter().chain(figures).chain([code(&row.text)])
}
