//! The root's `index.html`: every run kept there, newest first.

use askama::Template;

use super::bar::bar;
use super::fill::fill;
use super::href::href;
use super::trend::{Trend, trends};
use crate::error::ReportError;
use crate::read::{Listing, RunHeader, SavedRun};
use crate::text::time::started;
use crate::text::units::{align_points, duration, mib, signed_mib};
use crate::text::visible::visible;

/// The page that lists runs in their order.
pub(crate) fn index_page(listing: &Listing) -> Result<String, ReportError> {
    let entries = &listing.runs;
    let readable = || {
        entries
            .iter()
            .filter_map(|e| Some((e, e.header.as_ref().ok()?)))
    };
    let top = readable()
        .map(|(_, header)| header.peak_rss)
        .max()
        .unwrap_or(0);
    let headers: Vec<_> = readable().map(|(_, header)| header).collect();
    let rows = readable()
        .enumerate()
        .map(|(i, (entry, header))| run_row(entry, header, before(&headers, i), top));
    let mut runs: Vec<_> = rows.collect();
    for column in [
        |run| &mut run.heap_at_end,
        |run| &mut run.highest_heap,
        |run| &mut run.baseline,
        |run| &mut run.peak,
        |run| &mut run.change,
    ] as [fn(&mut RunRow) -> &mut String; 5]
    {
        let mut numbers: Vec<_> = runs
            .iter_mut()
            .map(|run| std::mem::take(column(run)))
            .collect();
        align_points(&mut numbers);
        runs.iter_mut()
            .zip(numbers)
            .for_each(|(run, number)| *column(run) = number);
    }
    let unreadable = entries
        .iter()
        .filter_map(|e| Some((visible(&e.folder), visible(e.header.as_ref().err()?))));
    let newest_first: Vec<_> = readable().collect();
    fill(&IndexPage {
        trends: trends(&newest_first),
        has_heap: newest_first.iter().any(|(_, header)| header.heap.is_some()),
        runs,
        unreadable: unreadable.collect(),
        whole: listing.whole,
    })
}

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage {
    trends: Vec<Trend>,
    /// Whether a run has counted the heap.
    has_heap: bool,
    runs: Vec<RunRow>,
    unreadable: Vec<(String, String)>,
    /// Whether all runs are here.
    whole: bool,
}

/// A run in the table, every cell as it is shown.
struct RunRow {
    href: String,
    started: String,
    program: String,
    command: String,
    duration: String,
    heap_at_end: String,
    highest_heap: String,
    baseline: String,
    peak: String,
    /// Against the run before with the same command.
    change: String,
    bar: String,
    values: Values,
}

/// The exact figures, by which the table can be sorted.
struct Values {
    started: i64,
    duration_ns: u64,
    heap_at_end: Option<u64>,
    highest_heap: Option<u64>,
    baseline_rss: u64,
    peak_rss: u64,
    change: Option<i64>,
}

/// The newest run of the same program with the same arguments before the one at `i`; newest first.
fn before<'a>(headers: &[&'a RunHeader], i: usize) -> Option<&'a RunHeader> {
    let run = headers.get(i)?;
    let mut earlier = headers.get(i + 1..)?.iter();
    earlier.find(|other| run.is_same_command(other)).copied()
}

fn run_row(entry: &SavedRun, header: &RunHeader, before: Option<&RunHeader>, top: u64) -> RunRow {
    let change =
        before.map(|before| (header.peak_rss as i64).saturating_sub(before.peak_rss as i64));
    let (at_end, highest) = header.heap.map(|heap| (heap.at_end, heap.highest)).unzip();
    RunRow {
        href: href(&entry.folder, "index.html"),
        started: started(&header.started),
        program: visible(&header.program),
        command: visible(&header.command.join(" ")),
        duration: duration(header.duration_ns),
        heap_at_end: at_end.map(mib).unwrap_or_default(),
        highest_heap: highest.map(mib).unwrap_or_default(),
        baseline: mib(header.baseline_rss),
        peak: mib(header.peak_rss),
        change: change.map(signed_mib).unwrap_or_default(),
        bar: bar(header.peak_rss, top),
        values: Values {
            started: header.time().as_millisecond(),
            duration_ns: header.duration_ns,
            heap_at_end: at_end,
            highest_heap: highest,
            baseline_rss: header.baseline_rss,
            peak_rss: header.peak_rss,
            change,
        },
    }
}
