//! The memory of the process over time, and when the selected function ran.

use memprof_model::run::{Call, Run, Sample};
use memprof_report::text::{duration, mib};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::State;

/// Columns of the numbers beside the curve.
const LABELS: usize = 8;
const EIGHTHS: [char; 8] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// Draws the curve; the last row is the axis of time, thick where the selected function ran.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let width = usize::from(area.width).saturating_sub(LABELS);
    let rows = usize::from(area.height).saturating_sub(1);
    if width == 0 || rows == 0 {
        return;
    }
    let heights = heights(&state.run, width);
    let top = heights.iter().copied().max().unwrap_or(0);
    let mut lines: Vec<Line<'_>> = (0..rows)
        .map(|row| {
            let label = match row {
                0 => mib(top),
                _ if row + 1 == rows => "MiB".to_owned(),
                _ => String::new(),
            };
            let curve: String = heights
                .iter()
                .map(|&height| cell(height, top, rows, row))
                .collect();
            Line::from(vec![
                Span::styled(label_of(&label), state.theme.quiet()),
                Span::styled(curve, state.theme.curve()),
            ])
        })
        .collect();
    lines.push(axis(state, width));
    for (line, row) in lines.into_iter().zip(area.rows()) {
        frame.render_widget(line, row);
    }
}

fn label_of(text: &str) -> String {
    format!("{text:>w$} ", w = LABELS - 1)
}

/// The highest memory in each of `width` slices of the time; where there is no sample, what was last seen.
fn heights(run: &Run, width: usize) -> Vec<u64> {
    let mut slices: Vec<Option<(u64, u64)>> = vec![None; width];
    for &Sample { t_ns, rss, .. } in &run.series {
        let slice = &mut slices[place(t_ns, run.duration_ns, width)];
        let highest = slice.map_or(rss, |(highest, _)| highest.max(rss));
        *slice = Some((highest, rss));
    }
    let mut last = 0;
    slices
        .into_iter()
        .map(|slice| {
            let (highest, now) = slice.unwrap_or((last, last));
            last = now;
            highest
        })
        .collect()
}

/// In which of `width` slices of `all_ns` this moment is.
fn place(t_ns: u64, all_ns: u64, width: usize) -> usize {
    let place = u128::from(t_ns) * width as u128 / u128::from(all_ns.max(1));
    usize::try_from(place).map_or(width - 1, |place| place.min(width - 1))
}

/// What the curve has in this row, of which the first is the highest.
fn cell(height: u64, top: u64, rows: usize, row: usize) -> char {
    if top == 0 {
        return ' ';
    }
    let filled = (height as f64 / top as f64 * (rows * 8) as f64).round() as usize;
    match filled.saturating_sub((rows - 1 - row) * 8) {
        8.. => '█',
        eighths => EIGHTHS[eighths],
    }
}

fn axis(state: &State, width: usize) -> Line<'static> {
    let end = duration(state.run.duration_ns);
    let mut line = vec![Span::styled(label_of("0"), state.theme.quiet())];
    let Some(length) = width
        .checked_sub(end.chars().count() + 1)
        .filter(|&n| n > 0)
    else {
        return Line::from(line);
    };
    let calls = state.selected().into_iter().flat_map(|f| f.read_calls());
    for running in running(calls, state.run.duration_ns, length).chunk_by(|a, b| a == b) {
        let (mark, style) = if running[0] {
            ("━", state.theme.running())
        } else {
            ("─", state.theme.quiet())
        };
        line.push(Span::styled(mark.repeat(running.len()), style));
    }
    line.push(Span::styled(format!(" {end}"), state.theme.quiet()));
    Line::from(line)
}

/// In which of `length` slices of the time one of the calls was in progress.
fn running<'a>(calls: impl Iterator<Item = &'a Call>, all_ns: u64, length: usize) -> Vec<bool> {
    let mut running = vec![false; length];
    for call in calls {
        let first = place(call.start_ns, all_ns, length);
        let last = place(call.end_ns, all_ns, length);
        running[first..=last.max(first)].fill(true);
    }
    running
}

#[cfg(test)]
mod tests {
    use super::super::test_run::run;
    use super::*;
    use memprof_model::data;

    #[test]
    fn a_short_peak_is_not_lost_among_many_samples() {
        let mut run = run();
        run.duration_ns = 1_000;
        run.series = (0..1_000)
            .map(|t_ns| {
                data!(Sample {
                    t_ns,
                    rss: if t_ns == 555 { 900 } else { 100 },
                    heap: None,
                })
            })
            .collect();
        let heights = heights(&run, 10);
        assert_eq!(heights, [100, 100, 100, 100, 100, 900, 100, 100, 100, 100]);
    }

    #[test]
    fn where_no_sample_is_the_last_one_holds() {
        let mut run = run();
        run.duration_ns = 100;
        let samples = [(20, 5), (25, 3), (90, 1)];
        run.series = samples
            .map(|(t_ns, rss)| {
                data!(Sample {
                    t_ns,
                    rss,
                    heap: None,
                })
            })
            .to_vec();
        assert_eq!(heights(&run, 10), [0, 0, 5, 3, 3, 3, 3, 3, 3, 1]);
    }

    #[test]
    fn cells_fill_from_below() {
        let column = |height| {
            (0..2)
                .map(|row| cell(height, 16, 2, row))
                .collect::<String>()
        };
        assert_eq!([0, 1, 8, 9, 16].map(column), ["  ", " ▁", " █", "▁█", "██"]);
        assert_eq!(cell(0, 0, 1, 0), ' ');
    }
}
