//! Evenly spaced measurements.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A moment in UTC.
pub type Timestamp = DateTime<Utc>;

/// Least median distance of points that are read as hourly. Points that are closer have to be summed or averaged first: which of both
/// is right depends on what they measure.
const LEAST_HOURLY_SECONDS: i64 = 30 * 60;
const MOST_HOURLY_SECONDS: i64 = 90 * 60;
const DAILY_SECONDS: std::ops::RangeInclusive<i64> = 20 * 3600..=28 * 3600;

/// Most steps of a series that are kept, the latest ones: 22 years of hours. Forecasts look at far fewer.
const MOST_STEPS: i64 = 200_000;

/// Largest absolute value. Products of larger ones are no longer numbers.
const LARGEST: f64 = 1e100;

/// Distance of two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An hour.
    Hour,
    /// A day of 24 hours.
    Day,
}

impl Step {
    /// Length in seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3600,
            Self::Day => 86_400,
        }
    }

    /// Step that points at a median distance of so many seconds have: up to 90 minutes an hour, 20 to 28 hours a day.
    pub fn from_distance(seconds: i64) -> Result<Self, SeriesError> {
        match seconds {
            LEAST_HOURLY_SECONDS..=MOST_HOURLY_SECONDS => Ok(Self::Hour),
            _ if DAILY_SECONDS.contains(&seconds) => Ok(Self::Day),
            _ => Err(SeriesError::Distance { seconds }),
        }
    }
}

/// Reason for which points are no series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SeriesError {
    /// Nothing was measured.
    #[error("no value was measured")]
    Empty,
    /// A single moment has no distance to the next.
    #[error("one point shows no step: at least two points are needed")]
    OnePoint,
    /// Neither hourly nor daily.
    #[error("points are {seconds} s apart at the median: hourly (30-90 minutes) or daily (20-28 hours) points are needed")]
    Distance {
        /// Median distance in seconds.
        seconds: i64,
    },
    /// NaN, an infinity, or more than 1e100.
    #[error("value {index} is not a number between -1e100 and 1e100")]
    Value {
        /// Its place among the given values, from 0.
        index: usize,
    },
    /// Time that a timestamp cannot hold.
    #[error("the series ends beyond the times that can be written")]
    Time,
}

/// Values at even steps, from the first to the last that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    start: Timestamp,
    step: Step,
    values: Vec<Option<f64>>,
}

impl Series {
    /// Series of values from `start` on, `None` where nothing was measured. Unmeasured steps at both ends are left out.
    pub fn new(start: Timestamp, step: Step, mut values: Vec<Option<f64>>) -> Result<Self, SeriesError> {
        if let Some(index) = values.iter().position(|value| value.is_some_and(|value| !is_usable(value))) {
            return Err(SeriesError::Value { index });
        }
        let first = values.iter().position(Option::is_some).ok_or(SeriesError::Empty)?;
        let last = values.iter().rposition(Option::is_some).ok_or(SeriesError::Empty)?;
        values.truncate(last + 1);
        values.drain(..first);
        let series = Self { start: after(start, step, first)?, step, values };
        after(series.start, step, series.values.len())?;
        Ok(series)
    }

    /// Series of points in any order; of points at the same step the last one counts. The step is the median distance.
    /// Of more than 200,000 steps the latest are kept.
    pub fn from_points(points: &[(Timestamp, f64)]) -> Result<Self, SeriesError> {
        Self::from_rows(points.iter().map(|(at, value)| (*at, Some(*value))).collect())
    }

    /// The same of rows that may have no value: they show the step, too.
    pub fn from_rows(mut points: Vec<(Timestamp, Option<f64>)>) -> Result<Self, SeriesError> {
        if let Some(index) = points.iter().position(|(_, value)| value.is_some_and(|value| !is_usable(value))) {
            return Err(SeriesError::Value { index });
        }
        points.sort_by_key(|(at, _)| *at);
        let last = points.last().ok_or(SeriesError::Empty)?.0;
        let step = Step::from_distance(median_distance(&points)?)?;
        let earliest = last - TimeDelta::seconds(step.seconds() * (MOST_STEPS - 1));
        let kept = &points[points.partition_point(|(at, _)| *at < earliest)..];
        let start = kept.first().ok_or(SeriesError::Empty)?.0;
        let place = |at: Timestamp| usize::try_from(((at - start).num_seconds() + step.seconds() / 2) / step.seconds());
        let mut values = vec![None; place(last).map_err(|_| SeriesError::Time)? + 1];
        for (at, value) in kept.iter().filter(|(_, value)| value.is_some()) {
            values[place(*at).map_err(|_| SeriesError::Time)?] = *value;
        }
        Self::new(start, step, values)
    }

    /// Time of the first value.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// Distance of the values.
    pub fn step(&self) -> Step {
        self.step
    }

    /// The values, `None` where nothing was measured.
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// Time of the last value.
    pub fn last(&self) -> Timestamp {
        after(self.start, self.step, self.values.len() - 1).unwrap_or(self.start)
    }
}

/// The moment that is so many steps after another.
pub(crate) fn after(start: Timestamp, step: Step, steps: usize) -> Result<Timestamp, SeriesError> {
    let seconds = i64::try_from(steps).ok().and_then(|steps| steps.checked_mul(step.seconds()));
    let delta = seconds.and_then(TimeDelta::try_seconds);
    delta.and_then(|delta| start.checked_add_signed(delta)).ok_or(SeriesError::Time)
}

fn is_usable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// Median of the distances of neighbours in time, in seconds, the lower of two; equal times have none.
fn median_distance(sorted: &[(Timestamp, Option<f64>)]) -> Result<i64, SeriesError> {
    let mut distances: Vec<i64> =
        sorted.windows(2).map(|pair| (pair[1].0 - pair[0].0).num_seconds()).filter(|s| *s > 0).collect();
    if distances.is_empty() {
        return Err(SeriesError::OnePoint);
    }
    let middle = (distances.len() - 1) / 2;
    Ok(*distances.select_nth_unstable(middle).1)
}
