//! What is known of a law of growth: the law or why there is none, the curve, and what lies ahead on it.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::law::Law;

/// A figure at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Point {
    /// The size; positive.
    pub n: f64,
    /// The figure.
    pub value: f64,
}

/// What the values tell of the law.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
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
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
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
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
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
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Curve {
    /// Its form.
    pub law: Law,
    /// What the law is multiplied with.
    pub factor: f64,
    /// What it has at any size.
    pub constant: f64,
}

/// What is to be expected at a size that was not measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
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
