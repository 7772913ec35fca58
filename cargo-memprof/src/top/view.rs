//! What the screen shows: a function of the state and of the screen's size.

use memprof_report::text::{duration, mib_unit, truncate, visible, width};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Clear, Paragraph};

use super::state::{End, Pane, State};
use super::{functions, lines, timeline};

/// With fewer rows there is no curve.
const LEAST_FOR_CURVE: u16 = 14;
/// With fewer rows there is only the part of the screen that keys act on.
const LEAST_FOR_BOTH: u16 = 12;
/// Heading and some functions.
const LEAST_FUNCTIONS: u16 = 4;

const HELP: &str = "\
↑ ↓  k j      up and down
PgUp PgDn     ten rows
Home End  g G first and last
Enter  → l    the lines of the function
Esc    ← h    back to the functions
Tab           from one to the other
s S           order by rank, a figure,
              or name, and back
f             follow the line that runs
p Space       hold still, go on
q Ctrl-C      leave

● ▶ running now, ○ with suspended calls.
Bold: changed since the look before.
━ when the function ran.";

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let [bar, notice, curve, functions, lines, footer] = parts(frame.area(), state);
    frame.render_widget(title(state, bar.width), bar);
    frame.render_widget(Line::styled(said(state), state.theme.notice()), notice);
    timeline::draw(frame, curve, state);
    functions::draw(frame, functions, state);
    lines::draw(frame, lines, state);
    frame.render_widget(keys(state, footer.width), footer);
    if state.help {
        help(frame, state);
    }
}

/// The parts of the screen from top to bottom; those without room have no rows.
fn parts(area: Rect, state: &State) -> [Rect; 6] {
    let notice = u16::from(!said(state).is_empty());
    let curve = match area.height {
        0..LEAST_FOR_CURVE => 0,
        height => (height / 4).clamp(4, 12),
    };
    let left = area.height.saturating_sub(2 + notice + curve);
    let wanted = u16::try_from(state.run.functions.len() + 1).unwrap_or(u16::MAX);
    let functions = match state.pane {
        _ if area.height >= LEAST_FOR_BOTH => wanted.min((left * 2 / 5).max(LEAST_FUNCTIONS)),
        Pane::Functions => left,
        Pane::Lines => 0,
    };
    Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(notice),
        Constraint::Length(curve),
        Constraint::Length(functions),
        Constraint::Length(left.saturating_sub(functions)),
        Constraint::Length(1),
    ])
    .areas(area)
}

/// The program, how long it has been measured, and its memory.
fn title(state: &State, columns: u16) -> Line<'static> {
    let run = &state.run;
    let now = run.series.last().copied();
    let mut parts = vec![
        visible(&run.program),
        format!("pid {}", run.pid),
        duration(run.duration_ns),
        format!("now {}", mib_unit(now.map_or(0, |sample| sample.rss))),
        format!("peak {}", mib_unit(run.process.peak_rss)),
    ];
    if let Some(heap) = now.and_then(|sample| sample.heap) {
        parts.push(format!("heap {}", mib_unit(heap)));
    }
    let columns = usize::from(columns);
    let joined = |parts: &[String]| format!(" {}", parts.join(" · "));
    // Without room the process number goes first, then the time: memory is what it is about.
    for least in [format!("pid {}", run.pid), duration(run.duration_ns)] {
        if width(&joined(&parts)) > columns {
            parts.retain(|part| *part != least);
        }
    }
    let text = joined(&parts);
    let text = truncate(&text, columns);
    let missing = columns.saturating_sub(width(&text));
    Line::styled(text + &" ".repeat(missing), state.theme.bar())
}

/// What the user must know: that the program has ended, or that the view holds still.
fn said(state: &State) -> &'static str {
    match state.end {
        Some(End::Finished) => " The program has ended. These are the final figures; q leaves.",
        Some(End::Killed) => {
            " It ended without reports, at ▶. `cargo memprof recover` writes them; q leaves."
        }
        None if state.paused => " Holding still; p goes on.",
        None => "",
    }
}

fn keys(state: &State, columns: u16) -> Line<'static> {
    let enter = match state.pane {
        Pane::Functions => "Enter lines",
        Pane::Lines => "Esc functions",
    };
    let text = format!(
        " ↑↓ move  {enter}  s order: {}  p pause  ? help  q quit",
        state.sort_name()
    );
    let short = format!(" ↑↓  {enter}  ? help  q quit");
    let fits = width(&text) <= usize::from(columns);
    Line::styled(if fits { text } else { short }, state.theme.quiet())
}

fn help(frame: &mut Frame<'_>, state: &State) {
    let text = Text::raw(HELP);
    let (columns, rows) = (text.width() + 4, text.height() + 2);
    let [columns, rows] = [columns, rows].map(|size| u16::try_from(size).unwrap_or(u16::MAX));
    let area = frame
        .area()
        .centered(Constraint::Length(columns), Constraint::Length(rows));
    let block = Block::bordered()
        .title(" keys ")
        .title_style(state.theme.title());
    frame.render_widget(Clear, area);
    frame.render_widget(
        Paragraph::new(text).block(block.padding(ratatui::widgets::Padding::horizontal(1))),
        area,
    );
}

#[cfg(test)]
mod tests {
    use super::super::program::Look;
    use super::super::test_run::{counted, run, state};
    use super::super::{State, Theme};
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Buffer;
    use ratatui::style::{Color, Modifier};

