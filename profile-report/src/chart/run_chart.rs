//! The run's chart: RSS of the whole process, and below it a lane with the calls of each function.

use std::cmp::Reverse;

use memprof_model::run::{FunctionProfile, Run, WatchedChild};

use super::axis::{MemoryAxis, TimeAxis};
use super::canvas::{Align, Canvas, Drawn, Frame, draw};
use super::palette::Role;
use super::thin::thin;
use crate::error::ReportError;
use crate::facts::names::Names;
use crate::facts::ranking::ranked;
use crate::facts::shown_call::unlisted;
use crate::text::units::{duration, mib_unit};
use crate::text::visible::{truncate, visible};
use crate::words::watched::measure;

const POINTS: usize = 1_400;
/// Functions that get a lane: those that rank first.
const LANES: usize = 12;
/// Children that get a curve: more could not be told apart.
const CHILDREN: usize = 5;
/// Columns of a child's program in the legend.
const CHILD: usize = 9;
/// Height of a lane in CSS pixels.
pub(super) const LANE: i32 = 20;
/// Columns of a lane's label.
const LABEL: usize = 17;

/// The chart of a whole run, as SVG that stands alone: the process's RSS, its live heap where counted,
/// and when the functions that rank first were called.
///
/// # Errors
/// When it cannot be drawn, which would be a mistake in memprof.
pub fn run_chart(run: &Run) -> Result<String, ReportError> {
    let points: Vec<_> = run.series.iter().map(|s| (s.t_ns, s.rss)).collect();
    let heap: Vec<_> = run
        .series
        .iter()
        .filter_map(|s| Some((s.t_ns, s.heap?)))
        .collect();
    let lanes = lanes(run);
    let end = points.last().map_or(0, |p| p.0).max(run.duration_ns);
    let children = children(run);
    let of_children = children.iter().map(|child| child.peak_rss);
    let time = TimeAxis::new(0..end.saturating_add(end / 50));
    let heights = points.iter().chain(&heap).map(|p| p.1).chain(of_children);
    let frame = Frame {
        title: run.program.clone(),
        subtitle: subtitle(run, lanes.len()),
        time: match run.watched {
            Some(_) => time.since_the_start(),
            None => time,
        },
        memory: MemoryAxis::new(heights.chain([run.process.baseline_rss, run.process.peak_rss])),
        height: 282,
        left: 140,
        below: if lanes.is_empty() {
            0
        } else {
            lanes.len() as i32 * LANE + 12
        },
    };
    draw(&frame, |canvas| {
        let points = thin(&points, POINTS, |p| p.0, |p| p.1);
        canvas.area(&points, Role::Rss, 0.12)?;
        canvas.curve(&thin(&heap, POINTS, |p| p.0, |p| p.1), Role::Heap, 1.25)?;
        canvas.curve(&points, Role::Rss, 1.75)?;
        for (number, child) in children.iter().enumerate() {
            let points: Vec<_> = child.series.iter().map(|s| (s.t_ns, s.rss)).collect();
            let points = thin(&points, POINTS, |p| p.0, |p| p.1);
            canvas.curve(&points, Role::curve(number + 1), 1.25)?;
        }
        paint_peak(canvas, run)?;
        let heap = (!heap.is_empty()).then_some(("live heap", Role::Heap));
        let calls = (!lanes.is_empty()).then_some(("calls", Role::Call));
        let names: Vec<_> = children.iter().map(|child| child_name(child)).collect();
        let children = names.iter().enumerate();
        canvas.legend(
            &[(measure(run), Role::Rss)]
                .into_iter()
                .chain(calls)
                .chain(heap)
                .chain(children.map(|(number, name)| (name.as_str(), Role::curve(number + 1))))
                .collect::<Vec<_>>(),
        )?;
        paint_lanes(canvas, &named(run, &lanes), 0)
    })
}

/// The children that get a curve: those with the highest peaks, in order of their start.
pub(crate) fn children(run: &Run) -> Vec<&WatchedChild> {
    let all = run.watched.iter().flat_map(|watched| &watched.children);
    let mut chosen: Vec<_> = all.enumerate().collect();
    chosen.sort_by_key(|(_, child)| Reverse(child.peak_rss));
    chosen.truncate(CHILDREN);
    chosen.sort_by_key(|(i, _)| *i);
    chosen.into_iter().map(|(_, child)| child).collect()
}

