//! `<function>.svg`: the call with the highest peak in its surroundings, entry, exit and peak marked. Where no single
//! call may stand for the function, all calls from the first to the last.

use std::cmp::Reverse;
use std::ops::Range;

use memprof_model::run::{Call, FunctionProfile, PeakAt, Run};

use super::axis::{MemoryAxis, TimeAxis};
use super::canvas::{Align, Canvas, Drawn, Frame, draw, text_width};
use super::palette::Role;
use super::thin::thin;
use crate::error::ReportError;
use crate::facts::names::Names;
use crate::facts::peak_moment::shown_peak;
use crate::facts::shown_call::{NOISE, Shown, which_call};
use crate::text::units::{count, duration, mib, mib_unit, signed_mib};

/// Points of a curve that are drawn: two for each pixel column.
const POINTS: usize = 1_400;
/// Brackets that are drawn; beyond, those with the highest peaks.
const BRACKETS: usize = 120;
/// All calls are shown when they take at most this many times the call that the chart is about.
const OVERVIEW: u64 = 14;
/// Otherwise that many of its durations are shown before and after it.
const AROUND: u64 = 4;

/// The chart of one function, as SVG that stands alone and follows the reader's colour scheme:
/// what `<function>.svg` holds.
///
/// # Errors
/// When it cannot be drawn, which would be a mistake in memprof.
pub fn function_chart(run: &Run, profile: &FunctionProfile) -> Result<String, ReportError> {
    chart_called(run, profile, Names::of_run(run).of(profile))
}

/// The chart of a function that is called `name`.
pub(crate) fn chart_called(
    run: &Run,
    profile: &FunctionProfile,
    name: &str,
) -> Result<String, ReportError> {
    let window = FunctionWindow::new(run, profile);
    let scene = Scene::new(run, profile, window.range.clone());
    let frame = Frame {
        title: name.to_owned(),
        subtitle: subtitle(profile, window.shown),
        time: TimeAxis::new(window.range),
        memory: MemoryAxis::new(scene.heights()),
        height: 322,
        left: 58,
        below: 0,
    };
    draw(&frame, |canvas| scene.paint(canvas))
}

/// Which stretch of time a function's chart shows.
pub(crate) struct FunctionWindow<'a> {
    /// Nanoseconds of the run.
    pub(crate) range: Range<u64>,
    /// What the chart is about; `None` without calls.
    pub(crate) shown: Option<Shown<'a>>,
}

impl<'a> FunctionWindow<'a> {
    /// All calls where the one that is shown stays visible among them, else its vicinity.
    pub(crate) fn new(run: &Run, profile: &'a FunctionProfile) -> Self {
        let Some(shown) = Shown::of(profile) else {
            return Self {
                range: 0..run.duration_ns,
                shown: None,
            };
        };
        let of = shown.stretch();
        let first = profile.read_calls().map(|c| c.start_ns).min();
        let first = first.unwrap_or(of.from_ns);
        let last = profile.read_calls().map(|c| c.end_ns).max();
        let last = last.unwrap_or(of.to_ns);
        let length = of.length_ns().max(1_000);
        let range = if last.saturating_sub(first) <= length.saturating_mul(OVERVIEW) {
            let margin = (last.saturating_sub(first) / 12).max(length / 12);
            first.saturating_sub(margin)..last.saturating_add(margin)
        } else {
            of.from_ns.saturating_sub(length.saturating_mul(AROUND))
                ..of.to_ns.saturating_add(length.saturating_mul(AROUND))
        };
        // Nothing was recorded after the run; a little air keeps the exit off the edge.
        let end = run.duration_ns.max(of.to_ns).saturating_add(length / 24);
        Self {
            range: range.start..range.end.min(end),
            shown: Some(shown),
        }
    }
}

fn subtitle(profile: &FunctionProfile, shown: Option<Shown<'_>>) -> String {
    match shown.filter(|_| profile.calls > 0) {
        None => "not called".to_owned(),
        Some(Shown::Call(call)) => of_call(profile, call),
        Some(Shown::AllCalls(_)) => of_all_calls(profile),
    }
}

fn of_call(profile: &FunctionProfile, call: &Call) -> String {
    let mut length = duration(call.end_ns.saturating_sub(call.start_ns));
    if call.suspended_ns > 0 {
        length.push_str(&format!(
            ", of it {} suspended",
            duration(call.suspended_ns)
        ));
    }
    let calls = match profile.calls {
        1 => format!("1 call of {length}"),
        n => {
            let which = which_call(profile, call);
            format!("{n} calls; in colour {which}, {length}")
        }
    };
    let (entry, exit) = (mib(call.entry_rss), mib_unit(call.exit_rss));
    format!(
        "{calls}  ·  entry {entry} → exit {exit} ({} MiB)",
        signed_mib(call.net_rss)
    )
}

