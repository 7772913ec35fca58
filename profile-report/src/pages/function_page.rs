//! `<function>.html`: what one function did: in words, in figures, over time, and line by line.

use askama::Template;
use memprof_model::run::{FunctionProfile, Line, Run};

use super::assets::scripts;
use super::bar::bar;
use super::chart_data::chart_data;
use super::figure::Figure;
use super::fill::fill;
use super::growth_section::{GrowthSection, growth_section};
use super::highlight::{Highlighter, Token};
use crate::chart::activity;
use crate::error::ReportError;
use crate::facts::highest_call::shown_call;
use crate::facts::rows::{Row, highest, in_part, is_shared, marks, rows};
use crate::facts::rss_and_heap::others_show;
use crate::plain::columns::has_elsewhere;
use crate::plain::text_page::facts;
use crate::text::sentence::Part;
use crate::text::units::{TimeUnit, align_points, count, duration, mib, signed_mib};
use crate::text::visible::{source_line, visible};
use crate::words::heap_story::{Remark, remarks};
use crate::words::spread::{self, SpreadRow};
use crate::words::story::tell;

/// The page of `profile`, with `chart` (an SVG element) in it; `stem` is the name of its files
/// without extension.
pub(crate) fn function_page(
    run: &Run,
    profile: &FunctionProfile,
    stem: &str,
    chart: &str,
) -> Result<String, ReportError> {
    fill(&FunctionPage {
        program: visible(&run.program),
        title: visible(&profile.label),
        name: visible(&profile.name),
        file: visible(&profile.file),
        line: profile.line,
        story: tell(run, profile),
        figures: figures(profile),
        chart,
        has_heap: profile.series.iter().any(|sample| sample.heap.is_some()),
        table: LineTable::new(profile),
        spread: spread::rows(profile),
        growth: growth_section(profile)?,
        remarks: remarks(run, profile),
        facts: facts(run, profile),
        file_stem: stem,
        data: chart_data(run, profile)?,
        script: SCRIPT,
    })
}

#[derive(Template)]
#[template(path = "function.html")]
struct FunctionPage<'a> {
    program: String,
    title: String,
    name: String,
    file: String,
    line: u32,
    story: Vec<Part>,
    figures: Vec<Figure>,
    chart: &'a str,
    has_heap: bool,
    table: LineTable,
    /// How its calls are spread.
    spread: Vec<SpreadRow>,
    /// How it grows with its input.
    growth: Option<GrowthSection>,
    /// Where heap and RSS part.
    remarks: Vec<Remark>,
    facts: Vec<(&'static str, String)>,
    /// Name of the sibling files without extension.
    file_stem: &'a str,
    /// JSON, safe inside a script element.
    data: String,
    script: &'static str,
}

/// What makes the chart and the table one thing.
const SCRIPT: &str = scripts!("function.js");

fn figures(profile: &FunctionProfile) -> Vec<Figure> {
    let each = profile
        .time_ns
        .checked_div(profile.calls)
        .map(|ns| format!("{} each", duration(ns)));
    let when = profile.peak_at.map(|at| match at.line {
        Some(line) => format!("above entry, on line {line}"),
        None => "above entry".to_owned(),
    });
    let mut figures = vec![
        Figure::new(
            "calls",
            count(profile.calls),
            match profile.panics {
                0 if profile.threads > 1 => format!("on {} threads", profile.threads),
                0 => String::new(),
                n => format!("{n} ended by a panic"),
            },
        ),
        Figure::new(
            "time",
            duration(profile.time_ns),
            each.filter(|_| profile.calls > 1).unwrap_or_default(),
        ),
        Figure::size("peak", profile.peak_rss, when.unwrap_or_default()),
        Figure::change("net", profile.net_rss, "kept after all calls"),
        Figure::size("largest RSS", profile.max_rss, "of the process"),
    ];
    if let Some(heap) = profile.heap {
        figures.push(Figure::size(
            "heap peak",
            heap.peak,
            format!("{} allocations", count(heap.allocations)),
        ));
    }
    if profile.suspended > 0 {
        let held = format!("holding {} MiB of heap", signed_mib(profile.suspended_heap));
        let held = Some(held).filter(|_| profile.suspended_heap != 0);
        figures.push(Figure::new(
            "suspended",
            count(profile.suspended),
            held.unwrap_or_default(),
        ));
    }
    if let Some(others) = profile.heap_elsewhere.filter(others_show) {
        figures.push(Figure::change(
            "heap elsewhere",
            others.net,
            "by other threads",
        ));
    }
    figures
}