/// What a child is called beside its curve.
pub(crate) fn child_name(child: &WatchedChild) -> String {
    let program = truncate(&visible(&child.program), CHILD);
    format!("{program} {}", child.pid)
}

fn subtitle(run: &Run, lanes: usize) -> String {
    let (baseline, peak) = (
        mib_unit(run.process.baseline_rss),
        mib_unit(run.process.peak_rss),
    );
    let figures = format!(
        "{} · baseline {baseline} · peak {peak}",
        duration(run.duration_ns)
    );
    if lanes < run.functions.iter().filter(|f| f.calls > 0).count() {
        format!("{figures} · the first {lanes} functions")
    } else {
        figures
    }
}

/// The functions whose calls are drawn below the chart: those that rank first, in the order of their first
/// calls.
pub(crate) fn lanes(run: &Run) -> Vec<&FunctionProfile> {
    let called = ranked(run).into_iter().filter(|f| f.function.calls > 0);
    let mut chosen: Vec<_> = called.take(LANES).collect();
    chosen.sort_by_key(|f| f.index);
    chosen.into_iter().map(|f| f.function).collect()
}

/// Each of `lanes` with what it is called.
pub(super) fn named<'a>(
    run: &Run,
    lanes: &[&'a FunctionProfile],
) -> Vec<(String, &'a FunctionProfile)> {
    let names = Names::of_run(run);
    let named = lanes.iter().map(|f| (names.of(f).to_owned(), *f));
    named.collect()
}

/// A dashed line at the process's peak: its height is known, its moment need not be.
fn paint_peak(canvas: &Canvas<'_, '_>, run: &Run) -> Drawn {
    let y = canvas.place(0, run.process.peak_rss).1;
    canvas.dashes((canvas.left(), y), (canvas.right(), y), Role::Peak)?;
    let label = format!("peak of the process {}", mib_unit(run.process.peak_rss));
    canvas.text(&label, (canvas.right() - 4, y - 11), Role::Peak, Align::End)
}

/// Draws when functions, each with its name, were called, `offset` CSS pixels below the axis with its labels and
/// title. Where not each call is listed, a pale bar reaches from the first to the last.
pub(super) fn paint_lanes(
    canvas: &Canvas<'_, '_>,
    lanes: &[(String, &FunctionProfile)],
    offset: i32,
) -> Drawn {
    let first = canvas.bottom() + 54 + offset;
    for (i, (name, function)) in lanes.iter().enumerate() {
        let y = first + i as i32 * LANE;
        let label = truncate(&visible(name), LABEL);
        canvas.text(&label, (canvas.left() - 10, y), Role::Muted, Align::End)?;
        canvas.stroke(
            &[(canvas.left(), y), (canvas.right(), y)],
            Role::Grid,
            1.0,
            1.0,
        )?;
        if let Some(rest) = unlisted(function) {
            let [from, to] = rest.ends().map(|(t_ns, _)| canvas.place(t_ns, 0).0);
            canvas.bar((from, y - 5), (to.max(from + 1), y + 5), Role::Call, 0.25)?;
        }
        for (from, to) in stretches(canvas, function) {
            canvas.bar(
                (from, y - 5),
                ((to - 1).max(from + 1), y + 5),
                Role::Call,
                0.75,
            )?;
        }
    }
    Ok(())
}

/// The pixels at which the function ran. Calls that touch become one where they are too narrow to
/// be told apart.
fn stretches(canvas: &Canvas<'_, '_>, function: &FunctionProfile) -> Vec<(i32, i32)> {
    const DISTINCT: i32 = 4;
    let mut merged: Vec<(i32, i32)> = Vec::new();
    for call in function.read_calls() {
        let (from, to) = (
            canvas.place(call.start_ns, 0).0,
            canvas.place(call.end_ns, 0).0,
        );
        match merged.last_mut() {
            Some(last) if from <= last.1 + 1 && (to - from).min(last.1 - last.0) < DISTINCT => {
                last.1 = last.1.max(to);
            }
            _ => merged.push((from, to)),
        }
    }
    merged
}
