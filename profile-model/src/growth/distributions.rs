//! Quantiles of the F distribution: how much worse a fit may be by chance.
//!
//! No crate in place of this: `special` and `statrs` stand on crates with build scripts, and the incomplete
//! beta function of `puruspe` 0.4 panics on what is not a number and has a misplaced bracket above 3,000.

/// The value that an F-distributed ratio with `d1` and `d2` degrees of freedom exceeds with
/// probability `tail`.
pub(crate) fn quantile(tail: f64, d1: f64, d2: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while exceeds(high, d1, d2) > tail && high < 1e12 {
        high *= 4.0;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if exceeds(middle, d1, d2) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The factor of a standard error that a two-sided interval of this `tail` reaches to (Student's t).
pub(crate) fn student(tail: f64, degrees: f64) -> f64 {
    quantile(tail, 1.0, degrees).sqrt()
}

/// The probability that the ratio is higher than `ratio`.
fn exceeds(ratio: f64, d1: f64, d2: f64) -> f64 {
    incomplete_beta(d2 / 2.0, d1 / 2.0, d2 / (d2 + d1 * ratio))
}

/// The regularised incomplete beta function, by its continued fraction.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp();
    // The fraction converges fast on this side of its middle, and the function is symmetric.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

/// Lentz's method, from the first term on.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut product = d;
    for m in 1..300 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            product *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    product
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// Stirling's series, for arguments brought above 10 by the recurrence.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 10.0 {
        below += x.ln();
        x += 1.0;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - below
}

#[cfg(test)]
mod tests {
    use super::{quantile, student};

    /// The figures of the printed tables.
    #[test]
    fn agrees_with_the_tables() {
        for (tail, d1, d2, expected) in [
            (0.05, 1.0, 1.0, 161.448),
            (0.05, 3.0, 10.0, 3.708),
            (0.01, 2.0, 8.0, 8.649),
            (0.001, 3.0, 3.0, 141.108),
            (0.001, 10.0, 10.0, 8.754),
            (0.001, 18.0, 18.0, 4.679),
        ] {
            let found = quantile(tail, d1, d2);
            assert!(
                (found / expected - 1.0).abs() < 1e-3,
                "{tail} {d1} {d2}: {found}, not {expected}"
            );
        }
        assert!((student(0.05, 10.0) - 2.228).abs() < 1e-3);
        assert!((student(0.001, 1e6) - 3.2905).abs() < 1e-3);
    }
}
