//! The law by which a figure grows: what happens with ten times the input, measured instead of guessed.
//!
//! [`fit`] takes values at several sizes `n` and tells which law `a · f(n) + b` they follow: whether they
//! are constant, or grow with log n, √n, n, n log n, n^1.5, n², n³, or another power of `n`. It
//! names a law only if every other one is ruled out, with a chance of error of one in a
//! thousand; otherwise it says that it cannot tell, and between which.
//!
//! ```
//! # extern crate memprof_model as memprof;
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

mod data;
mod distributions;
pub(crate) mod fit;
mod law;
mod least_squares;
mod result;
#[cfg(test)]
mod trials;

pub use fit::fit;
pub use law::Law;
pub use result::{Curve, Exponent, Growth, Point, Prediction, Unknown};
