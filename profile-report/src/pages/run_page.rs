//! The run's `index.html`: the process over time, its functions, and how well all that was measured.

use askama::Template;
use memprof_model::run::{FunctionProfile, Run};

use super::assets::scripts;
use super::bar::bar;
use super::figure::Figure;
use super::fill::fill;
use super::href::href;
use super::run_data::run_data;
use crate::chart::{Outline, child_name, children, lanes, run_chart};
use crate::diff::before::Before;
use crate::diff::{Place, verdict};
use crate::error::ReportError;
use crate::facts::names::Names;
use crate::facts::own::live_at_end;
use crate::facts::ranking::{Ranked, ranked};
use crate::facts::rows::in_part;
use crate::facts::shown_call::unlisted;
use crate::plain::function_columns::{FunctionColumn, Kind, function_columns};
use crate::text::sentence::Part;
use crate::text::time::started;
use crate::text::units::{align_points, count, duration, mib_unit, percent, signed_mib};
use crate::text::visible::{source_line, truncate, visible};
use crate::words::findings::{Finding, findings};
use crate::words::heap_story::HOW_TO_COUNT;
use crate::words::own_memory;
use crate::words::readings::{no_sampler, peaks_by};
use crate::words::story::tell;
use crate::words::watched;
use crate::words::{stopped, untold};

/// The page of `run`; `names` are the file names of its functions, `before` the comparison with the
/// run before it.
pub(crate) fn run_page(
    run: &Run,
    names: &[String],
    before: Option<&Before>,
) -> Result<String, ReportError> {
    let outline = Outline::new(run);
    let called = Names::of_run(run);
    let order = ranked(run);
    let columns = columns(run, before);
    fill(&RunPage {
        program: visible(&run.program),
        started: started(&run.started),
        pid: run.pid,
        command: visible(&run.command.join(" ")),
        figures: figures(run),
        chart: run_chart(run)?,
        outline: outline.whole(),
        has_heap: run.series.iter().any(|sample| sample.heap.is_some()),
        lanes_left_out: run.functions.len().saturating_sub(lanes(run).len()),
        unlisted: lanes(run).into_iter().any(|f| unlisted(f).is_some()),
        headlines: headlines(run, names, &called),
        data: run_data(run, order.iter().map(|f| f.function))?,
        since: before.map(Since::new),
        notes: stopped::sentences(run)
            .into_iter()
            .chain(untold::remark(run))
            .collect(),
        functions: functions(run, &order, names, &called, &columns, &outline, before),
        columns,
        children: children(run).into_iter().map(child_name).collect(),
        measure: watched::measure(run),
        has_functions: run.watched.is_none(),
        facts: facts(run),
        script: SCRIPT,
    })
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    program: String,
    started: String,
    pid: u32,
    command: String,
    headlines: Vec<Headline>,
    figures: Vec<Figure>,
    chart: String,
    has_heap: bool,
    /// Functions whose calls are not below the chart.
    lanes_left_out: usize,
    /// Whether a lane has calls that are not listed one by one.
    unlisted: bool,
    outline: String,
    /// What changed since the run before.
    since: Option<Since>,
    /// What became of a run that did not end by itself, and what is in no function.
    notes: Vec<String>,
    functions: Vec<FunctionRow>,
    columns: Vec<Column>,
    /// Children that have a curve.
    children: Vec<String>,
    /// What the curve shows.
    measure: &'static str,
    /// Whether the run records functions: one that was watched from outside does not.
    has_functions: bool,
    facts: Vec<(&'static str, String)>,
    /// JSON, safe inside a script element.
    data: String,
    script: &'static str,
}

/// What makes the chart and the table one thing.
const SCRIPT: &str = scripts!("run.js");

/// What changed since the run before, in words.
struct Since {
    href: String,
    started: String,
    process: String,
    worst: Vec<Part>,
}

impl Since {
    fn new(before: &Before) -> Self {
        Self {
            href: format!("../{}", href(&before.folder, "index.html")),
            started: started(&before.diff.before.started),
            process: verdict::process(&before.diff),
            worst: verdict::worst(&before.diff),
        }
    }
}

/// What the run comes to on the heap, before anything else.
struct Headline {
    title: &'static str,
    size: String,
    bytes: u64,
    detail: String,
    href: String,
    label: String,
    line: Option<(u32, String)>,
}

/// The most columns of source in a headline.
const SOURCE: usize = 80;

fn headlines(run: &Run, files: &[String], names: &Names) -> Vec<Headline> {
    let headline = |finding: Finding<'_>| Headline {
        title: finding.title,
        size: mib_unit(finding.bytes),
        bytes: finding.bytes,
        detail: finding.detail,
        href: files
            .get(finding.index)
            .map_or_else(String::new, |file| format!("{file}.html")),
        label: visible(names.of(&run.functions[finding.index])),
        line: finding.line.map(|line| {
            let source = source_line(&line.source);
            (line.line, truncate(source.trim(), SOURCE))
        }),
    };
    findings(run).into_iter().map(headline).collect()
}

