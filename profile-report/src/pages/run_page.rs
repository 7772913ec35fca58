//! The run's `index.html`: the process over time, its functions, and how well all that was measured.

use std::cmp::Reverse;

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
use crate::facts::rows::in_part;
use crate::plain::text_page::peaks_by;
use crate::text::sentence::Part;
use crate::text::time::started;
use crate::text::units::{align_points, count, duration, mib, mib_unit, percent, signed_mib};
use crate::text::visible::visible;
use crate::words::heap_story::HOW_TO_COUNT;
use crate::words::stopped;
use crate::words::story::tell;
use crate::words::watched;

/// The page of `run`; `names` are the file names of its functions, `before` the comparison with the
/// run before it.
pub(crate) fn run_page(
    run: &Run,
    names: &[String],
    before: Option<&Before>,
) -> Result<String, ReportError> {
    let outline = Outline::new(run);
    let order = highest_first(run, names);
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
        data: run_data(run, order.iter().map(|(f, _)| *f))?,
        since: before.map(Since::new),
        stopped: stopped::sentences(run),
        functions: functions(run, &order, &outline, before),
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
    figures: Vec<Figure>,
    chart: String,
    has_heap: bool,
    /// Functions whose calls are not below the chart.
    lanes_left_out: usize,
    outline: String,
    /// What changed since the run before.
    since: Option<Since>,
    /// What became of a run that did not end by itself.
    stopped: Vec<String>,
    functions: Vec<FunctionRow>,
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

/// A function in the table, every cell as it is shown.
struct FunctionRow {
    href: String,
    label: String,
    name: String,
    calls: String,
    time: String,
    net: String,
    peak: String,
    /// Of the peak since the run before.
    change: String,
    bar: String,
    story: Vec<Part>,
    /// The parts of the run's outline in which it was called.
    when: String,
    /// The exact figures, by which the table can be sorted.
    values: Values,
}

struct Values {
    calls: u64,
    time_ns: u64,
    net_rss: i64,
    peak_rss: u64,
    /// Nothing where there is nothing to compare with.
    change: Option<i64>,
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
            Figure::size("peak", run.process.peak_rss, watched::measure(run)),
            Figure::size("baseline", run.process.baseline_rss, "the first reading"),
            Figure::new("ended", watched::ended(watched), ""),
        ];
    }
    vec![
        Figure::new("duration", duration(run.duration_ns), state),
        Figure::size("peak", run.process.peak_rss, "RSS of the process"),
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
    ]
}

/// The functions and their file names in the table's order.
fn highest_first<'a>(run: &'a Run, names: &'a [String]) -> Vec<(&'a FunctionProfile, &'a String)> {
    let mut order: Vec<_> = run.functions.iter().zip(names).collect();
    order.sort_by_key(|(f, _)| (Reverse(f.peak_rss), Reverse(f.time_ns)));
    order
}

/// The table's rows.
fn functions(
    run: &Run,
    order: &[(&FunctionProfile, &String)],
    outline: &Outline,
    before: Option<&Before>,
) -> Vec<FunctionRow> {
    let top = order.first().map_or(0, |(f, _)| f.peak_rss);
    let mut rows: Vec<_> = order
        .iter()
        .map(|(f, name)| function_row(run, f, name, top, outline, before))
        .collect();
    for column in [
        |row| &mut row.net,
        |row| &mut row.peak,
        |row| &mut row.change,
    ] as [fn(&mut FunctionRow) -> &mut String; 3]
    {
        let mut numbers: Vec<_> = rows
            .iter_mut()
            .map(|row| std::mem::take(column(row)))
            .collect();
        align_points(&mut numbers);
        rows.iter_mut()
            .zip(numbers)
            .for_each(|(row, number)| *column(row) = number);
    }
    rows
}

fn function_row(
    run: &Run,
    function: &FunctionProfile,
    name: &str,
    top: u64,
    outline: &Outline,
    before: Option<&Before>,
) -> FunctionRow {
    let change = before.and_then(|before| change(function, before));
    let shown = |zero: bool, text: String| if zero { String::new() } else { text };
    FunctionRow {
        href: format!("{name}.html"),
        label: visible(&function.label),
        name: visible(&function.name),
        calls: function.calls.to_string(),
        time: duration(function.time_ns),
        net: shown(function.net_rss == 0, signed_mib(function.net_rss)),
        peak: shown(function.peak_rss == 0, mib(function.peak_rss)),
        change: match change {
            Some(change) => shown(change == 0, signed_mib(change)),
            None if before.is_some() => "new".to_owned(),
            None => String::new(),
        },
        bar: bar(function.peak_rss, top),
        story: tell(run, function),
        when: outline.during(function),
        values: Values {
            calls: function.calls,
            time_ns: function.time_ns,
            net_rss: function.net_rss,
            peak_rss: function.peak_rss,
            change,
        },
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
    vec![
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
            format!(
                "{} of {} samples taken{}, longest gap {}",
                count(sampler.ticks_taken),
                count(sampler.ticks_due),
                bracketed(percent(sampler.ticks_taken, sampler.ticks_due)),
                duration(sampler.longest_gap_ns)
            ),
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
        (
            "sampler’s time",
            format!("{} of processor time", duration(cost.sampler_cpu_ns)),
        ),
        ("profiler’s memory", mib_unit(cost.profiler_bytes)),
    ]
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
