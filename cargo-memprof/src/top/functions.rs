//! The table of functions.

use memprof_model::run::FunctionProfile;
use memprof_report::text::{duration, mib, signed_mib, truncate, visible, width};
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
const NUMBERS: [Sort; 4] = [Sort::Peak, Sort::Net, Sort::Calls, Sort::Time];
/// The order in which they stand.
const ORDER: [Sort; 4] = [Sort::Calls, Sort::Time, Sort::Net, Sort::Peak];

/// Draws as many functions as there is room for, the selected one among them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let columns = usize::from(area.width);
    let fitting = columns.saturating_sub(LEAST_NAME + 2) / NUMBER;
    let shown: Vec<Sort> = ORDER
        .into_iter()
        .filter(|sort| NUMBERS.iter().take(fitting).any(|fits| fits == sort))
        .collect();
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

fn heading(state: &State, shown: &[Sort], name: usize) -> Line<'static> {
    let title = |sort: Sort, text: &str| {
        let mark = match sort {
            _ if sort != state.sort => "",
            Sort::Name => "▲",
            _ => "▼",
        };
        format!("{text}{mark}")
    };
    let mut text = format!("  {}", padded(&title(Sort::Name, "function"), name));
    for &sort in shown {
        let unit = match sort {
            Sort::Net => "net MiB",
            Sort::Peak => "peak MiB",
            _ => sort.name(),
        };
        text.push_str(&format!("{:>NUMBER$}", title(sort, unit)));
    }
    Line::styled(text, state.theme.quiet())
}

fn line(state: &State, function: &FunctionProfile, shown: &[Sort], name: usize) -> Line<'static> {
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
        .map(|&sort| format!("{:>NUMBER$}", number(function, sort)))
        .collect();
    Line::from(vec![
        Span::styled(mark, style),
        Span::styled(padded(&visible(&function.label), name), style),
        Span::styled(numbers, figures),
    ])
}

fn number(function: &FunctionProfile, sort: Sort) -> String {
    match sort {
        Sort::Peak => mib(function.peak_rss),
        Sort::Net => signed_mib(function.net_rss),
        Sort::Time => duration(function.time_ns),
        Sort::Calls => function.calls.to_string(),
        Sort::Name => String::new(),
    }
}

/// `text` in just so many columns.
fn padded(text: &str, columns: usize) -> String {
    let text = truncate(text, columns);
    let missing = columns.saturating_sub(width(&text));
    text + &" ".repeat(missing)
}