/// A function in the table, every cell as it is shown.
struct FunctionRow {
    href: String,
    label: String,
    name: String,
    cells: Vec<Cell>,
    bar: String,
    story: Vec<Part>,
    /// The parts of the run's outline in which it was called.
    when: String,
}

/// A figure in the table.
struct Cell {
    /// What stands above its column.
    label: &'static str,
    text: String,
    /// The exact figure, by which the table can be sorted; empty where it is not known.
    value: String,
}

/// A column of figures.
struct Column {
    title: &'static str,
    key: &'static str,
    /// How the script shows its values in another unit; empty where it does not.
    kind: &'static str,
    /// What the title leaves open.
    hint: &'static str,
    value: Value,
}

/// Where a column's figures come from.
#[derive(Clone, Copy)]
enum Value {
    Figure(FunctionColumn),
    /// Of the peak since the run before.
    Change,
}

fn columns(run: &Run, before: Option<&Before>) -> Vec<Column> {
    let figure = |column: FunctionColumn| Column {
        title: column.title,
        key: column.key,
        kind: match column.kind {
            Kind::Size => "size",
            Kind::Change => "change",
            Kind::Count | Kind::Time => "",
        },
        hint: hint(column.key),
        value: Value::Figure(column),
    };
    let change = before.map(|_| Column {
        title: "change",
        key: "peak_change",
        kind: "change",
        hint: "of the peak, since the run before: of the heap’s where both runs count it; blank where it may be noise",
        value: Value::Change,
    });
    let figures = function_columns(run).into_iter().map(figure);
    figures.chain(change).collect()
}

fn hint(key: &str) -> &'static str {
    match key {
        "alive_bytes" => "allocated by its lines and freed by nobody",
        "self_heap_net" => "allocated less freed, without what it called",
        "self_heap_peak" => "highest rise of the heap, less what callees had kept",
        "self_heap_allocated" | "self_heap_allocations" => "without what it called",
        "self_net_rss" => "change of RSS, without what it called",
        "heap_peak" => "highest rise of the heap, with all that it called",
        _ => "",
    }
}

fn figures(run: &Run) -> Vec<Figure> {
    let calls: u64 = run
        .functions
        .iter()
        .fold(0, |sum, f| sum.saturating_add(f.calls));
    let state = run.outcome.extent();
    if let Some(watched) = &run.watched {
        return vec![
            Figure::new("duration", duration(run.duration_ns), state),
            Figure::size("peak", run.process.peak_rss, watched::measure(run)).leading(),
            Figure::size("baseline", run.process.baseline_rss, "the first reading"),
            Figure::new("ended", watched::ended(watched), ""),
        ];
    }
    let mut figures = vec![Figure::new("duration", duration(run.duration_ns), state)];
    figures.extend(
        live_at_end(run)
            .map(|bytes| Figure::size("live heap", bytes, "of all threads, at the last sample")),
    );
    figures.extend([
        Figure::size("peak", run.process.peak_rss, "RSS of the process").leading(),
        Figure::size(
            "baseline",
            run.process.baseline_rss,
            "RSS before the first call",
        ),
        Figure::new(
            "functions",
            count(run.functions.len() as u64),
            format!("{} call{}", count(calls), if calls == 1 { "" } else { "s" }),
        ),
    ]);
    figures
}

