//! The root's `index.html`: every run kept there, newest first.

use askama::Template;

use super::run_page::started;
use super::{bar, fill, href};
use crate::report::ReportError;
use crate::report::root_index::{Entry, Header};
use crate::report::units::{align_points, duration, mib};
use crate::report::visible::visible;

/// The page that lists `entries` in their order.
pub(crate) fn index_page(entries: &[Entry]) -> Result<String, ReportError> {
    let readable = || {
        entries
            .iter()
            .filter_map(|e| Some((e, e.header.as_ref().ok()?)))
    };
    let top = readable()
        .map(|(_, header)| header.peak_rss)
        .max()
        .unwrap_or(0);
    let mut runs: Vec<_> = readable()
        .map(|(entry, header)| run_row(entry, header, top))
        .collect();
    for column in
        [|run| &mut run.baseline, |run| &mut run.peak] as [fn(&mut RunRow) -> &mut String; 2]
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
    fill(&IndexPage {
        runs,
        unreadable: unreadable.collect(),
    })
}

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage {
    runs: Vec<RunRow>,
    unreadable: Vec<(String, String)>,
}

/// A run in the table, every cell as it is shown.
struct RunRow {
    href: String,
    started: String,
    program: String,
    command: String,
    duration: String,
    baseline: String,
    peak: String,
    bar: String,
}

fn run_row(entry: &Entry, header: &Header, top: u64) -> RunRow {
    RunRow {
        href: href(&entry.folder, "index.html"),
        started: started(&header.started),
        program: visible(&header.program),
        command: visible(&header.command.join(" ")),
        duration: duration(header.duration_ns),
        baseline: mib(header.baseline_rss),
        peak: mib(header.peak_rss),
        bar: bar(header.peak_rss, top),
    }
}
