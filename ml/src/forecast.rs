//! From a series to its forecast.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::backtest::{Backtest, Measured, Trials};
use crate::bands::Bands;
use crate::clean::{Grid, winsorise, winsorise_from_past};
use crate::components::{Calendar, Component, History};
use crate::ensemble;
use crate::numbers::{float, mean, median, root_mean_square};
use crate::options::{BUCKETS, Options, StepOptions};
use crate::series::{Series, Step, Timestamp};
use crate::sums::SumErrors;
use crate::transform::Transform;

/// Version of the stored form.
const VERSION: u8 = 1;
/// Share of zeros above which a series is taken to be constant.
const MOSTLY_ZERO: f64 = 0.99;
/// Deviations from the value to the bounds of the 80 % and the 95 % band of normal errors.
const NORMAL: [f64; 4] = [-1.96, -1.2816, 1.2816, 1.96];
/// Factor on the point's band in that of a sum without a backtest.
const SUM_WIDENING: f64 = 1.5;

/// Makes forecasts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecaster {
    /// Constants of the method.
    pub options: Options,
}

/// Reason for which there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ForecastError {
    /// Less than two values after the last gap of four weeks.
    #[error("{points} measured value after the last gap of four weeks: at least two are needed")]
    TooShort {
        /// Number of values.
        points: usize,
    },
    /// A horizon of nothing or of too much.
    #[error("a horizon of {asked} steps: give 1 to {most}")]
    Horizon {
        /// Steps asked for.
        asked: usize,
        /// Most steps for this step.
        most: usize,
    },
}

/// Forecast of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Version of the stored form: a forecast of another one is made anew.
    pub v: u8,
    /// Time of the last measured value.
    pub origin: Timestamp,
    /// Distance of the points.
    pub step: Step,
    /// The next steps.
    pub points: Vec<Point>,
    /// Method that made them.
    pub used: Model,
    /// Weights of the components by bucket of horizons; empty unless the ensemble was used.
    pub weights: Vec<(Component, [f32; BUCKETS])>,
    /// Errors on the series' own past.
    pub backtest: Backtest,
    /// Reservations.
    pub notes: Vec<Note>,
    sums: SumErrors,
}

/// A value with its bands, in the series' unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The forecast: a median rather than a mean.
    pub value: f64,
    /// Lower end of the 80 % band.
    pub lo80: f64,
    /// Upper end of the 80 % band.
    pub hi80: f64,
    /// Lower end of the 95 % band.
    pub lo95: f64,
    /// Upper end of the 95 % band.
    pub hi95: f64,
}

/// A sum with its bands.
pub type Interval = Point;

impl Point {
    /// Point with bounds in ascending order around its value, none below `least`.
    fn new(value: f64, bounds: [f64; 4], least: f64) -> Self {
        let [lo95, lo80, hi80, hi95] = bounds.map(|bound| bound.max(least));
        let (lo80, hi80) = (lo80.min(value), hi80.max(value));
        Self { value, lo80, hi80, lo95: lo95.min(lo80), hi95: hi95.max(hi80) }
    }

    fn times(self, scale: f64) -> Self {
        Self {
            value: self.value * scale,
            lo80: self.lo80 * scale,
            hi80: self.hi80 * scale,
            lo95: self.lo95 * scale,
            hi95: self.hi95 * scale,
        }
    }
}

/// Method that made a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Weighted mean of the components.
    Ensemble,
    /// The last season again: the history is short, or the ensemble did worse in the backtest.
    SeasonalNaive,
    /// Median of what there is: less than a season and a step.
    LastValue,
    /// Always the same value.
    Constant,
}

/// Reservation about a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Less than two weeks of hours or eight weeks of days.
    InsufficientHistory,
    /// The ensemble did worse than the seasonal naive in the backtest.
    EnsembleLost,
}

impl Forecaster {
    /// Forecast of the next `horizon` steps after the series' last value. A shorter horizon gives the beginning of a longer one.
    pub fn forecast(&self, series: &Series, horizon: usize) -> Result<Forecast, ForecastError> {
        let step = self.options.of(series.step());
        if horizon == 0 || horizon > step.most_horizon {
            return Err(ForecastError::Horizon { asked: horizon, most: step.most_horizon });
        }
        let grid = Grid::new(series, step);
        let points = grid.filled.len();
        if points < 2 {
            return Err(ForecastError::TooShort { points });
        }
        let mut forecast = Forecast {
            v: VERSION,
            origin: series.last(),
            step: series.step(),
            points: Vec::new(),
            used: Model::Constant,
            weights: Vec::new(),
            backtest: Backtest::NONE,
            notes: Vec::new(),
            sums: SumErrors::default(),
        };
        if points < step.enough_history {
            forecast.notes.push(Note::InsufficientHistory);
        }
        if let Some(point) = constant(&grid.filled, step) {
            forecast.points = vec![point; horizon];
        } else if points < step.season + 1 {
            forecast.used = Model::LastValue;
            forecast.points = vec![last_value(&grid.filled); horizon];
        } else {
            let origins = if points < step.least_history { Vec::new() } else { step.origins(points) };
            if let Some(first) = origins.last().copied() {
                self.with_backtest(&grid, series.step(), &origins, first, horizon, &mut forecast);
            } else {
                forecast.used = Model::SeasonalNaive;
                forecast.points = seasonal_naive(&grid.filled, step, horizon);
            }
        }
        Ok(forecast)
    }

