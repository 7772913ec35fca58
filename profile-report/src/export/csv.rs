//! CSV: samples, and lines. Text is as in the source, quoted where it must be, and no program for a spreadsheet.

use std::borrow::Cow;

use memprof_model::internal::{is_deceptive, visible};
use memprof_model::run::{FunctionProfile, HeapFigures, Line, Run, Sample};
use serde::Serialize;

use crate::error::ReportError;
use crate::facts::own::group_of;

/// The samples as CSV, with a heading: `series` is empty for the process, the number and name of a child
/// that was watched, or the full path of a function, of which it is the call with the highest peak; `t_ns` counts from the run's start; `rss` and `heap`
/// are bytes, `heap` empty where it was not counted; `line` is the line that was running.
///
/// # Errors
/// When the text cannot be made, which would be a defect of memprof.
pub fn samples_csv(run: &Run) -> Result<String, ReportError> {
    let row = |series: &str, sample: &Sample| SampleRow {
        series: cell(series).into_owned(),
        t_ns: sample.t_ns,
        rss: sample.rss,
        heap: sample.heap,
        line: None,
    };
    let process = run.series.iter().map(|sample| row("", sample));
    let children = run.watched.iter().flat_map(|watched| &watched.children);
    let children = children.flat_map(|child| {
        let name = format!("{} {}", child.pid, child.program);
        child.series.iter().map(move |sample| row(&name, sample))
    });
    let functions = run.functions.iter().flat_map(|function| {
        function.series.iter().map(|sample| SampleRow {
            series: cell(&function.name).into_owned(),
            t_ns: sample.t_ns,
            rss: sample.rss,
            heap: sample.heap,
            line: sample.line,
        })
    });
    text(SAMPLES, process.chain(children).chain(functions))
}

/// The lines of all functions as CSV, with a heading: one row for each line that can be executed, hit or
/// not, in the order of the source. Sizes are bytes, times nanoseconds; what was not counted is empty. `group`
/// is a number that lines share which were read together: `group_net_rss` and `group_peak_rss` are those of all of
/// them, and stand beside each.
///
/// # Errors
/// When the text cannot be made, which would be a defect of memprof.
pub fn lines_csv(run: &Run) -> Result<String, ReportError> {
    let lines = run
        .functions
        .iter()
        .flat_map(|function| function.lines.iter().map(move |line| row(function, line)));
    text(LINES, lines)
}

/// The heading of [`SampleRow`].
const SAMPLES: &[&str] = &["series", "t_ns", "rss", "heap", "line"];

#[derive(Serialize)]
struct SampleRow {
    series: String,
    t_ns: u64,
    rss: u64,
    heap: Option<u64>,
    line: Option<u32>,
}

/// The heading of [`LineRow`].
#[rustfmt::skip]
const LINES: &[&str] = &[
    "function", "label", "file", "line", "source", "hits", "readings", "time_ns", "max_rss", "net_rss",
    "self_net_rss", "peak_rss", "group", "group_net_rss", "group_peak_rss", "samples", "shared",
    "heap_allocated", "heap_freed", "heap_net", "heap_peak", "heap_allocations", "self_heap_allocated",
    "self_heap_freed", "self_heap_net", "self_heap_peak", "self_heap_allocations", "alive_bytes",
    "alive_blocks", "elsewhere_allocated", "elsewhere_freed", "worker_hits", "worker_time_ns",
    "suspended", "suspended_heap",
];