/// The table's rows.
fn functions(
    run: &Run,
    order: &[Ranked<'_>],
    files: &[String],
    names: &Names,
    columns: &[Column],
    outline: &Outline,
    before: Option<&Before>,
) -> Vec<FunctionRow> {
    let top = order.iter().map(|f| f.bytes).max().unwrap_or(0);
    let mut rows: Vec<_> = order
        .iter()
        .map(|ranked| FunctionRow {
            href: files
                .get(ranked.index)
                .map_or_else(String::new, |file| format!("{file}.html")),
            label: visible(names.of(ranked.function)),
            name: visible(&ranked.function.name),
            cells: columns
                .iter()
                .map(|column| column.cell(ranked.function, before))
                .collect(),
            bar: bar(ranked.bytes, top),
            story: tell(run, ranked.function),
            when: outline.during(ranked.function),
        })
        .collect();
    for (i, _) in columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.kind.is_empty())
    {
        let mut numbers: Vec<_> = rows
            .iter_mut()
            .map(|row| std::mem::take(&mut row.cells[i].text))
            .collect();
        align_points(&mut numbers);
        for (row, number) in rows.iter_mut().zip(numbers) {
            row.cells[i].text = number;
        }
    }
    rows
}

impl Column {
    fn cell(&self, function: &FunctionProfile, before: Option<&Before>) -> Cell {
        let (text, value) = match self.value {
            Value::Figure(column) => {
                let shown = match column.kind {
                    Kind::Count | Kind::Time => counted(column, function),
                    Kind::Size | Kind::Change => column.shown(function),
                };
                (
                    shown,
                    (column.value)(function).map(|value| value.to_string()),
                )
            }
            Value::Change => match before.and_then(|before| change(function, before)) {
                Some(0) => (String::new(), Some("0".to_owned())),
                Some(change) => (signed_mib(change), Some(change.to_string())),
                None => ("new".to_owned(), None),
            },
        };
        Cell {
            label: self.title,
            text,
            value: value.unwrap_or_default(),
        }
    }
}

/// Calls and times are shown where they are 0, too.
fn counted(column: FunctionColumn, function: &FunctionProfile) -> String {
    match (column.kind, (column.value)(function)) {
        (Kind::Time, Some(0)) => duration(0),
        (_, Some(0)) if column.key == "calls" => "0".to_owned(),
        _ => column.shown(function),
    }
}

/// By how much the function's peak changed beyond noise since the run before, on the heap where both runs count it;
/// nothing if it was not called there.
fn change(function: &FunctionProfile, before: &Before) -> Option<i64> {
    let is_it = |place: &Place| {
        (&place.name, &place.file, place.line) == (&function.name, &function.file, function.line)
    };
    let mut all = before.diff.functions.iter();
    let found = all.find(|f| f.after.as_ref().is_some_and(is_it))?;
    found.before.as_ref()?;
    let heap = before.diff.before.heap && before.diff.after.heap;
    let peak = if heap {
        found.changes.heap_peak
    } else {
        found.changes.peak_rss
    };
    Some(peak.certain())
}

/// What was measured, how, and at what cost.
fn facts(run: &Run) -> Vec<(&'static str, String)> {
    let Some(watched) = &run.watched else {
        return own_facts(run);
    };
    let mut facts = vec![("watched", watched::how(run, watched))];
    facts.extend(
        watched::children(watched)
            .into_iter()
            .map(|child| ("child", child)),
    );
    let kept = ["RSS read by", "sampler", "sampler’s time"];
    facts.extend(
        own_facts(run)
            .into_iter()
            .filter(|(name, _)| kept.contains(name)),
    );
    facts
}