fn of_all_calls(profile: &FunctionProfile) -> String {
    let each = profile.time_ns / profile.calls.max(1);
    let heap_peak = profile.heap.map_or(0, |heap| heap.peak);
    let is_counted = profile.highest_call().is_some_and(|call| call.only_counted);
    let why = match profile.peak_rss.max(heap_peak) {
        peak if peak < NOISE => "none rose by 64 KiB",
        _ if is_counted => "the highest was only counted",
        _ => "which of them was the highest is not known",
    };
    format!(
        "{} calls, {} each  ·  {why}",
        count(profile.calls),
        duration(each)
    )
}

/// What is drawn, already reduced to the window.
struct Scene<'a> {
    shown: Option<Shown<'a>>,
    series: Vec<(u64, u64)>,
    heap: Vec<(u64, u64)>,
    process: Vec<(u64, u64)>,
    others: Vec<&'a Call>,
    peak: Option<(PeakAt, u64)>,
    peak_label: String,
}

impl<'a> Scene<'a> {
    fn new(run: &Run, profile: &'a FunctionProfile, window: Range<u64>) -> Self {
        let shown = FunctionWindow::new(run, profile).shown;
        let call = shown.and_then(Shown::call);
        let series = series(run, profile, shown, &window);
        let heap = heap(run, profile, call, &window);
        let peak = shown_peak(profile).filter(|(_, time)| window.contains(time));
        Self {
            shown,
            heap: thin(&heap, POINTS, |p| p.0, |p| p.1),
            process: thin(&process(run, &window), POINTS, |p| p.0, |p| p.1),
            others: others(profile, call, &window),
            peak_label: peak
                .map(|(at, _)| peak_label(profile, &at))
                .unwrap_or_default(),
            series,
            peak,
        }
    }

    /// Every size that must fit on the axis.
    fn heights(&self) -> impl Iterator<Item = u64> {
        let curves = self
            .series
            .iter()
            .chain(&self.process)
            .chain(&self.heap)
            .map(|p| p.1);
        let calls = self
            .others
            .iter()
            .flat_map(|call| [call.entry_rss, call.exit_rss]);
        curves
            .chain(calls)
            .chain(self.peak.iter().map(|(at, _)| at.rss))
    }

    fn paint(&self, canvas: &Canvas<'_, '_>) -> Drawn {
        self.paint_ends(canvas)?;
        canvas.curve(&self.process, Role::Process, 1.0)?;
        canvas.area(&self.series, Role::Rss, 0.12)?;
        canvas.curve(&self.heap, Role::Heap, 1.25)?;
        canvas.curve(&self.series, Role::Rss, 1.75)?;
        for call in &self.others {
            brackets(canvas, call, Role::OtherCall, 0.55)?;
        }
        if let Some(call) = self.shown.and_then(Shown::call) {
            brackets(canvas, call, Role::Call, 1.0)?;
        }
        self.paint_peak(canvas)?;
        self.paint_legend(canvas)
    }

    /// Dashed lines at entry and exit, named where there is room.
    fn paint_ends(&self, canvas: &Canvas<'_, '_>) -> Drawn {
        let Some(of) = self.shown.map(Shown::stretch) else {
            let middle = (
                (canvas.left() + canvas.right()) / 2,
                (canvas.top() + canvas.bottom()) / 2,
            );
            return canvas.text("no call was recorded", middle, Role::Muted, Align::Middle);
        };
        let (entry, exit) = (canvas.place(of.from_ns, 0).0, canvas.place(of.to_ns, 0).0);
        for x in [entry, exit] {
            canvas.dashes((x, canvas.bottom()), (x, canvas.top()), Role::Call)?;
        }
        let y = canvas.bottom() - 10;
        // The words stand outside of the call, where the curve is low.
        if entry - canvas.left() > 40 {
            canvas.text("entry", (entry - 5, y), Role::Call, Align::End)?;
        } else if exit - entry > 90 {
            canvas.text("entry", (entry + 5, y), Role::Call, Align::Start)?;
        }
        if canvas.right() - exit > 34 {
            canvas.text("exit", (exit + 5, y), Role::Call, Align::Start)?;
        } else if exit - entry > 90 {
            canvas.text("exit", (exit - 5, y), Role::Call, Align::End)?;
        }
        Ok(())
    }

