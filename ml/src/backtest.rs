//! The same method on the series' own past.

use serde::{Deserialize, Serialize};

use crate::bands::{Bands, HorizonError};
use crate::components::{Component, History};
use crate::ensemble::{self, OriginErrors, Weights};
use crate::numbers::{float, mean};
use crate::options::{Options, StepOptions};
use crate::transform::Transform;

/// Errors on the series' own past: at each origin the forecast was made from what was before it, with weights of the other origins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Number of origins; 0 if the history is too short for a backtest.
    pub origins: usize,
    /// Mean absolute error, in the series' unit.
    pub mae: f64,
    /// That of the seasonal naive: the last season again.
    pub baseline_mae: f64,
    /// Mean absolute error in those of the seasonal naive one step ahead within the history; none if that never erred.
    pub mase: Option<f64>,
    /// Percentage of values within the 80 % band that the other origins make.
    pub coverage80: f64,
    /// Mean error of the sum over the measured horizon (a week of hours, 30 days), as a share of the sum.
    pub total_error: Option<f64>,
}

impl Backtest {
    /// A backtest that could not be made.
    pub(crate) const NONE: Self =
        Self { origins: 0, mae: 0.0, baseline_mae: 0.0, mase: None, coverage80: 0.0, total_error: None };
}

/// Scaled values as they were measured.
pub(crate) struct Measured<'a> {
    pub(crate) values: &'a [f64],
    /// Steps whose errors count.
    pub(crate) counts: &'a [bool],
}

impl Measured<'_> {
    /// Values after an origin, none where errors do not count, over the measured horizon.
    fn after(&self, origin: usize, step: &StepOptions) -> Vec<Option<f64>> {
        let end = (origin + step.measured_horizon).min(self.values.len());
        (origin..end).map(|at| self.counts[at].then_some(self.values[at])).collect()
    }

    /// The last season before an origin, again and again.
    pub(crate) fn seasonal_naive(&self, origin: usize, season: usize, horizon: usize) -> Vec<f64> {
        let season = season.min(origin).max(1);
        (0..horizon).map(|ahead| self.values[origin - season + ahead % season]).collect()
    }
}

/// Forecasts of one method at the origins, and what came.
pub(crate) struct Track {
    forecasts: Vec<Vec<f64>>,
    actual: Vec<Vec<Option<f64>>>,
}

impl Track {
    fn errors_of(&self, origin: usize) -> impl Iterator<Item = HorizonError> {
        let pairs = self.forecasts[origin].iter().zip(&self.actual[origin]).enumerate();
        pairs.filter_map(|(index, (forecast, actual))| {
            actual.map(|actual| HorizonError { ahead: index + 1, forecast: *forecast, error: actual - forecast })
        })
    }

    fn all_errors(&self) -> impl Iterator<Item = HorizonError> {
        (0..self.forecasts.len()).flat_map(|origin| self.errors_of(origin))
    }

    /// Sum of the absolute errors.
    pub(crate) fn absolute_error(&self) -> f64 {
        self.all_errors().map(|error| error.error.abs()).sum()
    }

    fn mean_error(&self) -> f64 {
        let count = self.all_errors().count();
        if count == 0 { 0.0 } else { self.absolute_error() / float(count) }
    }

    /// Bands from the errors at all origins.
    pub(crate) fn bands(&self, level: f64, options: &Options, step: &StepOptions) -> Bands {
        Bands::new(&self.all_errors().collect::<Vec<_>>(), level, options, step)
    }

    /// Percentage of what came within the 80 % band from the errors at other origins.
    fn coverage(&self, level: f64, options: &Options, step: &StepOptions) -> f64 {
        let (mut inside, mut count) = (0, 0);
        for origin in 0..self.forecasts.len() {
            let others = (0..self.forecasts.len()).filter(|other| *other != origin);
            let errors: Vec<_> = others.flat_map(|other| self.errors_of(other)).collect();
            let bands = Bands::new(&errors, level, options, step);
            for error in self.errors_of(origin) {
                let [_, low, high, _] = bands.around(error.forecast, error.ahead);
                let actual = error.forecast + error.error;
                inside += usize::from(low.min(error.forecast) <= actual && actual <= high.max(error.forecast));
                count += 1;
            }
        }
        if count == 0 { 0.0 } else { 100.0 * float(inside) / float(count) }
    }

