#![doc = include_str!("../README.md")]

mod backtest;
mod bands;
mod clean;
mod components;
mod ensemble;
mod forecast;
mod numbers;
mod options;
mod regression;
mod series;
mod sums;
mod transform;

#[cfg(test)]
mod tests;

pub use backtest::Backtest;
pub use components::Component;
pub use forecast::{Forecast, ForecastError, Forecaster, Interval, Model, Note, Point};
pub use options::{Options, StepOptions};
pub use series::{Series, SeriesError, Step, Timestamp};
pub use sums::SumErrors;