    /// Fills in the ensemble, or the seasonal naive where that did better at the origins, the latest first.
    fn with_backtest(&self, grid: &Grid, step: Step, origins: &[usize], first: usize, horizon: usize, into: &mut Forecast) {
        let (options, calendar) = (&self.options, Calendar::new(grid.start, step));
        let step = options.of(step);
        let transform = Transform::new(&grid.filled, options.log_offset);
        let scaled = |values: &[f64]| -> Vec<f64> { values.iter().map(|value| value / transform.scale()).collect() };
        let values = scaled(&grid.filled);
        let measured = Measured { values: &values, counts: &grid.counts };
        let ascending: Vec<usize> = origins.iter().rev().copied().collect();

        let forth = |values: Vec<f64>| -> Vec<f64> { values.into_iter().map(|value| transform.forth(value)).collect() };
        let past = forth(winsorise_from_past(&scaled(&grid.filled_from_past), options, step));
        let history = History { values: &past, warm_up: first, options, step, calendar };
        let trials = Trials::run(&history, &measured, &ascending, transform);

        let level = mean(&values[values.len().saturating_sub(step.four_weeks())..].iter().map(|v| v.abs()).collect::<Vec<_>>());
        let loses = trials.ensemble_loses();
        let track = if loses { &trials.baseline } else { &trials.ensemble };
        let made = if loses {
            into.used = Model::SeasonalNaive;
            into.notes.push(Note::EnsembleLost);
            measured.seasonal_naive(values.len(), step.season, horizon)
        } else {
            into.used = Model::Ensemble;
            let now = forth(winsorise(&values, options, step));
            let weights = ensemble::weights(&trials.errors, None, options);
            into.weights = Component::ALL.iter().enumerate().map(|(at, name)| (*name, shares(&weights, at))).collect();
            let forecasts: Vec<Vec<f64>> = Component::ALL
                .iter()
                .map(|component| {
                    let history = History { values: &now, ..history };
                    let made = component.forecasts(&history, &[values.len()], horizon.max(step.measured_horizon));
                    made.into_iter().flatten().map(|value| transform.back(value)).collect()
                })
                .collect();
            ensemble::combine(&forecasts, &weights, step, horizon)
        };
        let bands: Bands = track.bands(level, options, step);
        let least = if transform.is_positive() { 0.0 } else { f64::NEG_INFINITY };
        let points = made.iter().enumerate().map(|(index, value)| Point::new(*value, bands.around(*value, index + 1), least));
        into.points = points.map(|point| point.times(transform.scale())).collect();
        into.backtest = trials.report(track, &measured, transform.scale(), level, options, step);
        let every = if step.has_two_seasons() { step.season } else { 1 };
        into.sums = SumErrors::new(every, &track.signed_errors(transform.scale()));
    }
}

impl Forecast {
    /// Sum over some of the steps, from 0, with a band from summed errors of the backtest. Steps beyond the forecast are left out.
    pub fn total(&self, steps: Range<usize>) -> Interval {
        let steps = steps.start.min(self.points.len())..steps.end.min(self.points.len());
        let points = if steps.is_empty() { &[] } else { &self.points[steps.clone()] };
        let value: f64 = points.iter().map(|point| point.value).sum();
        let least = if self.points.iter().all(|point| point.lo95 >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
        let measured = if points.is_empty() { None } else { self.sums.distances(&steps) };
        let distances = measured.unwrap_or_else(|| {
            let factor = if points.is_empty() { 0.0 } else { SUM_WIDENING / float(points.len()).sqrt() };
            let of = |bound: fn(&Point) -> f64| factor * points.iter().map(|point| bound(point) - point.value).sum::<f64>();
            [of(|point| point.lo95), of(|point| point.lo80), of(|point| point.hi80), of(|point| point.hi95)]
        });
        Point::new(value, distances.map(|distance| value + distance), least)
    }
}

/// Weights of a component as they are stored.
#[expect(clippy::cast_possible_truncation, reason = "seven digits of a weight are enough")]
fn shares(weights: &ensemble::Weights, component: usize) -> [f32; BUCKETS] {
    weights.map(|of_bucket| of_bucket[component] as f32)
}

/// The value of a series that has only one, or hardly any but zero.
fn constant(values: &[f64], step: &StepOptions) -> Option<Point> {
    let first = *values.first()?;
    let zeros = values.iter().filter(|value| **value == 0.0).count();
    let value = if values.iter().all(|value| value.total_cmp(&first).is_eq()) {
        first
    } else if float(zeros) > MOSTLY_ZERO * float(values.len()) {
        0.0
    } else {
        return None;
    };
    let recent = &values[values.len().saturating_sub(step.four_weeks())..];
    let low = recent.iter().copied().fold(value, f64::min);
    let high = recent.iter().copied().fold(value, f64::max);
    Some(Point { value, lo80: low, hi80: high, lo95: low, hi95: high })
}

/// Median of a few values between half of the least and one and a half times the largest.
fn last_value(values: &[f64]) -> Point {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let value = median(&mut values.to_vec());
    let least = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    let bound = |end: f64, share: f64| end + share * end.abs();
    Point::new(value, [bound(low, -0.75), bound(low, -0.5), bound(high, 0.5), bound(high, 0.75)], least)
}

/// The last season again, with bands of normal errors that add up from season to season.
fn seasonal_naive(values: &[f64], step: &StepOptions, horizon: usize) -> Vec<Point> {
    let season = step.season;
    let pairs = values.iter().zip(&values[season..]);
    let deviation = root_mean_square(&pairs.map(|(before, after)| after - before).collect::<Vec<_>>());
    let least = if values.iter().all(|value| *value >= 0.0) { 0.0 } else { f64::NEG_INFINITY };
    let point = |ahead: usize| {
        let value = values[values.len() - season + ahead % season];
        let width = deviation * float(ahead / season + 1).sqrt();
        Point::new(value, NORMAL.map(|share| value + share * width), least)
    };
    (0..horizon).map(point).collect()
}
