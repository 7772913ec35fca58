//! The line table of the selected function.

use memprof_model::run::FunctionProfile;
use memprof_report::line_table;
use memprof_report::text::{truncate, visible};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::state::{Pane, State};
use super::window::window;

/// Columns of the mark before a row.
const MARK: usize = 2;

/// Draws the function's name, and as many lines as there is room for, the selected one among them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let Some(function) = state.selected() else {
        return;
    };
    let columns = usize::from(area.width).saturating_sub(MARK);
    let table = line_table(function).width(columns).parts();
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        frame.render_widget(title(state, function, columns), row);
    }
    if let Some(row) = rows.next() {
        let heading = format!("  {}", table.heading);
        frame.render_widget(Line::styled(heading, state.theme.quiet()), row);
    }
    let numbers: Vec<u32> = table.rows.iter().map(|(number, _)| *number).collect();
    let selected = state.line_at(&numbers);
    let running = state.running_lines();
    let changed = state.changed_lines(function);
    let room = usize::from(area.height.saturating_sub(2));
    let first = window(numbers.len(), selected, room);
    let shown = table.rows.into_iter().enumerate().skip(first);
    for ((at, (number, text)), row) in shown.zip(rows.by_ref()) {
        let style = if changed.contains(&number) {
            state.theme.changed()
        } else {
            Style::new()
        };
        let mark = if running.contains(&number) {
            "▶ "
        } else {
            "  "
        };
        let mut line = Line::from(vec![
            Span::styled(mark, state.theme.running()),
            Span::styled(text, style),
        ]);
        let has_keys = state.pane == Pane::Lines;
        if at == selected && (has_keys || state.has_line()) {
            line = line.patch_style(state.theme.selected(has_keys));
        }
        frame.render_widget(line, row);
    }
    // A note may have several lines; what there is no room for is in the reports.
    let notes = table.notes.iter().flat_map(|note| note.lines());
    for (note, row) in notes.zip(rows) {
        let note = format!("  {}", truncate(note, columns));
        frame.render_widget(Line::styled(note, state.theme.quiet()), row);
    }
}

/// Which function it is, and where.
fn title(state: &State, function: &FunctionProfile, columns: usize) -> Line<'static> {
    let name = truncate(&visible(&function.name), columns);
    let place = format!("  {}:{}", visible(&function.file), function.line);
    Line::from(vec![
        Span::styled(name, state.theme.title()),
        Span::styled(place, state.theme.quiet()),
    ])
}