#[derive(Serialize)]
struct LineRow<'a> {
    function: Cow<'a, str>,
    label: Cow<'a, str>,
    file: Cow<'a, str>,
    line: u32,
    source: Cow<'a, str>,
    hits: u64,
    readings: u64,
    time_ns: u64,
    max_rss: Option<u64>,
    net_rss: i64,
    self_net_rss: i64,
    peak_rss: u64,
    group: Option<usize>,
    group_net_rss: Option<i64>,
    group_peak_rss: Option<u64>,
    samples: u64,
    shared: u64,
    heap_allocated: Option<u64>,
    heap_freed: Option<u64>,
    heap_net: Option<i64>,
    heap_peak: Option<u64>,
    heap_allocations: Option<u64>,
    self_heap_allocated: Option<u64>,
    self_heap_freed: Option<u64>,
    self_heap_net: Option<i64>,
    self_heap_peak: Option<u64>,
    self_heap_allocations: Option<u64>,
    alive_bytes: Option<u64>,
    alive_blocks: Option<u64>,
    elsewhere_allocated: Option<u64>,
    elsewhere_freed: Option<u64>,
    worker_hits: Option<u64>,
    worker_time_ns: Option<u64>,
    suspended: u64,
    suspended_heap: i64,
}

fn row<'a>(function: &'a FunctionProfile, line: &'a Line) -> LineRow<'a> {
    let heap = |figure: fn(HeapFigures) -> u64| line.heap.map(figure);
    let own = |figure: fn(HeapFigures) -> u64| line.self_heap.map(figure);
    let group = group_of(function, line);
    LineRow {
        function: cell(&function.name),
        label: cell(&function.label),
        file: cell(&function.file),
        line: line.line,
        source: cell(&line.source),
        hits: line.hits,
        readings: line.readings,
        time_ns: line.time_ns,
        max_rss: line.max_rss,
        net_rss: line.net_rss,
        self_net_rss: line.self_net_rss,
        peak_rss: line.peak_rss,
        group: line.group,
        group_net_rss: group.map(|group| group.net_rss),
        group_peak_rss: group.map(|group| group.peak_rss),
        samples: line.samples,
        shared: line.shared,
        heap_allocated: heap(|heap| heap.allocated),
        heap_freed: heap(|heap| heap.freed),
        heap_net: line.heap.map(|heap| heap.net),
        heap_peak: heap(|heap| heap.peak),
        heap_allocations: heap(|heap| heap.allocations),
        self_heap_allocated: own(|heap| heap.allocated),
        self_heap_freed: own(|heap| heap.freed),
        self_heap_net: line.self_heap.map(|heap| heap.net),
        self_heap_peak: own(|heap| heap.peak),
        self_heap_allocations: own(|heap| heap.allocations),
        alive_bytes: line.origins.map(|origins| origins.alive_bytes),
        alive_blocks: line.origins.map(|origins| origins.alive_blocks),
        elsewhere_allocated: line.heap_elsewhere.map(|heap| heap.allocated),
        elsewhere_freed: line.heap_elsewhere.map(|heap| heap.freed),
        worker_hits: line.workers.map(|workers| workers.hits),
        worker_time_ns: line.workers.map(|workers| workers.time_ns),
        suspended: line.suspended,
        suspended_heap: line.suspended_heap,
    }
}

/// Text of other people's as a cell. Control characters are spelled out. A text that a spreadsheet would take for a
/// formula, and execute, begins with `'` (CWE-1236).
fn cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    match (text.chars().any(is_deceptive), is_formula) {
        (false, false) => Cow::Borrowed(text),
        (_, false) => Cow::Owned(visible(text)),
        (_, true) => Cow::Owned(format!("'{}", visible(text))),
    }
}

