//! The table of functions.

use memprof_model::run::FunctionProfile;
use memprof_report::internal::FunctionColumn;
use memprof_report::text::{truncate, visible, width};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::state::{Pane, Sort, State};
use super::window::window;

/// Columns of a number, the space before it included.
const NUMBER: usize = 11;
/// A name keeps this many columns.
const LEAST_NAME: usize = 14;
/// Numbers, the most important first: a narrow terminal does without the last ones.
const NUMBERS: [&str; 11] = [
    "self_heap_peak",
    "alive_bytes",
    "self_heap_net",
    "self_heap_allocated",
    "peak_rss",
    "net_rss",
    "heap_peak",
    "calls",
    "time_ns",
    "self_net_rss",
    "self_heap_allocations",
];

/// Draws as many functions as there is room for, the selected one among them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let columns = usize::from(area.width);
    let fitting = columns.saturating_sub(LEAST_NAME + 2) / NUMBER;
    let shown = fitting_columns(state.columns(), fitting);
    let name = columns.saturating_sub(2 + shown.len() * NUMBER);
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        frame.render_widget(heading(state, &shown, name), row);
    }
    let functions = state.functions();
    let selected = state.selected_at();
    let room = usize::from(area.height.saturating_sub(1));
    let first = window(functions.len(), selected, room);
    for ((at, function), row) in functions.iter().enumerate().skip(first).zip(rows) {
        let mut line = line(state, function, &shown, name);
        if at == selected {
            line = line.patch_style(state.theme.selected(state.pane == Pane::Functions));
        }
        frame.render_widget(line, row);
    }
}

/// The most important of `columns`, at most so many, where they stand.
fn fitting_columns(mut columns: Vec<FunctionColumn>, most: usize) -> Vec<FunctionColumn> {
    let place = |column: &FunctionColumn| NUMBERS.iter().position(|key| *key == column.key);
    let mut places: Vec<_> = columns.iter().map(place).collect();
    places.sort_unstable();
    let kept = &places[..most.min(places.len())];
    columns.retain(|column| kept.contains(&place(column)));
    columns
}

fn heading(state: &State, shown: &[FunctionColumn], name: usize) -> Line<'static> {
    let mark = |is_order: bool, mark: &'static str| if is_order { mark } else { "" };
    let first = format!("function{}", mark(state.sort == Sort::Name, "▲"));
    let mut text = format!("  {}", padded(&first, name));
    for column in shown {
        let mark = mark(state.sort == Sort::Figure(column.key), "▼");
        text.push_str(&format!("{:>NUMBER$}", column.heading() + mark));
    }
    Line::styled(text, state.theme.quiet())
}

fn line(
    state: &State,
    function: &FunctionProfile,
    shown: &[FunctionColumn],
    name: usize,
) -> Line<'static> {
    let running = state.is_running(function);
    let (mark, style) = if running {
        ("● ", state.theme.running())
    } else if function.suspended > 0 {
        ("○ ", state.theme.running())
    } else {
        ("  ", Style::new())
    };
    let figures = if state.has_changed(function) {
        state.theme.changed()
    } else {
        Style::new()
    };
    let numbers: String = shown
        .iter()
        .map(|column| format!("{:>NUMBER$}", column.shown(function)))
        .collect();
    Line::from(vec![
        Span::styled(mark, style),
        Span::styled(padded(&visible(state.name(function)), name), style),
        Span::styled(numbers, figures),
    ])
}

/// `text` in just so many columns.
fn padded(text: &str, columns: usize) -> String {
    let text = truncate(text, columns);
    let missing = columns.saturating_sub(width(&text));
    text + &" ".repeat(missing)
}
