//! Which figures of a function grow with the size of its input, and by which laws: those of its calls, and
//! the peaks of the lines that have most.

use crate::figures::HeapFigures;
use crate::growth::{Growth, Point, fit};
use crate::sized::{FigureGrowth, LineAtSize, SizeFigures, SizedFigure};

/// Lines that are looked at beside the function as a whole.
const LINES: usize = 3;
/// How far a peak of RSS may be off: two pages.
pub const RSS_RESOLUTION: f64 = 8192.0;
/// What heap figures are exact to.
pub const HEAP_RESOLUTION: f64 = 16.0;
/// How far a duration may be off: two readings.
const TIME_RESOLUTION: f64 = 10_000.0;

/// How the figures in `sizes` grow; those that are zero at every size are left out.
pub fn grown(sizes: &[SizeFigures]) -> Vec<FigureGrowth> {
    let whole = [
        SizedFigure::PeakRss,
        SizedFigure::NetRss,
        SizedFigure::HeapPeak,
        SizedFigure::TimeNs,
    ];
    let whole = whole.into_iter().map(|figure| (figure, None));
    let all = whole.chain(dominant_lines(sizes));
    let grown = all.filter_map(|(figure, line)| {
        let points = points(sizes, figure, line);
        let is_something = points.iter().any(|point| point.value > 0.0);
        is_something.then(|| FigureGrowth {
            figure,
            line,
            growth: finite(fit(&points, resolution(figure))),
        })
    });
    grown.collect()
}

/// `figure` at each size, of the function or of one of its lines.
pub fn points(sizes: &[SizeFigures], figure: SizedFigure, line: Option<u32>) -> Vec<Point> {
    let points = sizes.iter().map(|size| Point {
        n: size.n,
        value: match line {
            None => of_size(size, figure),
            Some(number) => {
                let line = size.lines.iter().find(|line| line.line == number);
                line.map_or(0.0, |line| of_line(line, figure))
            }
        },
    });
    points.collect()
}

fn of_size(size: &SizeFigures, figure: SizedFigure) -> f64 {
    match figure {
        SizedFigure::PeakRss => size.peak_rss as f64,
        SizedFigure::NetRss => size.net_rss as f64,
        SizedFigure::HeapPeak => heap_peak(size.heap),
        SizedFigure::TimeNs => size.time_ns as f64,
    }
}

fn of_line(line: &LineAtSize, figure: SizedFigure) -> f64 {
    match figure {
        SizedFigure::PeakRss => line.peak_rss as f64,
        SizedFigure::NetRss => line.net_rss as f64,
        SizedFigure::HeapPeak => heap_peak(line.heap),
        SizedFigure::TimeNs => line.time_ns as f64,
    }
}

fn heap_peak(heap: Option<HeapFigures>) -> f64 {
    heap.map_or(0.0, |heap| heap.peak as f64)
}

fn resolution(figure: SizedFigure) -> f64 {
    match figure {
        SizedFigure::TimeNs => TIME_RESOLUTION,
        SizedFigure::HeapPeak => HEAP_RESOLUTION,
        SizedFigure::PeakRss | SizedFigure::NetRss => RSS_RESOLUTION,
    }
}

/// The lines with the highest peaks at the largest size: of heap bytes where they are counted.
fn dominant_lines(sizes: &[SizeFigures]) -> Vec<(SizedFigure, Option<u32>)> {
    let Some(largest) = sizes.last() else {
        return Vec::new();
    };
    let figure = match largest.heap {
        Some(_) => SizedFigure::HeapPeak,
        None => SizedFigure::PeakRss,
    };
    let peaks = largest.lines.iter();
    let peaks = peaks.map(|line| (of_line(line, figure), line.line));
    let mut peaks: Vec<(f64, u32)> = peaks.filter(|&(peak, _)| peak > 0.0).collect();
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    peaks.truncate(LINES);
    let lines = peaks.into_iter().map(|(_, line)| (figure, Some(line)));
    lines.collect()
}

/// Without what is too large to be a number, which JSON cannot hold: a prediction for sizes beyond all
/// measure, for example.
fn finite(mut growth: Growth) -> Growth {
    let all = |values: &[f64]| values.iter().all(|value| value.is_finite());
    growth
        .predictions
        .retain(|at| all(&[at.n, at.value, at.low, at.high]));
    growth.curve = growth
        .curve
        .filter(|curve| all(&[curve.factor, curve.constant]));
    growth.exponent = growth
        .exponent
        .filter(|exponent| all(&[exponent.value, exponent.low, exponent.high]));
    growth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(of: impl Fn(f64) -> u64) -> Vec<SizeFigures> {
        let sizes = (3..11).map(|exponent| f64::from(1 << exponent));
        let figures = |n: f64| SizeFigures {
            n,
            calls: 1,
            peak_rss: of(n),
            net_rss: 0,
            time_ns: 0,
            heap: None,
            lines: [7_u32, 8, 9, 10]
                .map(|line| LineAtSize {
                    line,
                    peak_rss: of(n) / u64::from(line),
                    net_rss: 0,
                    time_ns: 0,
                    heap: None,
                })
                .to_vec(),
        };
        sizes.map(figures).collect()
    }

    #[test]
    fn of_the_function_and_of_its_three_highest_lines() {
        let grown = grown(&sizes(|n| (4096.0 * n * n) as u64));
        let which: Vec<_> = grown
            .iter()
            .map(|grown| (grown.figure, grown.line))
            .collect();
        let peak = SizedFigure::PeakRss;
        assert_eq!(
            which,
            [
                (peak, None),
                (peak, Some(7)),
                (peak, Some(8)),
                (peak, Some(9))
            ]
        );
        let law = Some(crate::growth::Law::Power(2.0));
        assert!(
            grown.iter().all(|grown| grown.growth.law == law),
            "{grown:#?}"
        );
    }

    #[test]
    fn nothing_without_sizes_and_of_zeros() {
        assert!(grown(&[]).is_empty());
        assert!(grown(&sizes(|_| 0)).is_empty());
    }

    #[test]
    fn every_number_is_one() {
        let mut huge = sizes(|n| n as u64);
        huge.iter_mut().for_each(|size| size.n *= 1e306);
        for grown in grown(&huge) {
            let growth = grown.growth;
            assert!(
                growth
                    .predictions
                    .iter()
                    .all(|at| at.n.is_finite() && at.high.is_finite())
            );
            assert!(growth.curve.is_none_or(|curve| curve.factor.is_finite()));
        }
    }
}
