//! Several runs over each other, or one in a window of time: what `mprof plot` draws.

use std::ops::Range;

use memprof_model::run::{FunctionProfile, Run};

use super::axis::{MemoryAxis, TimeAxis};
use super::canvas::{Align, Canvas, Drawn, Frame, draw};
use super::palette::Role;
use super::run_chart::{LANE, child_name, children, lanes, named, paint_lanes};
use super::thin::thin;
use crate::error::ReportError;
use crate::format::mprof;
use crate::read::DatFile;
use crate::text::units::{duration, mib_unit};
use crate::text::visible::{truncate, visible};

const POINTS: usize = 1_400;
/// Columns of a curve's label.
const LABEL: usize = 70;
const MIB: f64 = 1_048_576.0;

/// A run as a curve of a [`plot`].
#[derive(Debug, Clone)]
pub struct Curve {
    label: String,
    /// Nanoseconds since the curve's start, and bytes.
    points: Vec<(u64, u64)>,
    line: Option<Line>,
    children: Vec<(String, Vec<(u64, u64)>)>,
    functions: Vec<FunctionProfile>,
}

/// How a [`plot`] is drawn.
#[derive(Debug, Clone, Default)]
pub struct PlotOptions {
    /// What stands above; the labels of the curves without it.
    pub title: Option<String>,
    /// The stretch of time that is shown, nanoseconds since each run's start; all of it without.
    pub window: Option<Range<u64>>,
    /// Draw the straight line that fits best, and say by how many MiB a second it rises.
    pub slope: bool,
    /// Draw when functions were called. Only with a single curve, as there is no telling otherwise.
    pub functions: bool,
}

impl Curve {
    /// A saved run.
    #[must_use]
    pub fn of_run(label: &str, run: &Run) -> Curve {
        let points = mprof::memory(run);
        let exact = points
            .iter()
            .map(|&(t_ns, rss)| (t_ns as f64 / 1e9, rss as f64 / MIB));
        Curve {
            line: line(&exact.collect::<Vec<_>>()),
            points,
            ..Curve::around(label, run)
        }
    }

    /// A file of mprof's, with every reading that is in it.
    #[must_use]
    pub fn of_dat(label: &str, file: &DatFile) -> Curve {
        Curve {
            line: line(&file.exact_memory()),
            points: file.all_memory(),
            ..Curve::around(label, &file.to_run())
        }
    }

    fn around(label: &str, run: &Run) -> Curve {
        let series = |series: &[memprof_model::run::Sample]| {
            series.iter().map(|s| (s.t_ns, s.rss)).collect()
        };
        Curve {
            label: label.to_owned(),
            points: Vec::new(),
            line: None,
            children: children(run)
                .into_iter()
                .map(|child| (child_name(child), series(&child.series)))
                .collect(),
            functions: named(run, &lanes(run))
                .into_iter()
                .map(|(label, function)| {
                    let mut function = function.clone();
                    function.label = label;
                    function
                })
                .collect(),
        }
    }

    /// By how many MiB a second the memory rises: the slope of the straight line that fits all readings
    /// best (least squares), as mprof computes it. `None` with less than two moments.
    #[must_use]
    pub fn slope(&self) -> Option<f64> {
        self.line.map(|line| line.slope)
    }

    /// The highest memory, bytes.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.points.iter().map(|point| point.1).max().unwrap_or(0)
    }

    /// Its length, nanoseconds.
    fn end(&self) -> u64 {
        let children = self.children.iter().flat_map(|(_, points)| points);
        self.points
            .iter()
            .chain(children)
            .map(|point| point.0)
            .max()
            .unwrap_or(0)
    }
}

