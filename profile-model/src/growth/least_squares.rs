//! Weighted linear least squares with a handful of columns.

/// A fit of `y` by a sum of columns.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    /// One for each column.
    pub coefficients: Vec<f64>,
    /// The weighted sum of squared residuals.
    pub rss: f64,
    /// The inverse of the triangular factor, column by column: the coefficients' covariances.
    inverse: Vec<Vec<f64>>,
}

impl Fit {
    /// The fitted value at `row`.
    pub(crate) fn at(&self, row: &[f64]) -> f64 {
        dot(&self.coefficients, row)
    }

    /// The variance of the fitted value at `row`, in units of the variance of a value of weight 1.
    pub(crate) fn variance_at(&self, row: &[f64]) -> f64 {
        let columns = self.inverse.iter();
        columns.map(|column| dot(column, row).powi(2)).sum()
    }
}

/// Fits `values` by the columns that `row` gives at each place; each residual counts with its weight,
/// the reciprocal of its variance.
///
/// By Gram and Schmidt's orthogonalisation, done twice, since the columns may be nearly alike. A column
/// that adds nothing to those before it gets the coefficient 0.
pub(crate) fn fit(
    values: &[f64],
    weights: &[f64],
    columns: usize,
    row: impl Fn(usize) -> [f64; 3],
) -> Fit {
    let roots: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
    let mut rest: Vec<f64> = values
        .iter()
        .zip(&roots)
        .map(|(y, root)| y * root)
        .collect();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let mut inverse: Vec<Vec<f64>> = Vec::new();
    let mut coefficients = vec![0.0; columns];
    for column in 0..columns {
        let mut vector: Vec<f64> = roots
            .iter()
            .enumerate()
            .map(|(at, root)| row(at)[column] * root)
            .collect();
        let before = norm(&vector);
        let mut combination = vec![0.0; columns];
        combination[column] = 1.0;
        for _ in 0..2 {
            for (unit, inverse) in basis.iter().zip(&inverse) {
                let along = dot(unit, &vector);
                subtract(&mut vector, along, unit);
                subtract(&mut combination, along, inverse);
            }
        }
        let length = norm(&vector);
        if length.is_nan() || length <= before * 1e-10 {
            continue;
        }
        vector.iter_mut().for_each(|value| *value /= length);
        combination.iter_mut().for_each(|value| *value /= length);
        let along = dot(&vector, &rest);
        subtract(&mut rest, along, &vector);
        subtract(&mut coefficients, -along, &combination);
        basis.push(vector);
        inverse.push(combination);
    }
    Fit {
        coefficients,
        rss: dot(&rest, &rest),
        inverse,
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(vector: &[f64]) -> f64 {
    dot(vector, vector).sqrt()
}

fn subtract(from: &mut [f64], times: f64, vector: &[f64]) {
    for (value, other) in from.iter_mut().zip(vector) {
        *value -= times * other;
    }
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn finds_the_coefficients() {
        let x = [1.0, 2.0, 3.0, 5.0, 8.0];
        let values: Vec<f64> = x.iter().map(|x| 7.0 - 2.0 * x + 0.5 * x * x).collect();
        let fit = fit(&values, &[1.0, 4.0, 0.1, 1.0, 2.0], 3, |at| {
            [1.0, x[at], x[at] * x[at]]
        });
        assert!(fit.rss < 1e-20, "{}", fit.rss);
        for (found, expected) in fit.coefficients.iter().zip([7.0, -2.0, 0.5]) {
            assert!((found - expected).abs() < 1e-10, "{found} {expected}");
        }
    }

    /// The mean of four values of variance 1 has the variance 1/4.
    #[test]
    fn tells_variances() {
        let fit = fit(&[1.0, 2.0, 3.0, 6.0], &[1.0; 4], 1, |_| [1.0; 3]);
        assert!((fit.at(&[1.0]) - 3.0).abs() < 1e-12);
        assert!((fit.variance_at(&[1.0]) - 0.25).abs() < 1e-12);
        assert!((fit.rss - 14.0).abs() < 1e-12);
    }

    #[test]
    fn a_column_that_says_nothing_new_has_no_part() {
        let fit = fit(&[1.0, 2.0, 3.0], &[1.0; 3], 2, |_| [1.0, 5.0, 0.0]);
        assert!((fit.coefficients[0] - 2.0).abs() < 1e-12);
        assert!(fit.coefficients[1].abs() < 1e-300);
    }
}
