//! What of a [`Diff`] is shown, and how: the same rows in the terminal, in Markdown and on the page.

use std::cmp::{Ordering, Reverse};

use super::change::{Change, Changes};
use super::compare::{Diff, FunctionDiff, LineDiff, Place};
use crate::text::units::{align_points, duration, mib, signed_mib};
use crate::text::visible::{source_line, truncate, visible};

/// The most functions that are shown, and the most lines of each.
const FUNCTIONS: usize = 20;
const LINES: usize = 8;
/// The most columns of a function's name, which may be generic without end.
const NAME: usize = 100;
/// So many are shown when memory changed in none.
const UNCHANGED: usize = 5;
/// Stands for a change that may be noise.
const NOISE: &str = "~";

/// A function or one of its lines, ready to be shown.
pub(crate) struct Row {
    pub(crate) is_function: bool,
    /// The function's label, or the line's number.
    pub(crate) what: String,
    /// One for each of [`columns`].
    pub(crate) cells: Vec<Cell>,
    /// The line's source; of a function what became of it.
    pub(crate) text: String,
    /// By how much its memory grew; negative where it shrank, zero where that may be noise.
    pub(crate) growth: i64,
}

impl Row {
    /// Whether one of its changes may be noise.
    pub(crate) fn has_noise(&self) -> bool {
        self.cells.iter().any(|cell| cell.change.trim() == NOISE)
    }
}

/// A figure in the second run, and its change; blank for zero, and `~` where it may be noise.
pub(crate) struct Cell {
    pub(crate) after: String,
    pub(crate) change: String,
    /// Whether it grew or shrank by more than noise.
    pub(crate) direction: Ordering,
}

/// A figure that is shown.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    of: fn(&Changes) -> Change,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Size,
    Signed,
    Time,
    Count,
}

/// The figures that `diff` has.
pub(crate) fn columns(diff: &Diff) -> Vec<Column> {
    let column = |title, of, kind| Column { title, of, kind };
    let mut columns = Vec::new();
    if diff.before.heap && diff.after.heap {
        columns.push(column("heap peak", |c| c.heap_peak, Kind::Size));
        columns.push(column("heap net", |c| c.heap_net, Kind::Signed));
        columns.push(column("allocated", |c| c.heap_allocated, Kind::Size));
    }
    columns.push(column("peak MiB", |c| c.peak_rss, Kind::Size));
    columns.push(column("net MiB", |c| c.net_rss, Kind::Signed));
    columns.push(column("time", |c| c.time_ns, Kind::Time));
    columns.push(column("calls, hits", |c| c.count, Kind::Count));
    columns
}

/// The rows of the functions that changed, each followed by its lines that did, most important first.
pub(crate) fn rows(diff: &Diff) -> Vec<Row> {
    let columns = columns(diff);
    let mut functions: Vec<_> = changed(diff).take(FUNCTIONS).collect();
    if functions.is_empty() {
        functions = diff.functions.iter().take(UNCHANGED).collect();
    }
    let mut rows = Vec::new();
    for function in functions {
        rows.push(function_row(function, &columns));
        rows.extend(
            changed_lines(function)
                .into_iter()
                .map(|line| line_row(line, &columns)),
        );
    }
    align(&mut rows, &columns);
    rows
}

/// The functions that changed, or are in one of the runs only.
fn changed(diff: &Diff) -> impl Iterator<Item = &FunctionDiff> {
    let is_new = |f: &FunctionDiff| f.before.is_none() || f.after.is_none();
    let functions = diff.functions.iter();
    functions.filter(move |f| f.weight().is_some() || is_new(f))
}

/// How many functions [`rows`] leaves out though they changed.
pub(crate) fn left_out(diff: &Diff) -> usize {
    changed(diff).count().saturating_sub(FUNCTIONS)
}

/// Lines that changed by more than noise, the most important first.
fn changed_lines(function: &FunctionDiff) -> Vec<&LineDiff> {
    let weight = |line: &LineDiff| line.changes.weight();
    let lines = function.lines.iter();
    let mut lines: Vec<_> = lines.filter(|line| weight(line).is_some()).collect();
    lines.sort_by_key(|line| Reverse(weight(line).size()));
    lines.truncate(LINES);
    lines
}

