//! A comparison as text for terminals.

use anstyle::{AnsiColor, Style};

use super::compare::Diff;
use super::shown::{Row, columns, left_out, rows};
use super::verdict;
use crate::text::sentence::plain;
use crate::text::table::text_table;
use crate::text::visible::{truncate, width, wrapped};

const BRAND: Style = AnsiColor::Cyan.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const GROWN: Style = AnsiColor::Red.on_default();
const SHRUNK: Style = AnsiColor::Green.on_default();
/// What stands behind the numbers has this many columns, if that can be had by leaving out numbers …
const LEAST_TEXT: usize = 24;
/// … of these columns, in this order. A peak stays.
const FIRST_TO_GO: [&str; 5] = ["calls, hits", "time", "net MiB", "allocated", "heap net"];
/// The most columns of a function's name.
const WHAT: usize = 32;

/// `diff` as a table under a few sentences, with ANSI colours; `columns` wide at most where that can
/// be: a narrow terminal shows fewer figures.
///
/// Print it through `anstream`, which takes the colours out again for pipes and `NO_COLOR`.
#[must_use]
pub fn text(diff: &Diff, columns: usize) -> String {
    let mut lines = vec![format!(
        "{BRAND}memprof{BRAND:#}  {}",
        truncate(&verdict::runs(diff), columns.saturating_sub(9))
    )];
    lines.extend(sentence(&verdict::process(diff), columns));
    lines.extend(sentence(&plain(verdict::worst(diff)), columns));
    lines.extend(table(diff, columns));
    if left_out(diff) > 0 {
        lines.push(quiet(&format!("  … and {} more functions", left_out(diff))));
    }
    let remarks = verdict::remarks(diff).into_iter();
    lines.extend(
        remarks
            .flat_map(|remark| sentence(remark, columns))
            .map(|line| quiet(&line)),
    );
    lines.join("\n")
}

/// A sentence in lines of so many columns, where its words allow that.
fn sentence(text: &str, columns: usize) -> Vec<String> {
    let lines = wrapped(text, "  ", columns.saturating_sub(2));
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

fn quiet(text: &str) -> String {
    format!("{QUIET}{text}{QUIET:#}")
}

/// The heading and the rows.
fn table(diff: &Diff, columns: usize) -> Vec<String> {
    let rows = rows(diff);
    if rows.is_empty() {
        return vec![quiet("  no annotated function was called in either run")];
    }
    let mut figures = fitting_figures(diff, &rows, columns).into_iter();
    let heading = figures.next().unwrap_or_default();
    let mut lines = vec![quiet(&format!("  {heading}"))];
    for (row, figures) in rows.iter().zip(figures) {
        let left = columns.saturating_sub(width(&figures) + 4);
        let line = format!("  {figures}  {}", truncate(&row.text, left));
        lines.push(match row.growth {
            1.. => format!("{GROWN}{}{GROWN:#}", line.trim_end()),
            0 => line.trim_end().to_owned(),
            _ => format!("{SHRUNK}{}{SHRUNK:#}", line.trim_end()),
        });
    }
    lines
}

/// The [`figures`] for which there is room beside the text.
fn fitting_figures(diff: &Diff, rows: &[Row], room: usize) -> Vec<String> {
    let mut left_out: Vec<&str> = Vec::new();
    let mut to_go = FIRST_TO_GO.iter();
    loop {
        let figures = figures(diff, rows, &left_out, WHAT.min(room / 3));
        let used = figures.first().map_or(0, |heading| width(heading));
        match to_go.next() {
            Some(next) if used + 4 + LEAST_TEXT > room => left_out.push(next),
            _ => return figures,
        }
    }
}

/// The heading and a text for each row, all of one width, without the figures `left_out`; names have
/// `what` columns.
fn figures(diff: &Diff, rows: &[Row], left_out: &[&str], what: usize) -> Vec<String> {
    let titles = columns(diff);
    let shown: Vec<bool> = titles
        .iter()
        .map(|column| !left_out.contains(&column.title))
        .collect();
    let titles = titles.iter().zip(&shown).filter(|(_, shown)| **shown);
    let titles = titles.flat_map(|(column, _)| [column.title, "change"]);
    let heading = ["function, line"].into_iter().chain(titles);
    let rows = rows.iter().map(|row| {
        let indent = if row.is_function { "" } else { "  " };
        let what = format!("{indent}{}", truncate(&row.what, what));
        let cells = row.cells.iter().zip(&shown).filter(|(_, shown)| **shown);
        let cells = cells.flat_map(|(cell, _)| [cell.after.clone(), cell.change.clone()]);
        [what].into_iter().chain(cells).collect()
    });
    text_table(heading.map(str::to_owned).collect(), rows)
}
