//! A table as plain text: what it is about on the left, numbers to its right.

use comfy_table::{CellAlignment, Table, presets};

/// The heading and each row as a line, all of one width.
pub(crate) fn text_table(
    heading: Vec<String>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(heading);
    table.add_rows(rows);
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if i == 0 { 0 } else { 2 }, 0));
        column.set_cell_alignment(if i == 0 {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        });
    }
    table.lines().collect()
}
