//! The summary that is printed when the program ends: the most expensive functions, and where to look.

use std::cmp::Reverse;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use memprof_model::run::{FunctionProfile, PeakMethod, Run, Watched};

use crate::facts::rows::highest;
use crate::text::bar::bar;
use crate::text::table::text_table;
use crate::text::units::{align_points, duration, mib, mib_unit, signed_mib};
use crate::text::visible::{source_line, truncate, visible, width, wrapped};
use crate::words::heap_story::in_short;
use crate::words::stopped;
use crate::words::watched;

/// The most functions that are shown.
const SHOWN: usize = 10;
/// The most columns that a function's label takes.
const LABEL: usize = 32;
/// It is never cut shorter than this.
const LEAST_LABEL: usize = 10;
/// Cells of the bar that compares peaks.
const BAR: usize = 8;
/// Source that would be cut shorter than this is left out.
const LEAST_SOURCE: usize = 12;
/// The most functions of which is said how their heap differs from RSS.
const REMARKS: usize = 3;

const BRAND: Style = AnsiColor::Cyan.on_default().bold();
const QUIET: Style = Style::new().dimmed();
const NAME: Style = Style::new().bold();
const GAUGE: Style = AnsiColor::Cyan.on_default();

/// A few lines that say what `run` found, `width` columns wide at most, with ANSI colours.
///
/// Print it through `anstream`, which takes the colours out again for pipes and `NO_COLOR`.
/// `folder` is the run's folder, as [`write`](crate::write()) returned it.
pub fn summary(run: &Run, folder: Option<&Path>, width: usize) -> String {
    let functions = most_expensive(run);
    let mut text = heading(run, width);
    if let Some(watched) = &run.watched {
        for line in watched_lines(run, watched) {
            text.push_str(&quiet(&truncate(&format!("  {line}"), width)));
            text.push('\n');
        }
    } else if functions.is_empty() {
        text.push_str(&quiet("  no annotated function was called"));
        text.push('\n');
    } else {
        text.push_str(&table(&functions[..functions.len().min(SHOWN)], width));
    }
    if functions.len() > SHOWN {
        text.push_str(&quiet(&format!("  … and {} more", functions.len() - SHOWN)));
        text.push('\n');
    }
    for sentence in stopped::sentences(run) {
        text.push_str(&format!("  {sentence}\n"));
    }
    for remark in remarks(&functions, width) {
        text.push_str(&quiet(&remark));
        text.push('\n');
    }
    if run.peak_method == PeakMethod::Sampled && run.watched.is_none() {
        let note = "  peaks are from samples: short temporaries are not seen";
        text.push_str(&quiet(&truncate(note, width)));
        text.push('\n');
    }
    if let Some(folder) = folder {
        let index = folder.join("index.html");
        text.push_str(&format!("  {}\n", visible(&index.display().to_string())));
    }
    text.truncate(text.trim_end().len());
    text
}

/// How the process was watched, what became of it, and its children.
fn watched_lines(run: &Run, watched: &Watched) -> Vec<String> {
    let sampler = run.sampler;
    let samples = format!("{} of {} samples", sampler.ticks_taken, sampler.ticks_due);
    let mut lines = vec![
        format!("ended: {}", watched::ended(watched)),
        format!("{}: {samples}", watched::how(run, watched)),
    ];
    let children = watched::children(watched);
    let more = children.len().saturating_sub(SHOWN);
    lines.extend(children.into_iter().take(SHOWN));
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    lines
}

/// How heap and RSS of the first functions differ, where they do.
fn remarks(functions: &[&FunctionProfile], columns: usize) -> Vec<String> {
    let remarks = functions.iter().take(SHOWN).filter_map(|function| {
        let remark = format!("{}: {}", label(function, LABEL), in_short(function)?);
        Some(wrapped(&remark, "  ", columns.saturating_sub(2)))
    });
    let lines = remarks.take(REMARKS).flatten();
    lines.map(|line| format!("  {line}")).collect()
}

