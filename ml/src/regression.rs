//! Ridge regression on sufficient statistics, solved by linfa.
//!
//! X'X and X'y grow row by row, so that a fit costs the same however long the history is. linfa's least squares gets p + p rows whose
//! normal equations are those of the ridge on all rows: the Cholesky factor R of X'X with targets R'^-1 X'y, and the roots of the penalties
//! with targets 0.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

/// Added to the diagonal, so that columns of zeros have a factor.
const JITTER: f64 = 1e-9;

/// Sufficient statistics of a regression's rows.
pub(crate) struct Rows {
    columns: usize,
    /// X'X, the upper triangle, row by row.
    gram: Vec<f64>,
    /// X'y.
    moments: Vec<f64>,
    /// Sum of the rows' weights.
    weight: f64,
}

impl Rows {
    /// No rows yet.
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, gram: vec![0.0; columns * columns], moments: vec![0.0; columns], weight: 0.0 }
    }

    /// Multiplies the weight of the rows so far.
    pub(crate) fn forget(&mut self, memory: f64) {
        self.gram.iter_mut().for_each(|sum| *sum *= memory);
        self.moments.iter_mut().for_each(|sum| *sum *= memory);
        self.weight *= memory;
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &[f64], target: f64) {
        for (at, factor) in row.iter().enumerate() {
            let sums = &mut self.gram[at * self.columns + at..(at + 1) * self.columns];
            sums.iter_mut().zip(&row[at..]).for_each(|(sum, value)| *sum += factor * value);
            self.moments[at] += factor * target;
        }
        self.weight += 1.0;
    }

    /// Penalty of each column: a multiple of its mean square, for so many rows and `more`.
    pub(crate) fn penalties(&self, factor: f64, more: f64) -> Vec<f64> {
        let rows = self.weight.max(1.0);
        (0..self.columns).map(|at| factor * (rows + more) * self.gram[at * self.columns + at] / rows).collect()
    }

    /// Coefficients of the ridge with these penalties; none if they are no numbers.
    pub(crate) fn fit(&self, penalties: &[f64]) -> Option<Vec<f64>> {
        let factor = self.factor()?;
        let columns = self.columns;
        let mut records = Array2::<f64>::zeros((2 * columns, columns));
        let mut targets = Array1::<f64>::zeros(2 * columns);
        for at in 0..columns {
            for column in at..columns {
                records[(at, column)] = factor[at * columns + column];
            }
            // Forward substitution with R', whose rows are R's columns.
            let known: f64 = (0..at).map(|before| factor[before * columns + at] * targets[before]).sum();
            targets[at] = (self.moments[at] - known) / factor[at * columns + at];
            records[(columns + at, at)] = penalties[at].sqrt();
        }
        let model = LinearRegression::new().with_intercept(false).fit(&Dataset::new(records, targets)).ok()?;
        let coefficients = model.params().to_vec();
        coefficients.iter().all(|coefficient| coefficient.is_finite()).then_some(coefficients)
    }

    /// Upper triangular R with R'R = X'X + jitter.
    fn factor(&self) -> Option<Vec<f64>> {
        let columns = self.columns;
        let mut factor = self.gram.clone();
        for at in 0..columns {
            for column in at..columns {
                let known: f64 = (0..at).map(|row| factor[row * columns + at] * factor[row * columns + column]).sum();
                let rest = factor[at * columns + column] - known;
                factor[at * columns + column] = if column == at {
                    // Collinear columns leave rounding errors, which may be negative.
                    (rest.max(0.0) + JITTER).sqrt()
                } else {
                    rest / factor[at * columns + at]
                };
            }
        }
        factor.iter().all(|value| value.is_finite()).then_some(factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ridge by Cholesky, straight from its normal equations.
    fn plain_ridge(rows: &[(Vec<f64>, f64)], penalties: &[f64], memory: f64) -> Vec<f64> {
        let columns = penalties.len();
        let (mut matrix, mut right) = (vec![vec![0.0; columns]; columns], vec![0.0; columns]);
        for (age, (row, target)) in rows.iter().rev().enumerate() {
            let weight = memory.powi(i32::try_from(age).unwrap());
            for one in 0..columns {
                for other in 0..columns {
                    matrix[one][other] += weight * row[one] * row[other];
                }
                right[one] += weight * row[one] * target;
            }
        }
        (0..columns).for_each(|at| matrix[at][at] += penalties[at]);
        let mut lower = vec![vec![0.0; columns]; columns];
        for one in 0..columns {
            for other in 0..=one {
                let known: f64 = (0..other).map(|at| lower[one][at] * lower[other][at]).sum();
                lower[one][other] = if one == other {
                    (matrix[one][one] - known).sqrt()
                } else {
                    (matrix[one][other] - known) / lower[other][other]
                };
            }
        }
        for at in 0..columns {
            let known: f64 = (0..at).map(|before| lower[at][before] * right[before]).sum();
            right[at] = (right[at] - known) / lower[at][at];
        }
        for at in (0..columns).rev() {
            let known: f64 = (at + 1..columns).map(|after| lower[after][at] * right[after]).sum();
            right[at] = (right[at] - known) / lower[at][at];
        }
        right
    }

    /// Rows of no pattern, from a linear congruential generator.
    fn made_rows(count: usize, columns: usize) -> Vec<(Vec<f64>, f64)> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24) - 0.5
        };
        (0..count)
            .map(|_| {
                let row: Vec<f64> = (0..columns).map(|column| if column == 0 { 1.0 } else { next() }).collect();
                let target = row.iter().sum::<f64>() + next();
                (row, target)
            })
            .collect()
    }

    #[test]
    fn coefficients_are_those_of_a_plain_ridge() {
        for (count, columns) in [(400, 25), (60, 15), (10, 15)] {
            let rows = made_rows(count, columns);
            let mut sums = Rows::new(columns);
            for (row, target) in &rows {
                sums.forget(0.998);
                sums.add(row, *target);
            }
            let penalties = sums.penalties(0.3, 20.0);
            let expected = plain_ridge(&rows, &penalties, 0.998);
            let made = sums.fit(&penalties).unwrap();
            let worst = made.iter().zip(&expected).map(|(one, other)| (one - other).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-8, "{count} rows: {worst:e}");
        }
    }

    #[test]
    fn no_rows_give_coefficients_of_zero() {
        let sums = Rows::new(4);
        let coefficients = sums.fit(&sums.penalties(0.3, 20.0)).unwrap();
        assert!(coefficients.iter().all(|coefficient| coefficient.abs() < 1e-12), "{coefficients:?}");
    }

    #[test]
    fn a_column_of_zeros_and_equal_columns_do_no_harm() {
        let mut sums = Rows::new(4);
        for (row, target) in made_rows(100, 2) {
            sums.add(&[row[0], row[1], row[1], 0.0], target);
        }
        let coefficients = sums.fit(&sums.penalties(0.3, 20.0)).unwrap();
        assert!((coefficients[1] - coefficients[2]).abs() < 1e-6 && coefficients[3].abs() < 1e-12, "{coefficients:?}");
    }

    #[test]
    fn numbers_beyond_all_bounds_have_no_coefficients() {
        let mut sums = Rows::new(2);
        sums.add(&[1e200, 1.0], 1e200);
        assert_eq!(sums.fit(&sums.penalties(0.3, 20.0)), None);
    }
}