/// The line table, every cell as it is shown.
struct LineTable {
    columns: Vec<Column>,
    partly: bool,
    shared: bool,
    elsewhere: bool,
    suspended: bool,
    rows: Vec<TableRow>,
}

/// A column of numbers.
struct Column {
    /// Its heading, without the unit.
    title: &'static str,
    /// The unit that its cells share; empty for counts.
    unit: &'static str,
    /// How the script shows its values in another unit: a count, a time, a size or a change.
    kind: &'static str,
    /// Its name in CSV, the field's in run.json.
    key: &'static str,
    /// The exact value: bytes, nanoseconds or a count.
    value: fn(&Line) -> Option<i128>,
}

struct TableRow {
    class: &'static str,
    /// Whether the function's peak was reached while it ran.
    at_peak: bool,
    number: u32,
    marks: &'static str,
    mark_note: String,
    cells: Vec<Cell>,
    peak_bar: String,
    net_bar: String,
    activity: String,
    source: Vec<Token>,
}

#[derive(Default)]
struct Cell {
    text: String,
    /// The exact value; empty where the text is it.
    value: String,
}

impl LineTable {
    fn new(profile: &FunctionProfile) -> Self {
        let columns = columns(profile);
        let top = highest(profile);
        let mut highlighter = Highlighter::default();
        let mut table_rows: Vec<_> = rows(profile)
            .iter()
            .map(|row| TableRow::new(profile, row, &columns, top, &mut highlighter))
            .collect();
        for column in 0..columns.len() {
            align(&mut table_rows, column);
        }
        Self {
            columns,
            partly: profile.lines.iter().any(in_part),
            shared: profile.lines.iter().any(is_shared),
            elsewhere: has_elsewhere(profile),
            suspended: profile.lines.iter().any(|line| line.suspended > 0),
            rows: table_rows,
        }
    }
}

impl LineTable {
    /// Whether the columns leave no room for source on paper.
    fn is_wide(&self) -> bool {
        self.columns.len() > 6
    }
}

/// The columns that have something to show.
fn columns(profile: &FunctionProfile) -> Vec<Column> {
    let lines = || profile.lines.iter();
    let time = TimeUnit::for_longest(lines().map(|line| line.time_ns).max().unwrap_or(0)).symbol();
    let count = |title, key, value| Column {
        title,
        unit: "",
        kind: "count",
        key,
        value,
    };
    let size = |title, key, value| Column {
        title,
        unit: "MiB",
        kind: "size",
        key,
        value,
    };
    let duration = |title, key, value| Column {
        title,
        unit: time,
        kind: "time",
        key,
        value,
    };
    let mut columns = vec![
        count("hits", "hits", |line| Some(line.hits.into())),
        duration("time", "time_ns", |line| Some(line.time_ns.into())),
        size("RSS", "max_rss", |line| line.max_rss.map(i128::from)),
        Column {
            kind: "change",
            ..size("net", "net_rss", |line| Some(line.net_rss.into()))
        },
        size("peak", "peak_rss", |line| Some(line.peak_rss.into())),
    ];
    if lines().any(|line| line.heap.is_some()) {
        columns.extend([
            size("alloc", "heap_allocated", |line| {
                Some(line.heap?.allocated.into())
            }),
            size("freed", "heap_freed", |line| Some(line.heap?.freed.into())),
            size("heap peak", "heap_peak", |line| {
                Some(line.heap?.peak.into())
            }),
            count("allocs", "heap_allocations", |line| {
                Some(line.heap?.allocations.into())
            }),
        ]);
    }
    if has_elsewhere(profile) {
        let net = size("elsewhere", "heap_elsewhere_net", |line| {
            Some(line.heap_elsewhere?.net.into())
        });
        columns.push(Column {
            kind: "change",
            ..net
        });
    }
    if lines().any(|line| line.suspended > 0) {
        columns.push(count("suspended", "suspended", |line| {
            Some(line.suspended.into())
        }));
    }
    if lines().any(|line| line.suspended_heap != 0) {
        let held = size("held", "suspended_heap", |line| {
            Some(line.suspended_heap.into())
        });
        columns.push(Column {
            kind: "change",
            ..held
        });
    }
    if lines().any(|line| line.workers.is_some()) {
        columns.extend([
            count("worker hits", "worker_hits", |line| {
                Some(line.workers?.hits.into())
            }),
            duration("worker time", "worker_time_ns", |line| {
                Some(line.workers?.time_ns.into())
            }),
        ]);
    }
    columns
}