/// `curves` over each other, as SVG that stands alone. Each begins at 0.
///
/// # Errors
/// When it cannot be drawn, which would be a mistake in memprof.
///
/// ```no_run
/// use memprof::report::{Curve, PlotOptions, plot, read_run};
///
/// let run = read_run("target/memprof/latest")?;
/// let svg = plot(&[Curve::of_run("latest", &run)], &PlotOptions::default())?;
/// # Ok::<(), memprof::report::ReportError>(())
/// ```
pub fn plot(curves: &[Curve], options: &PlotOptions) -> Result<String, ReportError> {
    let end = curves.iter().map(Curve::end).max().unwrap_or(0);
    let window = options
        .window
        .clone()
        .unwrap_or(0..end.saturating_add(end / 50));
    let drawn = drawn(curves, &window);
    let functions: Vec<FunctionProfile> = match curves {
        [only] if options.functions => only.functions.iter().map(|f| during(f, &window)).collect(),
        _ => Vec::new(),
    };
    let rows = drawn.len() + functions.len();
    let heights = drawn
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|point| point.1);
    let time = TimeAxis::new(window);
    let frame = Frame {
        title: options.title.clone().unwrap_or_else(|| title(curves)),
        subtitle: subtitle(curves),
        // Of what was watched from outside no first call is known.
        time: match curves.iter().all(|curve| curve.functions.is_empty()) {
            true => time.since_the_start(),
            false => time,
        },
        memory: MemoryAxis::new(heights),
        height: 362,
        left: 140,
        below: rows as i32 * LANE + 12,
    };
    draw(&frame, |canvas| {
        for curve in &drawn {
            let points = thin(&curve.points, POINTS, |p| p.0, |p| p.1);
            if drawn.len() == 1 {
                canvas.area(&points, curve.role, 0.12)?;
            }
            canvas.curve(&points, curve.role, 1.75)?;
        }
        if options.slope {
            paint_slopes(canvas, curves)?;
        }
        for (row, curve) in drawn.iter().enumerate() {
            let slope = curve.of.filter(|_| options.slope);
            paint_key(canvas, row, curve, slope.and_then(Curve::slope))?;
        }
        let functions: Vec<_> = functions.iter().map(|f| (f.label.clone(), f)).collect();
        paint_lanes(canvas, &functions, drawn.len() as i32 * LANE)
    })
}

/// A curve, or a child's, as far as the window shows it.
struct DrawnCurve<'a> {
    label: String,
    points: Vec<(u64, u64)>,
    role: Role,
    /// The curve, if it is no child.
    of: Option<&'a Curve>,
    peak: u64,
}

fn drawn<'a>(curves: &'a [Curve], window: &Range<u64>) -> Vec<DrawnCurve<'a>> {
    let mut all = Vec::new();
    for curve in curves {
        let own = (curve.label.clone(), &curve.points, Some(curve));
        let children = curve.children.iter();
        let children =
            children.map(|(name, points)| (format!("{}: {name}", curve.label), points, None));
        all.extend([own].into_iter().chain(children));
    }
    let numbered = all.into_iter().enumerate();
    numbered
        .map(|(number, (label, points, of))| DrawnCurve {
            label,
            points: within(points, window),
            role: Role::curve(number),
            of,
            peak: points.iter().map(|point| point.1).max().unwrap_or(0),
        })
        .collect()
}

/// The points in the window, with what the curve is at its edges.
fn within(points: &[(u64, u64)], window: &Range<u64>) -> Vec<(u64, u64)> {
    let first = points.partition_point(|point| point.0 < window.start);
    let last = points.partition_point(|point| point.0 <= window.end);
    let edge = |at: usize, t_ns: u64| {
        let (a, b) = (points.get(at.checked_sub(1)?)?, points.get(at)?);
        let share = (t_ns - a.0) as f64 / (b.0 - a.0).max(1) as f64;
        Some((
            t_ns,
            (a.1 as f64 + share * (b.1 as f64 - a.1 as f64)) as u64,
        ))
    };
    let inside = points.get(first..last).unwrap_or_default().iter().copied();
    let before = edge(first, window.start);
    let after = edge(last, window.end);
    before.into_iter().chain(inside).chain(after).collect()
}

/// The function with the calls that the window shows.
fn during(function: &FunctionProfile, window: &Range<u64>) -> FunctionProfile {
    let mut function = function.clone();
    function
        .call_records
        .retain(|call| call.start_ns <= window.end && call.end_ns >= window.start);
    function
}

/// A straight line: MiB at the start, and MiB a second.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: f64,
    slope: f64,
}