    /// The peak at its true height. Where no sample came near, a spike leads up to it, and a bar
    /// shows the interval in which it was reached.
    fn paint_peak(&self, canvas: &Canvas<'_, '_>) -> Drawn {
        let Some((at, time)) = self.peak else {
            return Ok(());
        };
        let (x, y) = canvas.place(time, at.rss);
        let below = canvas.place(time, height_at(&self.series, time)).1;
        if below - y > 6 {
            canvas.stroke(&[(x, below), (x, y)], Role::Peak, 1.25, 1.0)?;
            let (from, to) = (canvas.place(at.from_ns, 0).0, canvas.place(at.to_ns, 0).0);
            canvas.stroke(
                &[(from.max(canvas.left()), y), (to.min(canvas.right()), y)],
                Role::Peak,
                1.25,
                1.0,
            )?;
        }
        canvas.dot((x, y), Role::Peak)?;
        let half = text_width(&self.peak_label) / 2 + 8;
        let centre = x.clamp(
            canvas.left() + half,
            (canvas.right() - half).max(canvas.left() + half),
        );
        canvas.text(
            &self.peak_label,
            (centre, y - 17),
            Role::Peak,
            Align::Middle,
        )
    }

    fn paint_legend(&self, canvas: &Canvas<'_, '_>) -> Drawn {
        let one = self.shown.is_none_or(|shown| shown.call().is_some());
        let (during, outside) = match one {
            true => ("RSS during the call", "RSS outside of it"),
            false => ("RSS from the first call to the last", "RSS outside of them"),
        };
        let mut entries = vec![(during, Role::Rss)];
        if !self.process.is_empty() {
            entries.push((outside, Role::Process));
        }
        if !self.heap.is_empty() {
            entries.push(("live heap", Role::Heap));
        }
        entries.push(("entry and exit", Role::Call));
        canvas.legend(&entries)
    }
}

/// The samples of what is shown with its entry and exit, which are readings too.
fn series(
    run: &Run,
    profile: &FunctionProfile,
    shown: Option<Shown<'_>>,
    window: &Range<u64>,
) -> Vec<(u64, u64)> {
    let mut points: Vec<_> = match shown {
        Some(Shown::AllCalls(of)) => {
            let samples = run.series.iter().map(|s| (s.t_ns, s.rss));
            samples.filter(|p| of.contains(p.0)).collect()
        }
        _ => profile.series.iter().map(|s| (s.t_ns, s.rss)).collect(),
    };
    points.extend(shown.iter().flat_map(|shown| shown.stretch().ends()));
    points.retain(|p| window.contains(&p.0));
    points.sort_by_key(|p| p.0);
    thin(&points, POINTS, |p| p.0, |p| p.1)
}

/// Live heap: the call's samples, and the process's before and after it.
fn heap(
    run: &Run,
    profile: &FunctionProfile,
    call: Option<&Call>,
    window: &Range<u64>,
) -> Vec<(u64, u64)> {
    let outside = |t_ns: &u64| call.is_none_or(|c| *t_ns < c.start_ns || *t_ns > c.end_ns);
    let around = run.series.iter().filter(|s| outside(&s.t_ns));
    let around = around.filter_map(|s| Some((s.t_ns, s.heap?)));
    let during = profile.series.iter().filter(|_| call.is_some());
    let during = during.filter_map(|s| Some((s.t_ns, s.heap?)));
    let shown = around.chain(during).filter(|p| window.contains(&p.0));
    let mut points: Vec<_> = shown.collect();
    points.sort_by_key(|p| p.0);
    points
}

/// The process's samples in the window, with one more on either side so that the curve reaches the edges.
fn process(run: &Run, window: &Range<u64>) -> Vec<(u64, u64)> {
    let from = run.series.partition_point(|s| s.t_ns < window.start);
    let to = run.series.partition_point(|s| s.t_ns <= window.end);
    let shown = run.series.get(from..to).unwrap_or_default();
    shown.iter().map(|s| (s.t_ns, s.rss)).collect()
}

fn others<'a>(
    profile: &'a FunctionProfile,
    call: Option<&Call>,
    window: &Range<u64>,
) -> Vec<&'a Call> {
    let is_shown =
        |c: &&Call| c.end_ns >= window.start && c.start_ns <= window.end && Some(*c) != call;
    let mut others: Vec<_> = profile.read_calls().filter(is_shown).collect();
    others.sort_by_key(|c| Reverse(c.rank()));
    others.truncate(BRACKETS);
    others
}

/// The curve's height at a moment, between its points.
fn height_at(series: &[(u64, u64)], t_ns: u64) -> u64 {
    let after = series.partition_point(|p| p.0 < t_ns);
    match (
        after.checked_sub(1).and_then(|i| series.get(i)),
        series.get(after),
    ) {
        (Some(a), Some(b)) => {
            let part = (t_ns - a.0) as f64 / (b.0 - a.0).max(1) as f64;
            (a.1 as f64 + (b.1 as f64 - a.1 as f64) * part) as u64
        }
        (Some(p), None) | (None, Some(p)) => p.1,
        (None, None) => 0,
    }
}

