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
use crate::facts::groups::{Brackets, Stroke};
use crate::facts::own::{alive, group_of, own_heap};
use crate::facts::ranking::{highest_on_heap, line_to_look_at};
use crate::facts::rows::{Row, in_part, is_shared, marks, rows};
use crate::facts::rss_and_heap::others_show;
use crate::facts::shown_call::{calls_of_net, shown_call};
use crate::plain::columns::{differs_from_own_heap, differs_from_own_rss, has_elsewhere};
use crate::plain::text_page::facts;
use crate::text::sentence::Part;
use crate::text::units::{TimeUnit, align_points, count, duration, mib, signed_mib};
use crate::text::visible::{source_line, visible};
use crate::words::findings::alive_when;
use crate::words::groups::together;
use crate::words::heap_story::{Remark, remarks};
use crate::words::spread::{self, SpreadRow};
use crate::words::story::tell;

/// The page of `profile`, which is called `title`, with `chart` (an SVG element) in it; `stem` is the name of
/// its files without extension.
pub(crate) fn function_page(
    run: &Run,
    profile: &FunctionProfile,
    title: &str,
    stem: &str,
    chart: &str,
) -> Result<String, ReportError> {
    fill(&FunctionPage {
        program: visible(&run.program),
        title: visible(title),
        name: visible(&profile.name),
        file: visible(&profile.file),
        line: profile.line,
        story: tell(run, profile),
        figures: figures(run, profile),
        chart,
        one_call: profile.calls == 0 || shown_call(profile).is_some(),
        has_heap: profile.series.iter().any(|sample| sample.heap.is_some()),
        table: LineTable::new(profile),
        spread: spread::rows(profile),
        growth: growth_section(profile, title)?,
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
    /// Whether the chart is about one call, not about all.
    one_call: bool,
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

/// The key of the column of what lines have together.
const TOGETHER: &str = "group_net_rss";
/// The most brackets that are told of below the table.
const BRACKETS: usize = 8;

/// What makes the chart and the table one thing.
const SCRIPT: &str = scripts!("function.js");

/// The heap first, where it is counted; RSS beside it.
fn figures(run: &Run, profile: &FunctionProfile) -> Vec<Figure> {
    let each = profile
        .time_ns
        .checked_div(profile.calls)
        .map(|ns| format!("{} each", duration(ns)));
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
    ];
    figures.extend(heap_figures(run, profile));
    if profile.suspended > 0 {
        let held = format!("holding {} MiB of heap", signed_mib(profile.suspended_heap));
        let held = Some(held).filter(|_| profile.suspended_heap != 0);
        figures.push(Figure::new(
            "suspended",
            count(profile.suspended),
            held.unwrap_or_default(),
        ));
    }
    figures.extend(rss_figures(profile));
    if let Some(others) = profile.heap_elsewhere.filter(others_show) {
        figures.push(Figure::change(
            "heap elsewhere",
            others.net,
            "by other threads",
        ));
    }
    figures
}

fn heap_figures(run: &Run, profile: &FunctionProfile) -> Vec<Figure> {
    let Some((heap, own)) = profile.heap.zip(own_heap(profile)) else {
        return Vec::new();
    };
    let mut figures = vec![match alive(profile) {
        Some(alive) => Figure::size(
            alive_when(run.outcome),
            alive.bytes,
            format!("{} blocks of its lines", count(alive.blocks)),
        ),
        None => Figure::change("not freed", own.net, "by the function itself"),
    }];
    if let Some(own) = profile.self_heap {
        let line = highest_on_heap(profile).map(|line| format!(", on line {}", line.line));
        figures.push(Figure::size(
            "self peak",
            own.peak,
            format!("of the heap{}", line.unwrap_or_default()),
        ));
    }
    figures.extend([
        Figure::size(
            "allocated",
            own.allocated,
            format!("in {} allocations", count(own.allocations)),
        ),
        Figure::size("heap peak", heap.peak, "with all that it called"),
    ]);
    let lead = leading(profile);
    for figure in &mut figures {
        figure.leads = figure.name == lead.unwrap_or(alive_when(run.outcome));
    }
    figures
}

/// The name of the heap's figure that the page is about; `None` for what is alive. Who did nothing itself is
/// looked at for what it called.
fn leading(profile: &FunctionProfile) -> Option<&'static str> {
    let own = own_heap(profile).unwrap_or_default();
    let kept = match alive(profile) {
        Some(alive) => alive.bytes,
        None => own.net.max(0).unsigned_abs(),
    };
    match kept.max(own.peak) {
        0 => Some("heap peak"),
        // Of equal ones what is alive: it stays.
        most if most == kept => alive(profile).is_none().then_some("not freed"),
        _ if profile.self_heap.is_some() => Some("self peak"),
        _ => Some("heap peak"),
    }
}

fn rss_figures(profile: &FunctionProfile) -> Vec<Figure> {
    let when = profile.peak_at.map(|at| match at.line {
        Some(line) => format!("above entry, on line {line}"),
        None => "above entry".to_owned(),
    });
    let [peak, net] = if profile.heap.is_some() {
        ["peak RSS", "net RSS"]
    } else {
        ["peak", "net"]
    };
    let highest = Figure::size(peak, profile.peak_rss, when.unwrap_or_default());
    let mut figures = vec![
        if profile.heap.is_some() {
            highest
        } else {
            highest.leading()
        },
        Figure::change(
            net,
            profile.net_rss,
            format!("kept after {}", calls_of_net(profile)),
        ),
    ];
    if differs_from_own_rss(profile) {
        figures.push(Figure::change(
            "self net",
            profile.self_net_rss,
            "of RSS, without what it called",
        ));
    }
    figures.push(Figure::size(
        "largest RSS",
        profile.max_rss,
        "of the process",
    ));
    figures
}

/// The line table, every cell as it is shown.
struct LineTable {
    columns: Vec<Column>,
    partly: bool,
    shared: bool,
    elsewhere: bool,
    suspended: bool,
    /// Lines that were read together.
    groups: Vec<String>,
    /// The column of the peak, behind which bars stand.
    bars_behind: usize,
    /// The column before which brackets stand.
    brackets_before: Option<usize>,
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
    /// The pieces of brackets beside it.
    strokes: Vec<&'static str>,
    /// Whether it belongs to lines that were read together.
    grouped: bool,
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
        let all = rows(profile);
        let brackets = Brackets::new(profile, &all);
        let columns = columns(profile);
        let top = line_to_look_at(profile);
        let highest = profile.lines.iter().map(|line| barred(line).0).max();
        let mut highlighter = Highlighter::default();
        let mut table_rows: Vec<_> = all
            .iter()
            .map(|row| TableRow::new(profile, row, &columns, top, &mut highlighter))
            .collect();
        for ((i, row), shown) in all.iter().enumerate().zip(&mut table_rows) {
            shown.add_bars(row, highest.unwrap_or(0));
            shown.add_brackets(&brackets, i, row, &columns);
        }
        for column in 0..columns.len() {
            align(&mut table_rows, column);
        }
        let at = |key: &str| columns.iter().position(|column| column.key == key);
        let peak = if profile.lines.iter().any(|line| line.heap.is_some()) {
            "heap_peak"
        } else {
            "peak_rss"
        };
        Self {
            bars_behind: at(peak).unwrap_or(0),
            brackets_before: at(TOGETHER),
            partly: profile.lines.iter().any(in_part),
            shared: profile.lines.iter().any(is_shared),
            elsewhere: has_elsewhere(profile),
            suspended: profile.lines.iter().any(|line| line.suspended > 0),
            groups: together(&brackets, BRACKETS),
            rows: table_rows,
            columns,
        }
    }

    /// The number that a column's cells have in their row, counted from 1.
    fn place(&self, column: &usize) -> usize {
        let bars = if *column > self.bars_behind { 2 } else { 0 };
        let brackets = self.brackets_before.is_some_and(|at| *column >= at);
        column + 2 + bars + usize::from(brackets)
    }

    /// Whether there is a column of this key.
    fn has(&self, key: &str) -> bool {
        self.columns.iter().any(|column| column.key == key)
    }

    /// Whether brackets stand before this column.
    fn has_brackets(&self, column: &usize) -> bool {
        self.brackets_before == Some(*column)
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
    let change = |title, key, value| Column {
        kind: "change",
        ..size(title, key, value)
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
    ];
    let has_heap = lines().any(|line| line.heap.is_some());
    if has_heap && lines().any(|line| line.origins.is_some()) {
        columns.push(size("alive", "alive_bytes", |line| {
            Some(line.origins?.alive_bytes.into())
        }));
    }
    if has_heap && differs_from_own_heap(profile) {
        columns.extend([
            size("self peak", "self_heap_peak", |line| {
                Some(line.self_heap?.peak.into())
            }),
            size("self alloc", "self_heap_allocated", |line| {
                Some(line.self_heap?.allocated.into())
            }),
        ]);
    }
    if has_heap {
        columns.extend([
            size("heap peak", "heap_peak", |line| {
                Some(line.heap?.peak.into())
            }),
            size("alloc", "heap_allocated", |line| {
                Some(line.heap?.allocated.into())
            }),
            size("freed", "heap_freed", |line| Some(line.heap?.freed.into())),
            count("allocs", "heap_allocations", |line| {
                Some(line.heap?.allocations.into())
            }),
        ]);
    }
    let [own, net, peak] = if has_heap {
        ["self RSS", "net RSS", "peak RSS"]
    } else {
        ["self net", "net", "peak"]
    };
    columns.push(size("RSS", "max_rss", |line| line.max_rss.map(i128::from)));
    if differs_from_own_rss(profile) {
        columns.push(change(own, "self_net_rss", |line| {
            Some(line.self_net_rss.into())
        }));
    }
    columns.push(change(net, "net_rss", |line| Some(line.net_rss.into())));
    if profile
        .lines
        .iter()
        .any(|line| group_of(profile, line).is_some())
    {
        // What lines have together stands beside the first of them.
        columns.push(change("together", TOGETHER, |_| None));
    }
    columns.push(size(peak, "peak_rss", |line| Some(line.peak_rss.into())));
    if has_elsewhere(profile) {
        columns.push(change("elsewhere", "heap_elsewhere_net", |line| {
            Some(line.heap_elsewhere?.net.into())
        }));
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
        (self.value)(line).map_or_else(Cell::default, |value| self.show(value))
    }

    fn show(&self, value: i128) -> Cell {
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
            strokes: Vec::new(),
            grouped: false,
            source: highlighter.line(&source_line(row.source)),
        };
        let Some(line) = row.executed() else {
            return plain;
        };
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
            activity: shown_call(profile)
                .map(|call| activity(&profile.series, call, line.line))
                .unwrap_or_default(),
            ..plain
        }
    }
}

