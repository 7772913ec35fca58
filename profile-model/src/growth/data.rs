//! Values to fit, with what each of them weighs, and the two kinds of fit.

use super::distributions::quantile;
use super::law::{Law, NAMED};
use super::least_squares::{self, Fit};
use super::result::Point;

/// Fewer sizes tell nothing.
pub(super) const FEWEST: usize = 5;
/// No law describes what a program does to more than this: what is exact counts as known to 0.3%.
const RELATIVE: f64 = 0.003;
/// In values of up to so many times the resolution noise of 10% cannot be seen.
const INVISIBLE: f64 = 10.0;
/// Exponents that are looked at.
const SMALLEST_EXPONENT: f64 = 0.02;
const LARGEST_EXPONENT: f64 = 6.0;
const STEPS: u32 = 150;

/// One value for each `n`, ascending.
#[derive(Debug, Clone)]
pub(super) struct Data {
    pub n: Vec<f64>,
    pub y: Vec<f64>,
    /// Reciprocals of the variances, if the values were as exact as they can be.
    weights: Vec<f64>,
    resolution: f64,
}

/// Of the smallest sizes, those with values in which no noise could be seen are left out but for two: they
/// agree with any law that is near zero there, and would let the others seem better known than they are.
fn without_zeros(points: &[Point], resolution: f64) -> &[Point] {
    let is_zero = |point: &&Point| point.value.abs() <= INVISIBLE * resolution;
    let zeros = points.iter().take_while(is_zero).count();
    let most = points.len().saturating_sub(FEWEST);
    &points[zeros.saturating_sub(2).min(most)..]
}

/// A law fitted to values.
#[derive(Debug, Clone)]
pub(super) struct Fitted {
    pub law: Law,
    fit: Fit,
    /// How far values are from the law, as a variance; 1 is as good as it gets.
    pub scatter: f64,
    /// Values less parameters.
    pub degrees: f64,
}

impl Data {
    pub(super) fn new(points: &[Point], resolution: f64) -> Data {
        let points = without_zeros(points, resolution);
        let mut data = Data {
            n: points.iter().map(|point| point.n).collect(),
            y: points.iter().map(|point| point.value).collect(),
            weights: Vec::new(),
            resolution,
        };
        // A smooth curve through the values tells better than a value that is off what it weighs.
        data.set_weights(&data.y.clone());
        for _ in 0..2 {
            let smooth = data.smooth();
            data.set_weights(&smooth);
        }
        data
    }

    pub(super) fn len(&self) -> usize {
        self.n.len()
    }

    fn set_weights(&mut self, levels: &[f64]) {
        let levels = levels.iter().zip(&self.y);
        let weigh = |(&level, &y): (&f64, &f64)| {
            let level = level
                .abs()
                .clamp(y.abs() / 3.0, (y.abs() * 3.0).max(self.resolution));
            1.0 / ((RELATIVE * level).powi(2) + self.resolution.powi(2))
        };
        self.weights = levels.map(weigh).collect();
    }

    /// How far a value at the level `y` scatters, as a variance, where `scatter` is 1.
    pub(super) fn variance(&self, y: f64) -> f64 {
        (RELATIVE * y).powi(2) + self.resolution.powi(2)
    }

    fn smooth(&self) -> Vec<f64> {
        let columns = if self.len() > 5 { 3 } else { 2 };
        let (k, fit) = self.best_power(columns);
        let row = |n: f64| flexible(k, n);
        self.n.iter().map(|&n| fit.at(&row(n))).collect()
    }

    /// `law` with its factor and constant part.
    pub(super) fn fit(&self, law: Law) -> Fitted {
        let columns = if law == Law::Constant { 1 } else { 2 };
        let fit = self.squares(columns, |n| [1.0, law.term(n), 0.0]);
        self.fitted(law, fit, law.parameters())
    }

    /// A power of `n` with the exponent that fits best.
    pub(super) fn fit_power(&self) -> Fitted {
        let (k, fit) = self.best_power(2);
        self.fitted(Law::Power(k), fit, 3.0)
    }

