//! The sentences at the top of every comparison.

use super::change::{Change, Changes};
use super::compare::{Diff, FunctionDiff, LineDiff, RunFacts};
use super::shown::{self, share};
use crate::text::sentence::Part;
use crate::text::units::{count, duration, mib, mib_unit, signed_mib};
use crate::text::visible::{source_line, truncate, visible};

/// The most columns of source that a sentence quotes.
const QUOTE: usize = 60;

/// Which runs are compared: `demo · 2026-03-01 14:05:09 → demo · 2026-03-02 09:00:00`.
pub(crate) fn runs(diff: &Diff) -> String {
    let started = |started: &str| match crate::text::time::local(started) {
        Some(start) => start.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        None => visible(started),
    };
    let side = |side: &RunFacts| match side.runs {
        1 => started(&side.started),
        runs => format!("{runs} runs, one of {}", started(&side.started)),
    };
    let (before, after) = (&diff.before, &diff.after);
    let second = if before.program == after.program {
        side(after)
    } else {
        format!("{} · {}", visible(&after.program), side(after))
    };
    format!("{} · {} → {second}", visible(&before.program), side(before))
}

/// What became of the process.
pub(crate) fn process(diff: &Diff) -> String {
    let time = |figure: Option<i64>| duration(figure.unwrap_or(0).unsigned_abs());
    let peak = diff.peak_rss;
    let peak = match peak.counts || peak.change == 0 {
        true => sizes(peak),
        false => format!(
            "{} MiB as before, within noise ({} MiB)",
            mib(peak.after.unwrap_or(0).unsigned_abs()),
            mib(peak.noise),
        ),
    };
    format!(
        "peak of the process {peak}; duration {} → {}",
        time(diff.duration_ns.before),
        time(diff.duration_ns.after),
    )
}

/// What grew most, by name, line and figures.
pub(crate) fn worst(diff: &Diff) -> Vec<Part> {
    match diff.worst() {
        None => vec![Part::Words(nothing(diff))],
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

/// That nothing grew, and what would not have been seen.
fn nothing(diff: &Diff) -> String {
    let alone = mib_unit(diff.rss_noise.alone);
    let what = match diff.is_beyond_noise() {
        false => "no change beyond noise",
        true => "no function and no line needs, keeps or allocates more beyond noise",
    };
    let heap = diff.before.heap && diff.after.heap;
    let decides = if heap { "the heap decides; " } else { "" };
    let least = match diff.rss_noise.shared {
        None => alone,
        Some(shared) => format!(
            "{alone}, and up to {} where several threads were at work",
            mib_unit(shared)
        ),
    };
    format!("{what} ({decides}RSS moves by up to {least}, of itself)")
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

/// What grew: memory, and only where that did not, what is allocated.
fn figures(changes: &Changes) -> String {
    let grown = |all: &[(&str, Change)]| {
        let grown = all.iter().filter(|(_, change)| change.certain() > 0);
        let shown = grown.map(|(name, change)| format!("{name} {}", sizes(*change)));
        shown.collect::<Vec<_>>().join(", ")
    };
    let [peak, net] = match changes.heap_peak.after {
        Some(_) => ["peak of RSS", "net of RSS"],
        None => ["peak", "net"],
    };
    let memory = grown(&[
        ("heap peak", changes.heap_peak),
        ("heap net", changes.heap_net),
        (peak, changes.peak_rss),
        (net, changes.net_rss),
    ]);
    if !memory.is_empty() {
        return memory;
    }
    let allocated = grown(&[("allocated", changes.heap_allocated)]);
    if !allocated.is_empty() {
        return allocated;
    }
    let number = |figure: Option<i64>| count(figure.unwrap_or(0).unsigned_abs());
    let allocations = changes.allocations;
    format!(
        "allocations {} → {}",
        number(allocations.before),
        number(allocations.after)
    )
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
    if !(before.heap && after.heap) && diff.rss_noise.shared.is_some() {
        remarks.push(
            "of RSS it is not known what several threads at work took each; with the counting allocator it is, \
             to the byte",
        );
    }
    if before.command.get(1..) != after.command.get(1..) {
        remarks.push("the runs had different arguments");
    }
    if shown::rows(diff).iter().any(shown::Row::has_noise) {
        remarks.push("~ differs by no more than two runs do in which the program does the same");
    }
    remarks
}
