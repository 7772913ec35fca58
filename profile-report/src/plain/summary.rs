//! The summary that is printed when the program ends: the most expensive functions, and where to look.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use memprof_model::run::{Run, Watched};

use super::function_columns::{FunctionColumn, Kind, function_columns};
use crate::facts::names::Names;
use crate::facts::own::{counts_heap, live_at_end};
use crate::facts::ranking::{Ranked, ranked};
use crate::text::bar::bar;
use crate::text::table::text_table;
use crate::text::units::{align_points, duration, mib_unit};
use crate::text::visible::{source_line, truncate, visible, width, wrapped};
use crate::words::findings::{Finding, findings};
use crate::words::heap_story::in_short;
use crate::words::own_memory;
use crate::words::readings::{no_sampler, sampled_peaks};
use crate::words::watched;
use crate::words::{stopped, untold};

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
/// Columns that a line to look at needs: its number, and source.
const LEAST_LINE: usize = 6 + LEAST_SOURCE;
/// Figures that a narrow terminal does without, the least important first.
const FIRST_TO_GO: [&str; 10] = [
    "time_ns",
    "net_rss",
    "self_heap_allocations",
    "calls",
    "self_net_rss",
    "heap_peak",
    "peak_rss",
    "self_heap_allocated",
    "alive_bytes",
    "self_heap_net",
];
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
    let names = Names::of_run(run);
    let functions = ranked(run);
    let mut text = heading(run, width);
    text.push_str(&first_lines(run, &names, width));
    if let Some(watched) = &run.watched {
        for line in watched_lines(run, watched) {
            text.push_str(&quiet(&truncate(&format!("  {line}"), width)));
            text.push('\n');
        }
    } else if functions.is_empty() {
        text.push_str(&quiet("  no annotated function was called"));
        text.push('\n');
    } else {
        let shown = &functions[..functions.len().min(SHOWN)];
        text.push_str(&table(run, shown, &names, width));
    }
    if functions.len() > SHOWN {
        text.push_str(&quiet(&format!("  … and {} more", functions.len() - SHOWN)));
        text.push('\n');
    }
    for sentence in stopped::sentences(run)
        .into_iter()
        .chain(untold::remark(run))
    {
        for line in wrapped(&sentence, "  ", width.saturating_sub(2)) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    for remark in remarks(run, &functions, &names, width) {
        text.push_str(&quiet(&remark));
        text.push('\n');
    }
    if let Some(remark) = own_memory::remark(run) {
        text.push_str(&quiet(&truncate(&format!("  {remark}"), width)));
        text.push('\n');
    }
    let sampled_peaks = sampled_peaks(run).filter(|_| run.watched.is_none());
    for note in sampled_peaks.into_iter().chain(no_sampler(run)) {
        text.push_str(&quiet(&truncate(&format!("  {note}"), width)));
        text.push('\n');
    }
    if let Some(folder) = folder {
        let index = folder.join("index.html");
        text.push_str(&format!("  {}\n", visible(&index.display().to_string())));
    }
    text.truncate(text.trim_end().len());
    text
}

