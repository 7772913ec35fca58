//! The law by which a figure grows: what happens with ten times the input, measured instead of guessed.
//!
//! [`fit`] takes values at several sizes `n` and tells which law `a · f(n) + b` they follow: whether they
//! are constant, or grow with log n, √n, n, n log n, n^1.5, n², n³, or another power of `n`. It
//! names a law only if every other one is ruled out, with a chance of error of one in a
//! thousand; otherwise it says that it cannot tell, and between which.
//!
//! ```
//! use memprof::growth::{Law, Point, fit};
//!
//! let sizes = [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0];
//! let points = sizes.map(|n| Point { n, value: 24.0 * n * n + 70_000.0 });
//! let growth = fit(&points, 1.0);
//! assert_eq!(growth.law, Some(Law::Power(2.0)));
//! let exponent = growth.exponent.expect("it grows");
//! assert!(1.95 < exponent.low && exponent.high < 2.05);
//! ```
//!
//! Google's benchmark fits `a · f(n)` for each of six `f` and names the one with the smallest error,
//! however near the next one is; a constant part, which every process has, goes into `a`. Goldsmith, Aiken
//! and Wilkerson (*Measuring Empirical Computational Complexity*, 2007) fit a power to logarithms,
//! where a constant part lowers the exponent. So here the constant part is fitted, and the interval of
//! the exponent tells how well it is known.

mod choice;
mod data;
mod figures;
mod fisher;
mod law;
mod squares;
#[cfg(test)]
mod trials;

pub(crate) use choice::faster_than;
pub use choice::fit;
pub(crate) use figures::grown;
#[cfg(feature = "report")]
pub(crate) use figures::points;
pub use law::Law;

#[cfg(feature = "report")]
use serde::{Deserialize, Serialize};

/// A figure at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Point {
    /// The size; positive.
    pub n: f64,
    /// The figure.
    pub value: f64,
}

/// What the values tell of the law.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Growth {
    /// The law, if it can be told.
    pub law: Option<Law>,
    /// Why it cannot be told.
    pub unknown: Option<Unknown>,
    /// The laws that are not ruled out.
    pub possible: Vec<Law>,
    /// The exponent of the power of `n` that fits best, also where the law is none. `None` where nothing
    /// could be fitted, and where the figure does not grow.
    pub exponent: Option<Exponent>,
    /// The best curve: of the law, or where it cannot be told of the best power.
    pub curve: Option<Curve>,
    /// The values at 10 and 100 times the largest size, if things go on like that.
    pub predictions: Vec<Prediction>,
    /// The smallest size that the law holds from; smaller ones were left out, because something
    /// else rules there.
    pub from: f64,
    /// The largest size.
    pub to: f64,
}

/// Why a law cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "report", serde(rename_all = "lowercase"))]
pub enum Unknown {
    /// There are fewer than five sizes.
    FewSizes,
    /// The largest size is less than eight times the smallest.
    NarrowRange,
    /// More than one law fits.
    SeveralFit,
    /// No law fits.
    NoneFits,
}

/// An exponent with its interval of 95% confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Exponent {
    /// The one that fits best.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `factor · law(n) + constant`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Curve {
    /// Its form.
    pub law: Law,
    /// What the law is multiplied with.
    pub factor: f64,
    /// What it has at any size.
    pub constant: f64,
}

/// What is to be expected at a size that was not measured.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "report", derive(Serialize, Deserialize))]
pub struct Prediction {
    /// The size.
    pub n: f64,
    /// The value on the curve.
    pub value: f64,
    /// Lower end of the interval that holds it with 95% confidence.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Curve {
    /// Its value at `n`.
    #[must_use]
    pub fn at(&self, n: f64) -> f64 {
        self.factor * self.law.term(n) + self.constant
    }
}
