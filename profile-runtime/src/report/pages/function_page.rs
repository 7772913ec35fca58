//! `<function>.html`: what one function did: in words, in figures, over time, and line by line.

use askama::Template;

use super::{Figure, bar, fill};
use crate::report::ReportError;
use crate::report::line_rows::{Row, highest, in_part, rows};
use crate::report::story::{Part, tell};
use crate::report::text_page::facts;
use crate::report::units::{TimeUnit, align_points, count, duration, mib, mib_unit, signed_mib};
use crate::report::visible::{source_line, visible};
use crate::run::{HeapFigures, Line, Profile, Run};

/// The page of `profile`, with `chart` (an SVG element) in it.
pub(crate) fn function_page(
    run: &Run,
    profile: &Profile,
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
        table: LineTable::new(profile),
        facts: facts(run, profile),
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
    table: LineTable,
    facts: Vec<(&'static str, String)>,
}

fn figures(profile: &Profile) -> Vec<Figure> {
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
        Figure::new("peak", mib_unit(profile.peak_rss), when.unwrap_or_default()),
        Figure::new(
            "net",
            format!("{} MiB", signed_mib(profile.net_rss)),
            "kept after all calls",
        ),
        Figure::new(
            "largest RSS",
            mib_unit(profile.max_rss),
            "of the process, during a call",
        ),
    ];
    if let Some(heap) = profile.heap {
        figures.push(Figure::new(
            "heap",
            mib_unit(heap.peak),
            format!("{} allocations", count(heap.allocations)),
        ));
    }
    figures
}

/// The line table, every cell as it is shown.
struct LineTable {
    time_unit: &'static str,
    heap: bool,
    workers: bool,
    partly: bool,
    rows: Vec<TableRow>,
}

#[derive(Default)]
struct TableRow {
    class: &'static str,
    number: u32,
    partly: Option<String>,
    hits: String,
    time: String,
    rss: String,
    net: String,
    peak: String,
    peak_bar: String,
    net_bar: String,
    heap: [String; 4],
    workers: [String; 2],
    source: String,
}

impl LineTable {
    fn new(profile: &Profile) -> Self {
        let lines = || profile.lines.iter();
        let unit = TimeUnit::for_longest(lines().map(|line| line.time_ns).max().unwrap_or(0));
        let top = highest(profile);
        let mut table_rows: Vec<_> = rows(profile)
            .iter()
            .map(|row| TableRow::new(row, unit, top))
            .collect();
        for column in [
            |row| &mut row.time,
            |row| &mut row.rss,
            |row| &mut row.net,
            |row| &mut row.peak,
            |row| &mut row.heap[0],
            |row| &mut row.heap[1],
            |row| &mut row.heap[2],
            |row| &mut row.workers[1],
        ] as [fn(&mut TableRow) -> &mut String; 8]
        {
            align(&mut table_rows, column);
        }
        Self {
            time_unit: unit.symbol(),
            heap: lines().any(|line| line.heap.is_some()),
            workers: lines().any(|line| line.workers.is_some()),
            partly: lines().any(in_part),
            rows: table_rows,
        }
    }
}

impl TableRow {
    fn new(row: &Row<'_>, unit: TimeUnit, top: Option<&Line>) -> Self {
        let plain = Self {
            number: row.number,
            source: source_line(row.source),
            ..Self::default()
        };
        let Some(line) = row.executed() else {
            return Self {
                class: if row.line.is_some() { "idle" } else { "" },
                ..plain
            };
        };
        let full = top.map_or(0, |top| top.peak_rss);
        let shown = |zero: bool, text: String| if zero { String::new() } else { text };
        Self {
            class: if top.is_some_and(|top| top.line == line.line) {
                "top"
            } else {
                ""
            },
            partly: in_part(line).then(|| {
                format!(
                    "{} of {} hits ended with a reading",
                    line.readings, line.hits
                )
            }),
            hits: shown(line.hits == 0, line.hits.to_string()),
            time: shown(line.time_ns == 0, unit.number(line.time_ns)),
            rss: line.max_rss.map(mib).unwrap_or_default(),
            net: shown(line.net_rss == 0, signed_mib(line.net_rss)),
            peak: shown(line.peak_rss == 0, mib(line.peak_rss)),
            peak_bar: bar(line.peak_rss, full),
            net_bar: bar((line.net_rss.max(0) as u64).min(line.peak_rss), full),
            heap: line.heap.as_ref().map(heap_cells).unwrap_or_default(),
            workers: line
                .workers
                .map(|w| {
                    [
                        shown(w.hits == 0, w.hits.to_string()),
                        shown(w.time_ns == 0, unit.number(w.time_ns)),
                    ]
                })
                .unwrap_or_default(),
            ..plain
        }
    }
}

fn heap_cells(heap: &HeapFigures) -> [String; 4] {
    let size = |bytes: u64| {
        if bytes == 0 {
            String::new()
        } else {
            mib(bytes)
        }
    };
    let allocations = if heap.allocations == 0 {
        String::new()
    } else {
        heap.allocations.to_string()
    };
    [
        size(heap.allocated),
        size(heap.freed),
        size(heap.peak),
        allocations,
    ]
}

/// Brings the decimal points of a column under each other.
fn align(rows: &mut [TableRow], cell: fn(&mut TableRow) -> &mut String) {
    let mut numbers: Vec<_> = rows
        .iter_mut()
        .map(|row| std::mem::take(cell(row)))
        .collect();
    align_points(&mut numbers);
    for (row, number) in rows.iter_mut().zip(numbers) {
        *cell(row) = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn pages(run: &Run) -> Vec<String> {
        run.functions
            .iter()
            .map(|f| function_page(run, f, "<svg></svg>").unwrap())
            .collect()
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