/// A line for each of what the run comes to on the heap: what it is, how much, which function and line.
fn first_lines(run: &Run, names: &Names, columns: usize) -> String {
    let found = findings(run);
    let place = |finding: &Finding<'_>| {
        let name = label(names.of(&run.functions[finding.index]), LABEL);
        let number = finding.line.map(|line| format!(", line {}", line.line));
        name + &number.unwrap_or_default()
    };
    let widest = |of: &dyn Fn(&Finding<'_>) -> usize| found.iter().map(of).max().unwrap_or(0);
    let title = widest(&|finding| width(finding.title));
    let amount = widest(&|finding| width(&mib_unit(finding.bytes)));
    let detail = widest(&|finding| width(&finding.detail));
    let places = widest(&|finding| width(&place(finding)));
    let used = title + amount + places + 6;
    // The line matters more than in how many pieces it was.
    let has_detail = detail > 0 && used + 2 + detail + 2 + LEAST_SOURCE <= columns;
    let line = |finding: &Finding<'_>| {
        let size = mib_unit(finding.bytes);
        let mut text = format!("  {:title$}  {size:>amount$}", finding.title);
        if has_detail {
            text.push_str(&format!("  {:detail$}", finding.detail));
        }
        text.push_str(&format!("  {:places$}", place(finding)));
        let text = truncate(text.trim_end(), columns);
        let source = finding.line.map_or("", |line| line.source.trim());
        let left = columns.saturating_sub(if has_detail { used + 2 + detail } else { used } + 2);
        if source.is_empty() || left < LEAST_SOURCE {
            return text + "\n";
        }
        let missing = columns - left - width(&text);
        let source = truncate(&source_line(source), left);
        format!("{text}{:missing$}{}\n", "", quiet(&source))
    };
    found.iter().map(line).collect()
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
fn remarks(run: &Run, functions: &[Ranked<'_>], names: &Names, columns: usize) -> Vec<String> {
    let remarks = functions.iter().take(SHOWN).filter_map(|ranked| {
        let name = label(names.of(ranked.function), LABEL);
        let remark = format!("{name}: {}", in_short(run, ranked.function)?);
        Some(wrapped(&remark, "  ", columns.saturating_sub(2)))
    });
    let lines = remarks.take(REMARKS).flatten();
    lines.map(|line| format!("  {line}")).collect()
}

fn heading(run: &Run, columns: usize) -> String {
    let room = columns.saturating_sub(9);
    let program = visible(&run.program);
    let rss = if counts_heap(run) { "peak RSS" } else { "peak" };
    let peak = format!("{rss} {}", mib_unit(run.process.peak_rss));
    let heap = live_at_end(run).map(|bytes| format!(" · live heap {}", mib_unit(bytes)));
    let mut figures = format!(
        "{program} · {}{} · {peak}",
        duration(run.duration_ns),
        heap.unwrap_or_default()
    );
    // The peak is what must be seen.
    if width(&figures) > room {
        figures = format!("{program} · {peak}");
    }
    let (on, off) = (BRAND.render(), BRAND.render_reset());
    format!("{on}memprof{off}  {}\n", truncate(&figures, room))
}

/// One row for each function: the aligned figures, then the line to look at.
fn table(run: &Run, functions: &[Ranked<'_>], names: &Names, columns: usize) -> String {
    let layout = Layout::fitting(run, functions, names, columns);
    let mut figures = layout.figures.iter();
    let top = functions.iter().map(|f| f.bytes).max().unwrap_or(0);
    let mut text = String::new();
    let heading = figures.next().map_or("", String::as_str);
    text.push_str(&quiet(
        format!("  {heading}{}", layout.titles(columns)).trim_end(),
    ));
    text.push('\n');
    for (ranked, row) in functions.iter().zip(figures) {
        let name = label(names.of(ranked.function), layout.label);
        let rest = row.strip_prefix(name.as_str()).unwrap_or(row);
        text.push_str(&format!("  {NAME}{name}{NAME:#}{rest}"));
        if layout.has_bar {
            let bar = bar(ranked.bytes, top, BAR);
            text.push_str(&format!("  {GAUGE}{bar}{GAUGE:#}"));
        }
        text.push_str(&look_at(ranked, columns.saturating_sub(layout.used())));
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
    /// The most that fits beside the beginning of a line to look at: without enough room the bars go first,
    /// then the figures that matter least, and labels become shorter.
    fn fitting(run: &Run, functions: &[Ranked<'_>], names: &Names, columns: usize) -> Self {
        let all = function_columns(run);
        let least = || Self {
            figures: figures(
                functions,
                names,
                &kept(&all, FIRST_TO_GO.len()),
                LEAST_LABEL,
            ),
            label: LEAST_LABEL,
            has_bar: false,
        };
        let room = columns.saturating_sub(LEAST_LINE);
        let labels = [LABEL, LABEL / 2].into_iter();
        let mut layouts = labels.flat_map(|label| {
            let all = &all;
            (0..=FIRST_TO_GO.len()).flat_map(move |gone| {
                [true, false].map(|has_bar| Self {
                    figures: figures(functions, names, &kept(all, gone), label),
                    label,
                    has_bar,
                })
            })
        });
        layouts
            .find(|layout| layout.used() <= room)
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
        let title = ["  line to look at", "  line"]
            .into_iter()
            .find(|title| title.len() <= left);
        format!("{:bar$}{}", "", title.unwrap_or_default())
    }
}

/// The columns without the first `gone` of [`FIRST_TO_GO`]. A peak stays: that of the heap itself, if there is one.
fn kept(columns: &[FunctionColumn], gone: usize) -> Vec<FunctionColumn> {
    let gone = &FIRST_TO_GO[..gone];
    let is_there = |key: &&str| columns.iter().any(|column| column.key == *key);
    let peak = ["self_heap_peak", "heap_peak", "peak_rss"];
    let peak = peak.into_iter().find(|key| is_there(key));
    let stays = |column: &&FunctionColumn| peak == Some(column.key) || !gone.contains(&column.key);
    columns.iter().filter(stays).copied().collect()
}

/// The heading and a row for each function, with the columns that are `kept`.
fn figures(
    functions: &[Ranked<'_>],
    names: &Names,
    kept: &[FunctionColumn],
    longest: usize,
) -> Vec<String> {
    let cells = |column: &FunctionColumn| {
        let shown = |ranked: &Ranked<'_>| match column.kind {
            // What was not called took no time.
            Kind::Time if ranked.function.calls == 0 => String::new(),
            _ => column.shown(ranked.function),
        };
        let mut cells: Vec<_> = functions.iter().map(shown).collect();
        // Durations carry their unit, which differs from row to row.
        if column.kind != Kind::Time {
            align_points(&mut cells);
        }
        cells
    };
    let columns: Vec<_> = kept.iter().map(cells).collect();
    let heading = kept.iter().map(FunctionColumn::heading);
    let heading = ["function".to_owned()].into_iter().chain(heading);
    let rows = functions.iter().enumerate().map(|(i, ranked)| {
        let cells = columns.iter().map(|column| column[i].clone());
        [label(names.of(ranked.function), longest)]
            .into_iter()
            .chain(cells)
            .collect()
    });
    text_table(heading.collect(), rows)
}

fn label(name: &str, longest: usize) -> String {
    truncate(&visible(name), longest)
}

/// The number and the source of the line to look at, in at most `columns`.
fn look_at(ranked: &Ranked<'_>, columns: usize) -> String {
    let Some(line) = ranked.line() else {
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
        quiet(&truncate(source_line(&line.source).trim(), left))
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
    fn a_leak_a_spike_and_churn_are_in_the_first_five_lines() {
        let run = fixture::leaking();
        let at = |columns| plain(&summary(&run, None, columns));
        for columns in [60, 80, 100] {
            let shown = at(columns);
            let first: Vec<_> = shown.lines().take(5).collect();
            for said in ["intern, line 91", "render, line 42", "parse, line 62"] {
                assert!(first.iter().any(|line| line.contains(said)), "{shown}");
            }
        }
        insta::assert_snapshot!(format!("{}\n\n{}\n\n{}", at(100), at(80), at(60)));
    }

    #[test]
    fn functions_of_one_name_are_told_apart() {
        let mut run = fixture::leaking();
        run.functions.truncate(4);
        let shown = plain(&summary(&run, None, 100));
        for name in ["server::run", "db::run", "tick::run"] {
            assert!(shown.contains(name), "{shown}");
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
