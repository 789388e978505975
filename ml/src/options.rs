//! Constants of the method.

use crate::series::Step;

/// Number of ranges of horizons that have weights and bands of their own.
pub(crate) const BUCKETS: usize = 4;

/// Constants of the method. The defaults were chosen once, on the series in `tests/data/forecast`; each is on a plateau.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Of hourly series.
    pub hour: StepOptions,
    /// Of daily series.
    pub day: StepOptions,
    /// Added to values in units of their median before the logarithm is taken.
    pub log_offset: f64,
    /// Width of the clip around slot medians, in deviations, with values on both sides.
    pub clip_two_sided: f64,
    /// Width of the clip with values of the past alone.
    pub clip_past: f64,
    /// Exponent of the weights: (least error / error)^this.
    pub sharpness: f64,
    /// Factor on an origin's error per origin of age.
    pub age: f64,
    /// Least share of a bucket's band in that of the bucket before.
    pub least_growth: f64,
    /// Factor on squares of columns that makes the penalty of the regression.
    pub penalty: f64,
    /// Observations that are added to the rows' number in the penalty.
    pub penalty_rows: f64,
}

/// Constants of hourly or of daily series.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOptions {
    /// Steps of the short season: a day of hours, a week of days.
    pub season: usize,
    /// Steps of a week.
    pub week: usize,
    /// Last horizons of the first three buckets.
    pub bucket_ends: [usize; 3],
    /// Horizon up to which errors are measured in the backtest.
    pub measured_horizon: usize,
    /// Longest horizon.
    pub most_horizon: usize,
    /// Most steps of history that are looked at.
    pub most_history: usize,
    /// Steps of the longest gap whose filled values count in errors.
    pub short_gap: usize,
    /// Least steps for more than a seasonal naive forecast.
    pub least_history: usize,
    /// Steps below which a forecast has the note of insufficient history.
    pub enough_history: usize,
    /// Steps between now and the latest origin of the backtest.
    pub first_origin: usize,
    /// Steps between origins of the backtest.
    pub between_origins: usize,
    /// Most origins.
    pub most_origins: usize,
    /// Steps that an origin needs before it: at least the second, and the first as far as that is no more than two thirds of all.
    pub origin_history: (usize, usize),
    /// Factors on the bands of the buckets.
    pub widening: [f64; BUCKETS],
    /// A further factor on the 95 % band.
    pub outer_widening: f64,
    /// Factor on the criterion of exponential smoothing per step.
    pub smoothing_memory: f64,
    /// Factor on the weight of a row of the regression per later row.
    pub row_memory: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hour: StepOptions {
                season: 24,
                week: 168,
                bucket_ends: [6, 24, 72],
                measured_horizon: 168,
                most_horizon: 8 * 168,
                most_history: 2184,
                short_gap: 6,
                least_history: 2 * 168,
                enough_history: 2 * 168,
                first_origin: 24,
                between_origins: 24,
                most_origins: 12,
                origin_history: (2 * 168, 168 + 25),
                widening: [1.02, 1.05, 1.15, 1.2],
                outer_widening: 1.1,
                smoothing_memory: 0.998,
                row_memory: 0.9995,
            },
            day: StepOptions {
                season: 7,
                week: 7,
                bucket_ends: [3, 7, 14],
                measured_horizon: 30,
                most_horizon: 92,
                most_history: 1000,
                short_gap: 2,
                least_history: 18,
                enough_history: 56,
                first_origin: 7,
                between_origins: 4,
                most_origins: 12,
                origin_history: (28, 16),
                widening: [1.15, 1.2, 1.3, 1.5],
                outer_widening: 1.25,
                smoothing_memory: 0.992,
                row_memory: 0.998,
            },
            log_offset: 0.02,
            clip_two_sided: 6.0,
            clip_past: 5.0,
            sharpness: 8.0,
            age: 0.85,
            least_growth: 0.9,
            penalty: 0.3,
            penalty_rows: 20.0,
        }
    }
}

impl Options {
    /// Constants of series with this step.
    pub fn of(&self, step: Step) -> &StepOptions {
        match step {
            Step::Hour => &self.hour,
            Step::Day => &self.day,
        }
    }
}

impl StepOptions {
    /// Bucket of a horizon, which counts from 1.
    pub(crate) fn bucket(&self, horizon: usize) -> usize {
        self.bucket_ends.iter().filter(|end| horizon > **end).count()
    }

    /// First and last measured horizon of a bucket.
    pub(crate) fn bucket_range(&self, bucket: usize) -> (usize, usize) {
        let first = bucket.checked_sub(1).map_or(1, |before| self.bucket_ends[before] + 1);
        (first, self.bucket_ends.get(bucket).copied().unwrap_or(self.measured_horizon))
    }

    /// Steps in four weeks.
    pub(crate) fn four_weeks(&self) -> usize {
        4 * self.week
    }

    /// True for hourly series, which have a season within the week.
    pub(crate) fn has_two_seasons(&self) -> bool {
        self.season < self.week
    }

    /// Origins of the backtest in a history of `points` steps, as numbers of steps before them, the latest first.
    pub(crate) fn origins(&self, points: usize) -> Vec<usize> {
        let (wanted, least) = self.origin_history;
        let least = wanted.min(2 * points / 3).max(least);
        let origins = (0..self.most_origins).map(|index| self.first_origin + index * self.between_origins);
        origins.filter_map(|back| points.checked_sub(back)).take_while(|origin| *origin >= least).collect()
    }
}