    fn drawn(state: &State, columns: u16, rows: u16) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        terminal
    }

    fn buffer(state: &State) -> Buffer {
        drawn(state, 80, 24).backend().buffer().clone()
    }

    /// Which rows of the screen have `modifier` in the column of the first figures.
    fn rows_with(buffer: &Buffer, modifier: Modifier) -> Vec<u16> {
        let area = buffer.area;
        (0..area.height)
            .filter(|&row| buffer[(4, row)].modifier.contains(modifier))
            .collect()
    }

    #[test]
    fn in_a_terminal_of_the_usual_size() {
        insta::assert_snapshot!(drawn(&state(), 80, 24).backend());
    }

    #[test]
    fn in_a_large_terminal_with_the_lines_of_what_runs() {
        let mut state = state();
        state.select(1);
        state.pane = Pane::Lines;
        insta::assert_snapshot!(drawn(&state, 120, 40).backend());
    }

    #[test]
    fn the_heap_comes_first_where_it_is_counted() {
        let mut state = state();
        state.take(Look::Working(Box::new(counted())));
        insta::assert_snapshot!(drawn(&state, 80, 24).backend());
        let wide = drawn(&state, 140, 30).backend().to_string();
        for title in ["kept MiB", "self peak", "alloc MiB", "allocs", "net RSS"] {
            assert!(wide.contains(title), "{wide}");
        }
    }

    #[test]
    fn in_a_narrow_terminal() {
        insta::assert_snapshot!(drawn(&state(), 44, 20).backend());
    }

    #[test]
    fn in_a_low_terminal_only_what_has_the_keys_is_shown() {
        let mut state = state();
        let functions = drawn(&state, 60, 8);
        state.pane = Pane::Lines;
        let lines = drawn(&state, 60, 8);
        insta::assert_snapshot!(format!("{}\n{}", functions.backend(), lines.backend()));
    }

    #[test]
    fn help_lies_over_it() {
        let mut state = state();
        state.help = true;
        insta::assert_snapshot!(drawn(&state, 80, 24).backend());
    }

    #[test]
    fn the_end_is_said_and_nothing_runs_then() {
        let mut state = state();
        let mut last = run();
        last.functions[1].calls = 7;
        state.take(Look::Finished(Box::new(last)));
        let screen = drawn(&state, 80, 24).backend().to_string();
        assert!(
            screen.contains("has ended. These are the final figures"),
            "{screen}"
        );
        assert!(!screen.contains(['●', '▶']), "{screen}");
        assert!(!state.wants_news());

        let mut state = super::super::test_run::state();
        state.take(Look::Silent);
        assert!(state.wants_news());
        state.take(Look::Killed(None));
        let screen = drawn(&state, 80, 24).backend().to_string();
        assert!(screen.contains("cargo memprof recover"), "{screen}");
        for known in ["lengths", "● wait"] {
            assert!(
                screen.contains(known),
                "what was last known stays\n{screen}"
            );
        }
    }

    #[test]
    fn what_has_changed_is_bold_and_the_selected_row_reversed() {
        let mut state = state();
        let quiet = buffer(&state);
        assert_eq!(
            rows_with(&quiet, Modifier::BOLD),
            [11],
            "the function's name"
        );
        assert_eq!(rows_with(&quiet, Modifier::REVERSED), [0, 8]);
        let mut later = run();
        let lengths = &mut later.functions[0];
        assert_eq!(lengths.label, "lengths");
        lengths.calls += 1;
        lengths.lines[1].hits += 1;
        state.take(Look::Working(Box::new(later)));
        let now = buffer(&state);
        assert_eq!(rows_with(&now, Modifier::BOLD).len(), 2, "the line as well");
        let figures = (74, 8);
        assert!(now[figures].modifier.contains(Modifier::BOLD));
        assert!(!quiet[figures].modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn without_colours_there_are_none_and_with_them_the_text_is_the_same() {
        let (mut plain, coloured) = (state(), state());
        plain.theme = Theme::new(false);
        let (plain, coloured) = (buffer(&plain), buffer(&coloured));
        let all = |cells: &Buffer| cells.content.iter().all(|cell| cell.fg == Color::Reset);
        assert!(all(&plain) && !all(&coloured));
        let text =
            |cells: &Buffer| -> String { cells.content.iter().map(|c| c.symbol()).collect() };
        assert_eq!(text(&plain), text(&coloured));
    }

    #[test]
    fn every_size_and_every_run_can_be_drawn() {
        let mut empty = state();
        empty.run.functions.clear();
        empty.run.series.clear();
        empty.run.stopped.clear();
        empty.run.duration_ns = 0;
        let mut odd = state();
        odd.run.program = "\u{1b}[31m大きい".repeat(40);
        odd.run.series[0].t_ns = u64::MAX;
        odd.run.functions[0].call_records[0].end_ns = 0;
        odd.run.functions[0].call_records[0].start_ns = u64::MAX;
        odd.run.stopped[0].function = 99;
        for mut state in [state(), empty, odd] {
            for pane in [Pane::Functions, Pane::Lines] {
                state.pane = pane;
                state.help = pane == Pane::Lines;
                for columns in [1, 2, 3, 8, 9, 12, 16, 29, 80] {
                    for rows in [1, 2, 3, 5, 8, 11, 12, 13, 14, 24, 60] {
                        let terminal = drawn(&state, columns, rows);
                        assert!(!terminal.backend().to_string().contains('\u{1b}'));
                    }
                }
            }
        }
    }
}
