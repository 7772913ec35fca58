//! A comparison as text for terminals.

use anstyle::{AnsiColor, Style};

use super::compare::Diff;
use super::shown::{Row, columns, left_out, rows};
use super::verdict;
use crate::report::story::plain;
use crate::report::text_table::text_table;
use crate::report::visible::{truncate, width};

const BRAND: Style = AnsiColor::Cyan.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const GROWN: Style = AnsiColor::Red.on_default();
const SHRUNK: Style = AnsiColor::Green.on_default();
/// What stands behind the numbers keeps this many columns, also in a terminal that is too narrow.
const LEAST_TEXT: usize = 24;
/// The most columns of a function's name.
const WHAT: usize = 32;

/// `diff` as a table under a few sentences, with ANSI colours; `columns` wide at most where that can
/// be.
///
/// Print it through `anstream`, which takes the colours out again for pipes and `NO_COLOR`.
#[must_use]
pub fn text(diff: &Diff, columns: usize) -> String {
    let mut lines = vec![
        format!(
            "{BRAND}memprof{BRAND:#}  {}",
            truncate(&verdict::runs(diff), columns.saturating_sub(9))
        ),
        format!("  {}", verdict::process(diff)),
        format!("  {}", plain(verdict::worst(diff))),
    ];
    lines.extend(table(diff, columns));
    if left_out(diff) > 0 {
        lines.push(quiet(&format!("  … and {} more functions", left_out(diff))));
    }
    lines.extend(
        verdict::remarks(diff)
            .iter()
            .map(|remark| quiet(&format!("  {remark}"))),
    );
    lines.join("\n")
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
    let mut figures = figures(diff, &rows).into_iter();
    let heading = figures.next().unwrap_or_default();
    let mut lines = vec![quiet(&format!("  {heading}"))];
    for (row, figures) in rows.iter().zip(figures) {
        let left = columns.saturating_sub(width(&figures) + 4).max(LEAST_TEXT);
        let line = format!("  {figures}  {}", truncate(&row.text, left));
        lines.push(match row.growth {
            1.. => format!("{GROWN}{}{GROWN:#}", line.trim_end()),
            0 => line.trim_end().to_owned(),
            _ => format!("{SHRUNK}{}{SHRUNK:#}", line.trim_end()),
        });
    }
    lines
}

/// The heading and a text for each row, all of one width.
fn figures(diff: &Diff, rows: &[Row]) -> Vec<String> {
    let titles = columns(diff);
    let titles = titles.iter().flat_map(|column| [column.title, "change"]);
    let heading = ["function, line"].into_iter().chain(titles);
    let rows = rows.iter().map(|row| {
        let indent = if row.is_function { "" } else { "  " };
        let what = format!("{indent}{}", truncate(&row.what, WHAT));
        let cells = row
            .cells
            .iter()
            .flat_map(|cell| [cell.after.clone(), cell.change.clone()]);
        [what].into_iter().chain(cells).collect()
    });
    text_table(heading.map(str::to_owned).collect(), rows)
}