/// The functions with the highest peaks first; of equal ones the slowest.
fn most_expensive(run: &Run) -> Vec<&FunctionProfile> {
    let mut functions: Vec<_> = run.functions.iter().collect();
    functions.sort_by_key(|f| (Reverse(f.peak_rss), Reverse(f.time_ns)));
    functions
}

fn heading(run: &Run, columns: usize) -> String {
    let room = columns.saturating_sub(9);
    let program = visible(&run.program);
    let peak = format!("peak {}", mib_unit(run.process.peak_rss));
    let mut figures = format!("{program} · {} · {peak}", duration(run.duration_ns));
    // The peak is what must be seen.
    if width(&figures) > room {
        figures = format!("{program} · {peak}");
    }
    let (on, off) = (BRAND.render(), BRAND.render_reset());
    format!("{on}memprof{off}  {}\n", truncate(&figures, room))
}

/// One row for each function: the aligned figures, then the line to look at.
fn table(functions: &[&FunctionProfile], columns: usize) -> String {
    let layout = Layout::fitting(functions, columns);
    let mut figures = layout.figures.iter();
    let top = functions.iter().map(|f| f.peak_rss).max().unwrap_or(0);
    let mut text = String::new();
    let heading = figures.next().map_or("", String::as_str);
    text.push_str(&quiet(
        format!("  {heading}{}", layout.titles(columns)).trim_end(),
    ));
    text.push('\n');
    for (function, row) in functions.iter().zip(figures) {
        let name = label(function, layout.label);
        let rest = row.strip_prefix(name.as_str()).unwrap_or(row);
        text.push_str(&format!("  {NAME}{name}{NAME:#}{rest}"));
        if layout.has_bar {
            let bar = bar(function.peak_rss, top, BAR);
            text.push_str(&format!("  {GAUGE}{bar}{GAUGE:#}"));
        }
        text.push_str(&look_at(function, columns.saturating_sub(layout.used())));
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// What of the table a terminal has room for.
struct Layout {
    /// The heading and a row for each function, all of one width.
    figures: Vec<String>,
    /// The most columns that a label takes.
    label: usize,
    has_bar: bool,
}

impl Layout {
    /// The most that fits: without enough room the bars go first, then time, calls and net, and labels
    /// become shorter.
    fn fitting(functions: &[&FunctionProfile], columns: usize) -> Self {
        let kept = [
            &["calls", "time", "net MiB", "peak MiB"][..],
            &["calls", "net MiB", "peak MiB"],
            &["net MiB", "peak MiB"],
            &["peak MiB"],
        ];
        let layouts = [LABEL, LABEL / 2].into_iter().flat_map(|label| {
            kept.into_iter().flat_map(move |kept| {
                [true, false].map(|has_bar| Self {
                    figures: figures(functions, kept, label),
                    label,
                    has_bar,
                })
            })
        });
        let least = || Self {
            figures: figures(functions, &["peak MiB"], LEAST_LABEL),
            label: LEAST_LABEL,
            has_bar: false,
        };
        layouts
            .into_iter()
            .find(|layout| layout.used() <= columns)
            .unwrap_or_else(least)
    }

    /// Columns that a row takes without the line to look at.
    fn used(&self) -> usize {
        let figures = self.figures.first().map_or(0, |row| width(row));
        2 + figures + if self.has_bar { 2 + BAR } else { 0 }
    }

    /// The titles behind the figures, as far as there is room.
    fn titles(&self, columns: usize) -> String {
        let bar = if self.has_bar { BAR + 2 } else { 0 };
        let left = columns.saturating_sub(self.used());
        let title = ["  highest line", "  line"]
            .into_iter()
            .find(|title| title.len() <= left);
        format!("{:bar$}{}", "", title.unwrap_or_default())
    }
}

/// The heading and a row for each function, with the columns that are `kept`.
fn figures(functions: &[&FunctionProfile], kept: &[&str], longest: usize) -> Vec<String> {
    let column = |show: &dyn Fn(&FunctionProfile) -> String| {
        let mut cells: Vec<_> = functions.iter().map(|f| show(f)).collect();
        align_points(&mut cells);
        cells
    };
    let blank_zero = |zero: bool, shown: String| if zero { String::new() } else { shown };
    let cells = |title: &str| match title {
        "calls" => column(&|f| blank_zero(f.calls == 0, f.calls.to_string())),
        // Durations carry their unit, which differs from row to row.
        "time" => functions
            .iter()
            .map(|f| blank_zero(f.calls == 0, duration(f.time_ns)))
            .collect(),
        "net MiB" => column(&|f| blank_zero(f.net_rss == 0, signed_mib(f.net_rss))),
        _ => column(&|f| blank_zero(f.peak_rss == 0, mib(f.peak_rss))),
    };
    let columns: Vec<_> = kept.iter().map(|title| cells(title)).collect();
    let heading = ["function"].iter().chain(kept);
    let rows = functions.iter().enumerate().map(|(i, function)| {
        let cells = columns.iter().map(|column| column[i].clone());
        [label(function, longest)]
            .into_iter()
            .chain(cells)
            .collect()
    });
    text_table(heading.map(|&title| title.to_owned()).collect(), rows)
}

fn label(function: &FunctionProfile, longest: usize) -> String {
    truncate(&visible(&function.label), longest)
}

/// The number and the source of the line with the highest peak, in at most `columns`.
fn look_at(function: &FunctionProfile, columns: usize) -> String {
    let Some(line) = highest(function) else {
        return String::new();
    };
    let number = line.line.to_string();
    let left = columns.saturating_sub(number.len() + 3);
    if left < LEAST_SOURCE {
        return if number.len() + 2 <= columns {
            format!("  {number}")
        } else {
            String::new()
        };
    }
    format!(
        "  {number} {}",
        quiet(&truncate(&source_line(line.source.trim()), left))
    )
}

fn quiet(text: &str) -> String {
    format!("{QUIET}{text}{QUIET:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn the_demo() {
        let text = summary(
            &fixture::inverse(),
            Some(Path::new("target/memprof/demo-20260301-140509-4242")),
            100,
        );
        insta::assert_snapshot!(plain(&text));
    }

    #[test]
    fn most_expensive_first_and_capped() {
        let text = plain(&summary(&fixture::crowd(14, 60), None, 100));
        assert!(text.contains("… and 4 more"), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn no_row_is_wider_than_the_terminal() {
        for (name, run) in fixture::all() {
            for columns in [40, 60, 80, 100, 200] {
                let text = plain(&summary(&run, None, columns));
                for line in text.lines() {
                    assert!(width(line) <= columns, "{name} at {columns}: {line}");
                }
            }
        }
    }

    #[test]
    fn narrow_terminals_have_the_peaks() {
        let at = |columns| plain(&summary(&fixture::crowd(14, 60), None, columns));
        insta::assert_snapshot!(format!("{}\n\n{}", at(60), at(40)));
    }

    #[test]
    fn labels_cannot_send_codes_to_the_terminal() {
        let text = summary(&fixture::hostile(), None, 100);
        assert!(!plain(&text).contains(['\u{1b}', '\u{202e}']));
    }

    #[test]
    fn heap_that_differs_from_rss() {
        insta::assert_snapshot!(plain(&summary(&fixture::apart(), None, 100)));
        // Figures are not cut off where there is less room.
        let narrow = plain(&summary(&fixture::apart(), None, 44));
        let words: Vec<_> = narrow.split_whitespace().collect();
        let said = plain(&summary(&fixture::apart(), None, 200));
        for remark in said
            .lines()
            .filter(|line| line.contains(" MiB ") && line.contains(": "))
        {
            let remark: Vec<_> = remark.split_whitespace().collect();
            assert!(
                words.windows(remark.len()).any(|part| part == remark),
                "{narrow}"
            );
        }
    }

    #[test]
    fn a_process_that_was_watched_from_outside() {
        insta::assert_snapshot!(plain(&summary(&fixture::watched(), None, 100)));
    }

    #[test]
    fn a_run_without_calls_says_so() {
        insta::assert_snapshot!(plain(&summary(&fixture::nothing(), None, 80)));
    }
}