/// The line that fits `points`, seconds and MiB, best.
fn line(points: &[(f64, f64)]) -> Option<Line> {
    let count = points.len() as f64;
    let t = points.iter().map(|point| point.0).sum::<f64>() / count;
    let m = points.iter().map(|point| point.1).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|point| (point.0 - t).powi(2)).sum();
    let both: f64 = points
        .iter()
        .map(|point| (point.0 - t) * (point.1 - m))
        .sum();
    (spread > 0.0).then(|| Line {
        start: m - both / spread * t,
        slope: both / spread,
    })
}

fn paint_slopes(canvas: &Canvas<'_, '_>, curves: &[Curve]) -> Drawn {
    for curve in curves {
        let Some(line) = curve.line else {
            continue;
        };
        let bytes =
            |t_ns: u64| ((line.start + line.slope * t_ns as f64 / 1e9) * MIB).max(0.0) as u64;
        let end = curve.end();
        canvas.curve(&[(0, bytes(0)), (end, bytes(end))], Role::Muted, 1.0)?;
    }
    Ok(())
}

/// The row below the axis that says what a curve is.
fn paint_key(
    canvas: &Canvas<'_, '_>,
    row: usize,
    curve: &DrawnCurve<'_>,
    slope: Option<f64>,
) -> Drawn {
    let y = canvas.bottom() + 54 + row as i32 * LANE;
    canvas.stroke(
        &[(canvas.left(), y), (canvas.left() + 14, y)],
        curve.role,
        2.0,
        1.0,
    )?;
    let slope = slope.map_or(String::new(), |slope| format!(" · slope {slope:.5} MiB/s"));
    let label = truncate(&visible(&curve.label), LABEL);
    let text = format!("{label} · peak {}{slope}", mib_unit(curve.peak));
    canvas.text(&text, (canvas.left() + 22, y), Role::Muted, Align::Start)
}

fn title(curves: &[Curve]) -> String {
    match curves {
        [only] => only.label.clone(),
        _ => format!("{} runs", curves.len()),
    }
}

fn subtitle(curves: &[Curve]) -> String {
    match curves {
        [only] => format!("{} · peak {}", duration(only.end()), mib_unit(only.peak())),
        _ => "each from its own start".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::read::parse_dat;

    #[test]
    fn a_slope_is_that_of_the_best_line() {
        let dat =
            parse_dat(b"CMDLINE a\nMEM 1.0 100.0\nMEM 2.0 101.0\nMEM 6.0 102.0\nMEM 3.0 103.0\n")
                .unwrap();
        // numpy.polyfit([0, 1, 2, 3], [1, 2, 6, 3], 1)[0]
        let slope = Curve::of_dat("a", &dat).slope().unwrap();
        assert!((slope - 1.0).abs() < 1e-9, "{slope}");
        assert_eq!(
            Curve::of_run("b", &fixture::nothing())
                .slope()
                .map(|slope| slope.abs() < 1e-9),
            Some(true)
        );
    }

    #[test]
    fn a_window_cuts_curves_at_its_edges() {
        let points = [(0, 0), (10, 100), (20, 0)];
        assert_eq!(within(&points, &(5..15)), [(5, 50), (10, 100), (15, 50)]);
        assert_eq!(within(&points, &(12..14)), [(12, 80), (14, 60)]);
        assert_eq!(within(&points, &(0..99)), points);
        assert_eq!(within(&points, &(30..40)), []);
    }

    #[test]
    fn every_run_can_be_drawn_alone_together_and_in_a_window() {
        let all: Vec<_> = fixture::all()
            .iter()
            .map(|(name, run)| Curve::of_run(name, run))
            .collect();
        let options = |window, slope| PlotOptions {
            window,
            slope,
            functions: true,
            title: None,
        };
        for curve in &all {
            for options in [
                options(None, true),
                options(Some(1_000_000..2_000_000), false),
            ] {
                assert!(
                    plot(std::slice::from_ref(curve), &options)
                        .unwrap()
                        .contains(" · peak ")
                );
            }
        }
        let together = plot(&all, &options(None, true)).unwrap();
        assert!(together.contains("inverse") && together.contains("slope"));
        for (run, since) in [
            (fixture::watched(), "since the start"),
            (fixture::inverse(), "since the first call"),
        ] {
            let chart = plot(&[Curve::of_run("a", &run)], &options(None, false)).unwrap();
            assert!(chart.contains(since), "{since}: {chart}");
        }
    }
}