impl Column {
    /// The cell of a line that ran.
    fn cell(&self, line: &Line) -> Cell {
        let Some(value) = (self.value)(line) else {
            return Cell::default();
        };
        let amount = u64::try_from(value.unsigned_abs()).unwrap_or(u64::MAX);
        let text = match (self.kind, self.unit) {
            _ if value == 0 && self.key != "max_rss" => String::new(),
            ("count", _) => amount.to_string(),
            ("time", "s") => TimeUnit::S.number(amount),
            ("time", _) => TimeUnit::Ms.number(amount),
            ("change", _) => signed_mib(i64::try_from(value).unwrap_or(i64::MAX)),
            _ => mib(amount),
        };
        let value = value.to_string();
        Cell {
            value: if text == value { String::new() } else { value },
            text,
        }
    }
}

impl TableRow {
    fn new(
        profile: &FunctionProfile,
        row: &Row<'_>,
        columns: &[Column],
        top: Option<&Line>,
        highlighter: &mut Highlighter,
    ) -> Self {
        let plain = Self {
            class: if row.line.is_some() { "idle" } else { "" },
            at_peak: false,
            number: row.number,
            marks: "",
            mark_note: String::new(),
            cells: columns.iter().map(|_| Cell::default()).collect(),
            peak_bar: String::new(),
            net_bar: String::new(),
            activity: String::new(),
            source: highlighter.line(&source_line(row.source)),
        };
        let Some(line) = row.executed() else {
            return plain;
        };
        let full = top.map_or(0, |top| top.peak_rss);
        Self {
            class: if top.is_some_and(|top| top.line == line.line) {
                "top"
            } else {
                ""
            },
            at_peak: profile.peak_at.and_then(|at| at.line) == Some(line.line),
            marks: marks(line),
            mark_note: mark_note(line),
            cells: columns.iter().map(|column| column.cell(line)).collect(),
            peak_bar: bar(line.peak_rss, full),
            net_bar: bar((line.net_rss.max(0) as u64).min(line.peak_rss), full),
            activity: shown_call(profile)
                .map(|call| activity(&profile.series, call, line.line))
                .unwrap_or_default(),
            ..plain
        }
    }
}

/// Says in full what the line's marks mean.
fn mark_note(line: &Line) -> String {
    let partly = in_part(line).then(|| {
        format!(
            "{} of {} hits ended with a reading",
            line.readings, line.hits
        )
    });
    let shared = is_shared(line).then(|| {
        format!(
            "{} changes were divided between it and other threads by an estimate",
            line.shared
        )
    });
    partly
        .into_iter()
        .chain(shared)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Brings the decimal points of a column under each other.
fn align(rows: &mut [TableRow], column: usize) {
    let mut numbers: Vec<_> = rows
        .iter_mut()
        .map(|row| std::mem::take(&mut row.cells[column].text))
        .collect();
    align_points(&mut numbers);
    for (row, number) in rows.iter_mut().zip(numbers) {
        row.cells[column].text = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn pages(run: &Run) -> Vec<String> {
        run.functions
            .iter()
            .map(|f| function_page(run, f, "f", "<svg></svg>").unwrap())
            .collect()
    }

    /// Style and script are checked in a browser.
    #[test]
    fn a_whole_page() {
        let run = fixture::in_part();
        let page = pages(&run).remove(0);
        let (_, body) = page.split_once("<main>").unwrap();
        insta::assert_snapshot!(body.split("</main>").next().unwrap());
    }

    #[test]
    fn many_short_calls_are_shown_as_a_distribution_beside_the_highest() {
        let page = pages(&fixture::one_high_call()).remove(0);
        let row = "<td class=\"l\">heap peak</td><td class=\"l\" data-label=\"half at most\">107 bytes</td>\
                   <td class=\"l\" data-label=\"95% at most\">107 bytes</td>\
                   <td class=\"l\" data-label=\"99% at most\">107 bytes</td>\
                   <td class=\"l\" data-label=\"highest\">40 MiB</td>\
                   <td class=\"l\" data-label=\"of calls\">100001</td>";
        assert!(page.contains(row), "{page}");
        assert!(
            page.contains("<dt>highest</dt><dd>heap peak 40.00 MiB"),
            "{page}"
        );
        assert!(
            pages(&fixture::nested())
                .iter()
                .all(|page| !page.contains("calls are spread"))
        );
    }

    #[test]
    fn hostile_names_and_source_stay_text() {
        for page in pages(&fixture::hostile()) {
            assert!(!page.contains("<script>alert"), "{page}");
            assert!(!page.contains("<img"), "{page}");
            assert!(!page.contains(['\u{202e}', '\u{1b}', '\u{2028}']));
        }
    }
}