/// What a program that recorded itself tells of that.
fn own_facts(run: &Run) -> Vec<(&'static str, String)> {
    let (sampler, cost) = (&run.sampler, &run.overhead);
    let mut facts = vec![
        (
            "peaks",
            peaks_by(run).trim_start_matches("peaks ").to_owned(),
        ),
        ("lines", lines(run)),
        ("RSS read by", visible(&run.backend)),
        (
            "heap",
            if run.heap {
                "counted by the allocator"
            } else {
                HOW_TO_COUNT
            }
            .to_owned(),
        ),
        (
            "sampler",
            match no_sampler(run) {
                Some(remark) => remark.to_owned(),
                None => format!(
                    "{} of {} samples taken{}, longest gap {}",
                    count(sampler.ticks_taken),
                    count(sampler.ticks_due),
                    bracketed(percent(sampler.ticks_taken, sampler.ticks_due)),
                    duration(sampler.longest_gap_ns)
                ),
            },
        ),
        (
            "exact readings",
            format!(
                "{} in {}{}",
                count(cost.readings),
                duration(cost.reading_ns),
                bracketed(percent(cost.reading_ns, run.duration_ns) + " of the run")
            ),
        ),
    ];
    if !sampler.missing {
        let time = format!("{} of processor time", duration(cost.sampler_cpu_ns));
        facts.push(("sampler’s time", time));
    }
    facts.push(("profiler’s memory", own_memory::fact(run)));
    facts
}

/// How many lines were measured exactly, in part, or not.
fn lines(run: &Run) -> String {
    let ran = || {
        run.functions
            .iter()
            .flat_map(|f| &f.lines)
            .filter(|line| line.hits > 0)
    };
    let (all, part) = (ran().count(), ran().filter(|line| in_part(line)).count());
    match (all, part) {
        (0, _) => "none ran".to_owned(),
        (all, 0) => format!("{all} ran, each hit measured"),
        (all, part) => format!(
            "{all} ran; {} measured at each hit, {part} in part",
            all - part
        ),
    }
}

fn bracketed(share: String) -> String {
    if share.is_empty() || share.starts_with(' ') {
        String::new()
    } else {
        format!(" ({share})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::store::file_names;

    /// Style and script are checked in a browser, the chart has a snapshot of its own.
    #[test]
    fn a_whole_page() {
        let (old, new) = (fixture::no_samples(), fixture::nested());
        let before = Before {
            folder: "loader 1".into(),
            diff: crate::diff::compare(&old, &new),
        };
        let names = file_names::assign(&new.functions);
        let page = run_page(&new, &names, Some(&before)).unwrap();
        let (_, body) = page.split_once("<main>").unwrap();
        let (top, rest) = body.split_once("<svg class=\"memprof\"").unwrap();
        let (_, rest) = rest.split_once("</svg>").unwrap();
        let rest = rest.split("</main>").next().unwrap();
        insta::assert_snapshot!(format!("{top}(the chart){rest}"));
    }

    #[test]
    fn hostile_names_stay_text() {
        let run = fixture::hostile();
        let page = run_page(&run, &file_names::assign(&run.functions), None).unwrap();
        assert!(
            !page.contains("<script>alert")
                && !page.contains("<b>prog")
                && !page.contains('\u{202e}')
        );
    }

    #[test]
    fn a_watched_run_has_its_children_in_place_of_functions() {
        let page = run_page(&fixture::watched(), &[], None).unwrap();
        for text in ["signal 9", "cc1 5006", "PSS", "every 10 ms"] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("No annotated function"));
    }

    #[test]
    fn a_run_without_calls_has_a_page() {
        assert!(
            run_page(&fixture::nothing(), &[], None)
                .unwrap()
                .contains("No annotated function was called")
        );
    }
}