    fn fitted(&self, law: Law, fit: Fit, parameters: f64) -> Fitted {
        let degrees = self.len() as f64 - parameters;
        let scatter = (fit.rss / degrees).max(1.0);
        Fitted {
            law,
            fit,
            scatter,
            degrees,
        }
    }

    /// The sum of squares of the best curve with more freedom than a law has, and its degrees of freedom:
    /// a power of `n` that may bend, or two laws added up.
    pub(super) fn flexible(&self) -> (f64, f64) {
        let bent = self.best_power(3).1.rss;
        let laws = NAMED.iter().enumerate();
        let pairs = laws.flat_map(|(at, a)| NAMED[at + 1..].iter().map(move |b| (a, b)));
        let sums = pairs.map(|(a, b)| self.squares(3, |n| [1.0, a.term(n), b.term(n)]).rss);
        (sums.fold(bent, f64::min), self.len() as f64 - 4.0)
    }

    fn best_power(&self, columns: usize) -> (f64, Fit) {
        let at = |k: f64| self.squares(columns, |n| flexible(k, n));
        let (mut low, mut high) = (SMALLEST_EXPONENT, LARGEST_EXPONENT);
        let mut best = low;
        let mut steps = STEPS;
        // A grid, because there may be several minima, then finer ones around its best place.
        for _ in 0..4 {
            let width = (high - low) / f64::from(steps);
            let mut lowest = f64::INFINITY;
            for step in 0..=steps {
                let k = low + width * f64::from(step);
                let rss = at(k).rss;
                if rss < lowest {
                    (best, lowest) = (k, rss);
                }
            }
            low = (best - width).max(SMALLEST_EXPONENT);
            high = (best + width).min(LARGEST_EXPONENT);
            steps = 10;
        }
        (best, at(best))
    }

    /// Between which exponents the true one lies, with 95% confidence: those with which the fit is not
    /// worse than by chance.
    pub(super) fn exponents(&self, best: &Fitted) -> (f64, f64) {
        let Law::Power(k) = best.law else {
            return (0.0, 0.0);
        };
        let worse = best.scatter * quantile(0.05, 1.0, best.degrees);
        let allowed = best.fit.rss + worse;
        let fits = |k: f64| self.squares(2, |n| flexible(k, n)).rss <= allowed;
        (
            edge(k, SMALLEST_EXPONENT, &fits),
            edge(k, LARGEST_EXPONENT, &fits),
        )
    }

    fn squares(&self, columns: usize, row: impl Fn(f64) -> [f64; 3]) -> Fit {
        least_squares::fit(&self.y, &self.weights, columns, |at| row(self.n[at]))
    }
}

/// Where, between `inside` and `end`, the exponents that fit come to their end.
fn edge(inside: f64, end: f64, fits: &impl Fn(f64) -> bool) -> f64 {
    if fits(end) {
        return end;
    }
    let (mut inside, mut outside) = (inside, end);
    for _ in 0..40 {
        let middle = f64::midpoint(inside, outside);
        if fits(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

/// The columns of a power that may bend.
fn flexible(k: f64, n: f64) -> [f64; 3] {
    let power = n.powf(k);
    [1.0, power, power * n.ln()]
}

impl Fitted {
    fn row(&self, n: f64) -> [f64; 3] {
        [1.0, self.law.term(n), 0.0]
    }

    pub(super) fn at(&self, n: f64) -> f64 {
        self.fit.at(&self.row(n))
    }

    pub(super) fn rss(&self) -> f64 {
        self.fit.rss
    }

    /// The constant part, and the factor.
    pub(super) fn coefficients(&self) -> (f64, f64) {
        let mut coefficients = self.fit.coefficients.iter().copied();
        let constant = coefficients.next().unwrap_or(0.0);
        (constant, coefficients.next().unwrap_or(0.0))
    }

    /// The variance of the law's own value at `n`.
    pub(super) fn variance_at(&self, n: f64) -> f64 {
        self.scatter * self.fit.variance_at(&self.row(n))
    }

    /// The variance of how much it grows from `low` to `high`.
    pub(super) fn variance_of_rise(&self, low: f64, high: f64) -> f64 {
        let rise = self.law.term(high) - self.law.term(low);
        self.scatter * self.fit.variance_at(&[0.0, rise, 0.0])
    }
}