/// The heading stands there also when there is no row.
fn text(
    heading: &[&str],
    rows: impl Iterator<Item = impl Serialize>,
) -> Result<String, ReportError> {
    let failed = |e: &dyn std::fmt::Display| ReportError::render("render CSV", e.to_string());
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(heading).map_err(|e| failed(&e))?;
    for row in rows {
        writer.serialize(row).map_err(|e| failed(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// The rows of a CSV text by the names in its heading.
    fn read(text: &str) -> Vec<std::collections::HashMap<String, String>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().map(Result::unwrap).collect()
    }

    #[test]
    fn no_cell_is_a_formula_or_moves_a_cursor() {
        for (text, expected) in [
            ("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1"),
            (" + other.len()", "' + other.len()"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a = b - c", "a = b - c"),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn every_figure_is_under_its_name() {
        let run = fixture::heap();
        let json = serde_json::to_value(&run).unwrap();
        let rows = read(&lines_csv(&run).unwrap());
        let lines: Vec<_> = run.functions.iter().flat_map(|f| &f.lines).collect();
        assert_eq!(rows.len(), lines.len());
        let mut rows = rows.into_iter();
        for function in json["functions"].as_array().unwrap() {
            for line in function["lines"].as_array().unwrap() {
                let row = rows.next().unwrap();
                assert_eq!(row["function"], function["name"].as_str().unwrap());
                assert_eq!(row["source"], line["source"].as_str().unwrap());
                for name in [
                    "line",
                    "hits",
                    "readings",
                    "time_ns",
                    "net_rss",
                    "self_net_rss",
                    "peak_rss",
                    "samples",
                    "shared",
                ] {
                    assert_eq!(row[name], line[name].to_string(), "{name}");
                }
                for (name, of_heap) in [
                    ("heap_allocated", "allocated"),
                    ("heap_freed", "freed"),
                    ("heap_net", "net"),
                    ("heap_peak", "peak"),
                    ("heap_allocations", "allocations"),
                ] {
                    assert_eq!(row[name], line["heap"][of_heap].to_string(), "{name}");
                    let own = format!("self_{name}");
                    assert_eq!(row[&own], line["self_heap"][of_heap].to_string(), "{own}");
                }
                let worker = &line["workers"]["time_ns"];
                assert_eq!(
                    row["worker_time_ns"],
                    if worker.is_null() {
                        String::new()
                    } else {
                        worker.to_string()
                    }
                );
            }
        }
    }

    #[test]
    fn lines_that_were_read_together_share_a_group() {
        let rows = read(&lines_csv(&fixture::grouped()).unwrap());
        let groups: Vec<_> = rows.iter().map(|row| &row["group"][..]).collect();
        assert_eq!(groups, ["", "", "0", "0", "0", "", "", ""]);
        let (net, peak) = (&rows[3]["group_net_rss"], &rows[3]["group_peak_rss"]);
        assert_eq!(
            (&net[..], &peak[..], &rows[3]["net_rss"][..]),
            ("30408704", "786432", "0")
        );
        let alive = read(&lines_csv(&fixture::leaking()).unwrap());
        assert!(alive.iter().any(|row| row["alive_blocks"] == "98177"));
    }

    #[test]
    fn every_sample_is_there() {
        let run = fixture::heap();
        let rows = read(&samples_csv(&run).unwrap());
        let of_functions: usize = run.functions.iter().map(|f| f.series.len()).sum();
        assert_eq!(rows.len(), run.series.len() + of_functions);
        let (first, last) = (&rows[0], rows.last().unwrap());
        assert_eq!((&first["series"][..], &first["line"][..]), ("", ""));
        assert_eq!(first["rss"], run.series[0].rss.to_string());
        assert_eq!(last["series"], run.functions[1].name);
    }

    #[test]
    fn text_of_any_kind_comes_back_and_an_empty_run_has_a_heading() {
        let run = fixture::hostile();
        let rows = read(&lines_csv(&run).unwrap());
        let lines = run.functions.iter().flat_map(|f| &f.lines);
        let sources: Vec<_> = lines.map(|line| cell(&line.source)).collect();
        assert!(sources.iter().any(|source| source.contains("\\u{")));
        assert!(rows.iter().map(|row| &row["source"]).eq(&sources));
        assert_eq!(
            samples_csv(&fixture::no_samples()).unwrap(),
            "series,t_ns,rss,heap,line\n"
        );
        assert!(
            lines_csv(&fixture::nothing())
                .unwrap()
                .starts_with("function,label")
        );
    }
}