fn peak_label(profile: &FunctionProfile, at: &PeakAt) -> String {
    let line = at
        .line
        .map(|line| format!(", line {line}"))
        .unwrap_or_default();
    format!(
        "peak {} ({} above entry){line}",
        mib_unit(at.rss),
        mib(profile.peak_rss)
    )
}

/// mprof's brackets: where the call began and ended, in time and in size.
fn brackets(canvas: &Canvas<'_, '_>, call: &Call, role: Role, opacity: f64) -> Drawn {
    const HALF: i32 = 8;
    let (entry, exit) = (
        canvas.place(call.start_ns, call.entry_rss),
        canvas.place(call.end_ns, call.exit_rss),
    );
    let hook = ((exit.0 - entry.0) / 3).clamp(0, 5);
    for ((x, y), hook) in [(entry, hook), (exit, -hook)] {
        if (canvas.left()..=canvas.right()).contains(&x) {
            let shape = [
                (x + hook, y - HALF),
                (x, y - HALF),
                (x, y + HALF),
                (x + hook, y + HALF),
            ];
            canvas.stroke(&shape, role, 1.5, opacity)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn chart(run: &Run) -> String {
        function_chart(run, &run.functions[0]).unwrap()
    }

    /// The texts of a chart, in the order in which they were drawn.
    fn texts(svg: &str) -> Vec<&str> {
        let texts = svg
            .split("<text")
            .skip(1)
            .filter_map(|text| text.split_once('>'));
        texts
            .filter_map(|(_, rest)| rest.split("</text>").next())
            .map(str::trim)
            .collect()
    }

    #[test]
    fn a_call_without_samples_has_its_whole_picture() {
        insta::assert_snapshot!(chart(&fixture::no_samples()));
    }

    #[test]
    fn the_peak_is_drawn_at_its_exact_height_though_no_sample_saw_it() {
        let svg = chart(&fixture::no_samples());
        assert!(
            texts(&svg).contains(&"peak 6.000 MiB (3.000 above entry), line 5"),
            "{:?}",
            texts(&svg)
        );
    }

    #[test]
    fn every_fixture_is_one_well_formed_element_without_markup_from_outside() {
        for (name, run) in fixture::all() {
            for function in &run.functions {
                let svg = function_chart(&run, function).unwrap();
                assert!(
                    svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"),
                    "{name}"
                );
                assert!(!svg.contains("<script") && !svg.contains("<img"), "{name}");
                assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{name}");
            }
        }
    }

    #[test]
    fn live_heap_is_a_second_curve_with_its_name_where_it_is_counted() {
        assert!(texts(&chart(&fixture::apart())).contains(&"live heap"));
        assert!(!texts(&chart(&fixture::inverse())).contains(&"live heap"));
    }

    /// Of a hundred thousand calls that did nothing none is picked out.
    #[test]
    fn calls_of_which_none_rose_are_shown_all_together() {
        let mut run = fixture::many_short_calls();
        let function = &mut run.functions[0];
        (function.peak_rss, function.peak_at) = (0, None);
        for call in &mut function.call_records {
            call.peak_rss = 0;
        }
        let window = FunctionWindow::new(&run, &run.functions[0]);
        let records = &run.functions[0].call_records;
        assert!(window.range.start <= records[0].start_ns);
        assert!(window.range.end >= records[records.len() - 1].end_ns);
        let svg = chart(&run);
        let texts = texts(&svg);
        assert!(
            texts.contains(&"1000 calls, 950.0 µs each  ·  none rose by 64 KiB"),
            "{texts:?}"
        );
        assert!(
            texts.contains(&"RSS from the first call to the last"),
            "{texts:?}"
        );
    }

    /// 40 MiB were met at a later reading: the call that took them has no record.
    #[test]
    fn a_peak_whose_call_is_not_known_is_in_no_call() {
        let mut run = fixture::many_short_calls();
        run.functions[0].peak_rss = 40 << 20;
        let svg = chart(&run);
        let subtitle = texts(&svg)[1];
        assert!(
            subtitle.ends_with("which of them was the highest is not known"),
            "{subtitle}"
        );
    }

    #[test]
    fn many_short_calls_show_the_highest_and_its_neighbours() {
        let run = fixture::many_short_calls();
        let window = FunctionWindow::new(&run, &run.functions[0]);
        let call = window.shown.and_then(Shown::call).unwrap();
        let share =
            (call.end_ns - call.start_ns) as f64 / (window.range.end - window.range.start) as f64;
        assert!(share > 0.08, "{share}");
    }
}
