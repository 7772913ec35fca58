//! The sentences at the top of every comparison.

use super::change::{Change, Changes, signed};
use super::compare::{Diff, FunctionDiff, LineDiff, NOISE};
use super::shown::share;
use crate::text::sentence::Part;
use crate::text::units::{duration, mib, signed_mib};
use crate::text::visible::{source_line, truncate, visible};

/// The most columns of source that a sentence quotes.
const QUOTE: usize = 60;
const NOTHING: &str =
    "no function and no line needs or keeps more memory than before (up to 64 KiB is noise)";

/// Which runs are compared: `demo · 2026-03-01 14:05:09 → demo · 2026-03-02 09:00:00`.
pub(crate) fn runs(diff: &Diff) -> String {
    let started = |started: &str| match crate::text::time::local(started) {
        Some(start) => start.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => visible(started),
    };
    let (before, after) = (&diff.before, &diff.after);
    let second = if before.program == after.program {
        started(&after.started)
    } else {
        format!("{} · {}", visible(&after.program), started(&after.started))
    };
    format!(
        "{} · {} → {second}",
        visible(&before.program),
        started(&before.started)
    )
}

/// What became of the process.
pub(crate) fn process(diff: &Diff) -> String {
    let time = |figure: Option<i64>| duration(figure.unwrap_or(0).unsigned_abs());
    format!(
        "peak of the process {}; duration {} → {}",
        sizes(diff.peak_rss),
        time(diff.duration_ns.before),
        time(diff.duration_ns.after),
    )
}

/// What grew most, by name, line and figures.
pub(crate) fn worst(diff: &Diff) -> Vec<Part> {
    let words = |text: &str| Part::Words(text.to_owned());
    match diff.worst() {
        None => vec![words(NOTHING)],
        Some((function, None)) => vec![
            name(function),
            Part::Words(format!(" grew most: {}", figures(&function.changes))),
        ],
        Some((function, Some(line))) => vec![
            Part::Words(format!(
                "line {} of ",
                line.after.or(line.before).unwrap_or_default()
            )),
            name(function),
            Part::Words(format!(
                "{} grew most: {}: ",
                was(line),
                figures(&line.changes)
            )),
            Part::Code(truncate(source_line(&line.source).trim(), QUOTE)),
        ],
    }
}

fn name(function: &FunctionDiff) -> Part {
    Part::Code(visible(&function.label))
}

fn was(line: &LineDiff) -> String {
    match (line.before, line.after) {
        (Some(before), Some(after)) if before != after => format!(" (line {before} before)"),
        (None, _) => " (new)".to_owned(),
        _ => String::new(),
    }
}

/// The kinds of memory that grew.
fn figures(changes: &Changes) -> String {
    let all = [
        ("peak", changes.peak_rss),
        ("net", changes.net_rss),
        ("heap peak", changes.heap_peak),
        ("heap net", changes.heap_net),
    ];
    let grown = all
        .iter()
        .filter(|(_, change)| change.change > signed(NOISE));
    let shown = grown.map(|(name, change)| format!("{name} {}", sizes(*change)));
    shown.collect::<Vec<_>>().join(", ")
}

/// `12.50 → 13.50 MiB (+1.000, +8.0 %)`.
fn sizes(change: Change) -> String {
    let size = |bytes: Option<i64>| match bytes.unwrap_or(0) {
        bytes @ ..0 => signed_mib(bytes),
        bytes => mib(bytes.unsigned_abs()),
    };
    if change.change == 0 {
        return format!("{} MiB as before", size(change.after));
    }
    let share = share(change);
    let share = if share.is_empty() {
        share
    } else {
        format!(", {share}")
    };
    format!(
        "{} → {} MiB ({}{share})",
        size(change.before),
        size(change.after),
        signed_mib(change.change)
    )
}

/// Why the figures of the runs may differ though the program does not.
pub(crate) fn remarks(diff: &Diff) -> Vec<&'static str> {
    let (before, after) = (&diff.before, &diff.after);
    let mut remarks = Vec::new();
    if before.peak_method != after.peak_method {
        remarks.push("peaks are exact in one run and from samples in the other");
    }
    if before.heap != after.heap {
        remarks.push("heap bytes were counted in one run only");
    }
    if before.command.get(1..) != after.command.get(1..) {
        remarks.push("the runs had different arguments");
    }
    remarks
}