fn function_row(function: &FunctionDiff, columns: &[Column]) -> Row {
    Row {
        is_function: true,
        what: truncate(&visible(&function.label), NAME),
        cells: cells(&function.changes, columns),
        text: became(function),
        growth: function.changes.growth(),
    }
}

fn line_row(line: &LineDiff, columns: &[Column]) -> Row {
    let mut text = source_line(&line.source).trim_start().to_owned();
    if let Some(before) = &line.source_before {
        text.push_str(&format!(" ← {}", source_line(before).trim_start()));
    }
    Row {
        is_function: false,
        what: number(line),
        cells: cells(&line.changes, columns),
        text,
        growth: line.changes.growth(),
    }
}

/// The line's number, and what it was: `45 ← 33`, `45 new`, `33 gone`.
pub(crate) fn number(line: &LineDiff) -> String {
    match (line.before, line.after) {
        (Some(before), Some(after)) if before == after => after.to_string(),
        (Some(before), Some(after)) => format!("{after} ← {before}"),
        (None, Some(after)) => format!("{after} new"),
        (Some(before), None) => format!("{before} gone"),
        (None, None) => String::new(),
    }
}

/// Where the function is now, and where it was if that was elsewhere.
fn became(function: &FunctionDiff) -> String {
    let shown = |place: &Place| {
        format!(
            "{} {}:{}",
            truncate(&visible(&place.name), NAME),
            visible(&place.file),
            place.line
        )
    };
    match (&function.before, &function.after) {
        (Some(before), Some(after))
            if (&before.name, &before.file) == (&after.name, &after.file) =>
        {
            shown(after)
        }
        (Some(before), Some(after)) => format!("{} ← {}", shown(after), shown(before)),
        (None, Some(after)) => format!("{}, only in the second run", shown(after)),
        (Some(before), None) => format!("{}, only in the first run", shown(before)),
        (None, None) => String::new(),
    }
}

fn cells(changes: &Changes, columns: &[Column]) -> Vec<Cell> {
    columns
        .iter()
        .map(|column| cell((column.of)(changes), column.kind))
        .collect()
}

fn cell(change: Change, kind: Kind) -> Cell {
    let nonzero = |figure: i64, shown: &dyn Fn(i64) -> String| {
        if figure == 0 {
            String::new()
        } else {
            shown(figure)
        }
    };
    let (after, by): (&dyn Fn(i64) -> String, &dyn Fn(i64) -> String) = match kind {
        Kind::Size => (&|bytes| mib(bytes.unsigned_abs()), &signed_mib),
        Kind::Signed => (&signed_mib, &signed_mib),
        Kind::Time => (&|ns| duration(ns.unsigned_abs()), &|_| share(change)),
        Kind::Count => (&|count| count.to_string(), &|by| format!("{by:+}")),
    };
    Cell {
        after: nonzero(change.after.unwrap_or(0), after),
        change: match change.counts || matches!(kind, Kind::Count) {
            true => nonzero(change.change, by),
            false => nonzero(change.change, &|_| NOISE.to_owned()),
        },
        direction: change.certain().cmp(&0),
    }
}

/// The change in percent: `+12 %`, `+0.4 %`; empty where nothing was before.
pub(crate) fn share(change: Change) -> String {
    let Some(share) = change.share() else {
        return String::new();
    };
    let percent = 100.0 * share;
    let decimals = usize::from(percent.abs() < 9.95);
    format!("{percent:+.decimals$} %")
}

/// Puts the decimal points of each column below each other.
fn align(rows: &mut [Row], columns: &[Column]) {
    for (i, column) in columns.iter().enumerate() {
        // Durations carry their unit, which differs from row to row.
        if matches!(column.kind, Kind::Time) {
            continue;
        }
        for part in
            [|cell| &mut cell.after, |cell| &mut cell.change] as [fn(&mut Cell) -> &mut String; 2]
        {
            let mut numbers: Vec<_> = rows
                .iter_mut()
                .map(|row| std::mem::take(part(&mut row.cells[i])))
                .collect();
            align_points(&mut numbers);
            rows.iter_mut()
                .zip(numbers)
                .for_each(|(row, number)| *part(&mut row.cells[i]) = number);
        }
    }
}
