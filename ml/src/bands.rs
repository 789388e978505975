//! Bands from errors of the backtest.

use crate::numbers::{float, quantile};
use crate::options::{BUCKETS, Options, StepOptions};

/// Shares below the four bounds: of the 95 % band, the 80 % band, and their upper ends.
pub(crate) const SHARES: [f64; 4] = [0.025, 0.1, 0.9, 0.975];
/// Least value, in means of the last weeks, whose root errors are measured in.
const LEAST_LEVEL: f64 = 0.05;

/// Distances of the bounds from a value, in roots of its size.
pub(crate) struct Bands {
    quantiles: [[f64; 4]; BUCKETS],
    middles: [f64; BUCKETS],
    measured: f64,
    least: f64,
}

/// An error at a horizon, and the forecast it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HorizonError {
    pub(crate) ahead: usize,
    pub(crate) forecast: f64,
    pub(crate) error: f64,
}

/// Size whose root errors are measured in.
pub(crate) fn unit(forecast: f64, level: f64) -> f64 {
    forecast.abs().max(LEAST_LEVEL * level).max(1e-12).sqrt()
}

impl Bands {
    /// Bands from errors; `level` is the mean size of the last four weeks.
    pub(crate) fn new(errors: &[HorizonError], level: f64, options: &Options, step: &StepOptions) -> Self {
        let mut by_bucket: [Vec<f64>; BUCKETS] = std::array::from_fn(|_| Vec::new());
        for error in errors {
            by_bucket[step.bucket(error.ahead)].push(error.error / unit(error.forecast, level));
        }
        let mut quantiles = [[0.0; 4]; BUCKETS];
        for (bucket, errors) in by_bucket.iter_mut().enumerate() {
            errors.sort_by(f64::total_cmp);
            let before = bucket.checked_sub(1).map(|before| quantiles[before]);
            quantiles[bucket] = if errors.is_empty() {
                before.unwrap_or([0.0; 4])
            } else {
                let wide = |bound: usize| {
                    let outer = if bound == 0 || bound == 3 { step.outer_widening } else { 1.0 };
                    quantile(errors, SHARES[bound]) * step.widening[bucket] * outer
                };
                let least = |bound: usize| before.map_or(0.0, |before| options.least_growth * before[bound]);
                std::array::from_fn(|bound| if bound < 2 { wide(bound).min(least(bound)) } else { wide(bound).max(least(bound)) })
            };
        }
        let middles = std::array::from_fn(|bucket| {
            let (first, last) = step.bucket_range(bucket);
            f64::midpoint(float(first), float(last))
        });
        Self { quantiles, middles, measured: float(step.measured_horizon), least: level }
    }

    /// Bounds of a value: of the 95 % band, the 80 % band, and their upper ends. The value is between them.
    pub(crate) fn around(&self, value: f64, ahead: usize) -> [f64; 4] {
        let ahead = float(ahead);
        let above = self.middles.iter().position(|middle| ahead <= *middle).unwrap_or(BUCKETS);
        // Beyond what was measured, errors are taken to grow as those of a random walk do.
        let growth = (ahead / self.measured).max(1.0).sqrt();
        std::array::from_fn(|bound| {
            let distance = match above {
                0 => self.quantiles[0][bound],
                BUCKETS => self.quantiles[BUCKETS - 1][bound] * growth,
                _ => {
                    let share = (ahead - self.middles[above - 1]) / (self.middles[above] - self.middles[above - 1]);
                    self.quantiles[above - 1][bound] * (1.0 - share) + self.quantiles[above][bound] * share
                }
            };
            value + distance * unit(value, self.least)
        })
    }
}