impl TableRow {
    /// A bar for the line's peak, and in it one for what it kept.
    fn add_bars(&mut self, row: &Row<'_>, highest: u64) {
        let Some(line) = row.executed() else {
            return;
        };
        let (peak, kept) = barred(line);
        self.peak_bar = bar(peak, highest);
        self.net_bar = bar((kept.max(0) as u64).min(peak), highest);
    }

    /// The pieces of brackets at the row, and beside the first line of one what the lines have together.
    fn add_brackets(&mut self, brackets: &Brackets<'_>, at: usize, row: &Row<'_>, all: &[Column]) {
        let strokes = brackets.strokes(at, row.number).into_iter();
        self.strokes = strokes.map(class).collect();
        self.grouped = row.line.is_some_and(|line| line.group.is_some());
        let column = all.iter().position(|column| column.key == TOGETHER);
        if let (Some(column), Some(bracket)) = (column, brackets.beginning(at)) {
            self.cells[column] = all[column].show(bracket.group.net_rss.into());
        }
    }
}

/// The peak and what was kept that a line's bar shows: of the heap where it is counted.
fn barred(line: &Line) -> (u64, i64) {
    line.heap
        .map_or((line.peak_rss, line.net_rss), |heap| (heap.peak, heap.net))
}

/// The class of a piece of a bracket.
fn class(stroke: Stroke) -> &'static str {
    match stroke {
        Stroke::None => "",
        Stroke::First => "first",
        Stroke::Inner => "inner",
        Stroke::Through => "through",
        Stroke::Last => "last",
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
            .map(|f| function_page(run, f, &f.label, "f", "<svg></svg>").unwrap())
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

    /// The brackets of lines that were read together, and the heap's figures first.
    #[test]
    fn lines_that_were_read_together_have_a_bracket() {
        let page = pages(&fixture::grouped()).remove(0);
        let (_, body) = page.split_once("<tbody>").unwrap();
        let rows: Vec<_> = body.split("<tr").collect();
        let piece = |row: &str| {
            row.split_once("<i class=\"")
                .unwrap()
                .1
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            [4, 5, 6].map(|i| piece(rows[i])),
            ["first", "inner", "last"]
        );
        assert!(rows[4].contains(">+29.00<"), "{}", rows[4]);
        assert!(page.contains("Lines 33 to 35 together: net +29.00 MiB, peak 0.750 MiB."));
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
