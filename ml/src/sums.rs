//! Bands of sums, from sums of errors: neighbouring errors are alike, so that sums of bounds say nothing.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::bands::SHARES;
use crate::numbers::{float, quantile};

/// Least origins that quantiles are taken of.
const LEAST_ORIGINS: usize = 6;

/// Summed errors of the backtest at each origin.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SumErrors {
    /// Steps from one sum to the next.
    every: usize,
    /// For each origin the errors summed from its first step on, in the series' unit.
    sums: Vec<Vec<f64>>,
}

impl SumErrors {
    /// Sums of errors, which are 0 where nothing was measured.
    pub(crate) fn new(every: usize, errors: &[Vec<f64>]) -> Self {
        let cumulated = |errors: &Vec<f64>| {
            let mut sum = 0.0;
            let add = |chunk: &[f64]| {
                sum += chunk.iter().sum::<f64>();
                sum
            };
            errors.chunks_exact(every).map(add).collect()
        };
        Self { every, sums: errors.iter().map(cumulated).collect() }
    }

    /// Distances of the four bounds from a sum over these steps; none with too few origins.
    pub(crate) fn distances(&self, steps: &Range<usize>) -> Option<[f64; 4]> {
        let asked = steps.len();
        let every = self.every.max(1);
        let wanted = steps.start / every + (asked / every).max(1);
        let reaching = |end: usize| self.sums.iter().filter(move |sums| sums.len() >= end);
        let end = (1..=wanted).rev().find(|end| reaching(*end).count() >= LEAST_ORIGINS)?;
        let had = (asked / every).clamp(1, end);
        let sum = |sums: &Vec<f64>| sums[end - 1] - (end - had).checked_sub(1).map_or(0.0, |before| sums[before]);
        let mut sums: Vec<f64> = reaching(end).map(sum).collect();
        sums.sort_by(f64::total_cmp);
        let factor = (float(asked) / float(had * every)).sqrt();
        Some(SHARES.map(|share| quantile(&sums, share) * factor))
    }
}
