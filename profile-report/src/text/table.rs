//! A table as plain text, without borders: each column is as wide as its widest cell.

use comfy_table::{Cell, CellAlignment, Table, presets};

/// Where a column's text stands.
#[derive(Debug, Clone, Copy)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// The heading and each row as a line, all of one width. A column that `aligned` says nothing of stands as
/// the last one does of which it does.
pub fn table<T: Into<Cell>>(
    heading: impl IntoIterator<Item = T>,
    rows: impl IntoIterator<Item = Vec<T>>,
    aligned: &[Align],
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(heading);
    table.add_rows(rows);
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if i == 0 { 0 } else { 2 }, 0));
        column.set_cell_alignment(match aligned.get(i).or(aligned.last()) {
            Some(Align::Right) => CellAlignment::Right,
            _ => CellAlignment::Left,
        });
    }
    table.lines().collect()
}

/// A table of what it is about on the left, and numbers to its right.
pub(crate) fn text_table(
    heading: Vec<String>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Vec<String> {
    table(heading, rows, &[Align::Left, Align::Right])
}