    /// Mean error of the sum over the measured horizon as a share of the sum, at origins that reach that far.
    fn total_error(&self, step: &StepOptions) -> Option<f64> {
        let reaching = (0..self.forecasts.len()).filter(|origin| self.actual[*origin].len() == step.measured_horizon);
        let shares: Vec<f64> = reaching
            .filter_map(|origin| {
                let error: f64 = self.errors_of(origin).map(|error| error.error).sum();
                let sum: f64 = self.errors_of(origin).map(|error| error.forecast + error.error).sum();
                (sum != 0.0).then(|| (error / sum).abs())
            })
            .collect();
        (!shares.is_empty()).then(|| mean(&shares))
    }

    /// Errors by origin and step in the series' unit, 0 where they do not count.
    pub(crate) fn signed_errors(&self, scale: f64) -> Vec<Vec<f64>> {
        let at = |origin: usize| {
            let pairs = self.forecasts[origin].iter().zip(&self.actual[origin]);
            pairs.map(|(forecast, actual)| actual.map_or(0.0, |actual| scale * (actual - forecast))).collect()
        };
        (0..self.forecasts.len()).map(at).collect()
    }
}

/// Outcome of the backtest.
pub(crate) struct Trials {
    /// Errors of the components by origin, the latest last.
    pub(crate) errors: Vec<OriginErrors>,
    /// The ensemble with the weights of the other origins.
    pub(crate) ensemble: Track,
    /// The seasonal naive.
    pub(crate) baseline: Track,
}

impl Trials {
    /// Forecasts with all components at the origins, which ascend, from a history that was cleaned by its past alone.
    pub(crate) fn run(history: &History<'_>, measured: &Measured<'_>, origins: &[usize], transform: Transform) -> Self {
        let (step, options) = (history.step, history.options);
        let horizon = step.measured_horizon;
        // By origin, then by component.
        let mut forecasts: Vec<Vec<Vec<f64>>> = vec![Vec::new(); origins.len()];
        for component in Component::ALL {
            for (into, forecast) in forecasts.iter_mut().zip(component.forecasts(history, origins, horizon)) {
                into.push(forecast.into_iter().map(|value| transform.back(value)).collect());
            }
        }
        let actual: Vec<_> = origins.iter().map(|origin| measured.after(*origin, step)).collect();
        let errors: Vec<_> = forecasts.iter().zip(&actual).map(|(made, actual)| ensemble::errors(made, actual, step)).collect();
        let left_out = |(index, made): (usize, &Vec<Vec<f64>>)| {
            let weights: Weights = ensemble::weights(&errors, Some(index), options);
            ensemble::combine(made, &weights, step, horizon)
        };
        let combined = forecasts.iter().enumerate().map(left_out).collect();
        let naive = origins.iter().map(|origin| measured.seasonal_naive(*origin, step.season, horizon)).collect();
        Self {
            errors,
            ensemble: Track { forecasts: combined, actual: actual.clone() },
            baseline: Track { forecasts: naive, actual },
        }
    }

    /// True if the ensemble's errors summed to more than those of the seasonal naive.
    pub(crate) fn ensemble_loses(&self) -> bool {
        let (error, baseline) = (self.ensemble.absolute_error(), self.baseline.absolute_error());
        // Where neither errs, rounding decides nothing.
        !error.is_finite() || error > baseline + 1e-9 * (1.0 + baseline)
    }

    /// Figures of the track that is used.
    pub(crate) fn report(
        &self,
        track: &Track,
        measured: &Measured<'_>,
        scale: f64,
        level: f64,
        options: &Options,
        step: &StepOptions,
    ) -> Backtest {
        let mae = track.mean_error();
        let pairs = measured.values.iter().zip(measured.values.iter().skip(step.season));
        let differences: Vec<f64> = pairs.map(|(before, after)| (after - before).abs()).collect();
        let naive = mean(&differences);
        Backtest {
            origins: track.forecasts.len(),
            mae: scale * mae,
            baseline_mae: scale * self.baseline.mean_error(),
            mase: (naive > 0.0).then(|| mae / naive),
            coverage80: track.coverage(level, options, step),
            total_error: track.total_error(step),
        }
    }
}
