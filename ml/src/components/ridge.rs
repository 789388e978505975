//! Direct ridge regression: one model per bucket of horizons, on the difference to a profile of the latest weeks and days.

use std::f64::consts::TAU;

use super::History;
use crate::numbers::{Sums, float};
use crate::options::{BUCKETS, Options, StepOptions};
use crate::regression::Rows;

/// Weights of weeks and of days in the profiles, per week and day of age.
const WEEK_MEMORY: f64 = 0.8;
const DAY_MEMORY: f64 = 0.85;
/// Weeks and days in the profiles.
const PROFILE_WEEKS: usize = 6;
const PROFILE_DAYS: usize = 7;
/// Shares of the profiles of weeks and of days.
const WEEK_SHARE: f64 = 0.7;
const DAY_SHARE: f64 = 0.3;
/// Horizons per bucket that rows are made for.
const HORIZONS: usize = 3;

const HOURLY_COLUMNS: usize = 25;
const DAILY_COLUMNS: usize = 15;

/// Forecasts at each origin by one pass over the targets.
pub(super) fn forecasts(history: &History<'_>, origins: &[usize], horizon: usize) -> Vec<Vec<f64>> {
    let features = Features::new(history);
    let (step, options) = (history.step, history.options);
    let mut made = vec![vec![0.0; horizon]; origins.len()];
    for bucket in 0..BUCKETS {
        let (first, last) = step.bucket_range(bucket);
        if first > horizon {
            break;
        }
        let length = last + 1 - first;
        let horizons: [usize; HORIZONS] = std::array::from_fn(|index| first + (2 * index + 1) * length / 6);
        let end = if bucket + 1 == BUCKETS { horizon } else { last.min(horizon) };
        let mut model = Model { rows: Rows::new(features.columns()), row: Vec::new(), horizons };
        let mut target = history.warm_up.min(2 * step.week + if step.has_two_seasons() { 0 } else { step.week });
        for (origin, forecast) in origins.iter().zip(&mut made) {
            for at in target..*origin {
                model.learn(&features, at, step);
            }
            target = target.max(*origin);
            model.forecast(&features, *origin, options, &mut forecast[first - 1..end], first);
        }
    }
    made
}

/// The regression of a bucket.
struct Model {
    rows: Rows,
    row: Vec<f64>,
    horizons: [usize; HORIZONS],
}

impl Model {
    /// Adds the rows of a target: one horizon in turn in hourly series, all in daily ones.
    fn learn(&mut self, features: &Features<'_>, target: usize, step: &StepOptions) {
        let turns = if step.has_two_seasons() { target % HORIZONS..target % HORIZONS + 1 } else { 0..HORIZONS };
        for turn in turns {
            let ahead = self.horizons[turn];
            // Before a whole season was seen there is no profile.
            if target + 1 >= ahead + step.season {
                let base = features.fill(target + 1 - ahead, ahead, &mut self.row);
                self.rows.forget(step.row_memory);
                self.rows.add(&self.row, features.history.values[target] - base);
            }
        }
    }

    fn forecast(&mut self, features: &Features<'_>, origin: usize, options: &Options, into: &mut [f64], first: usize) {
        let penalties = self.rows.penalties(options.penalty, options.penalty_rows);
        let coefficients = self.rows.fit(&penalties);
        for (index, value) in into.iter_mut().enumerate() {
            let base = features.fill(origin, first + index, &mut self.row);
            let product = |coefficients: &[f64]| coefficients.iter().zip(&self.row).map(|(one, other)| one * other).sum::<f64>();
            // Without numbers, the bucket's weight becomes 0.
            *value = coefficients.as_deref().map_or(f64::NAN, |coefficients| base + product(coefficients));
        }
    }
}

/// Columns of the regression at any origin and horizon.
struct Features<'a> {
    history: &'a History<'a>,
    sums: Sums,
    /// Difference of each value to what the profiles say one step before.
    surprises: Vec<f64>,
    surprise_sums: Sums,
}

impl<'a> Features<'a> {
    fn new(history: &'a History<'a>) -> Self {
        let mut features =
            Self { history, sums: Sums::new(history.values), surprises: Vec::new(), surprise_sums: Sums::new(&[]) };
        let step = history.step;
        let surprise = |at: usize| {
            if at < step.season {
                return 0.0;
            }
            let (of_weeks, of_days) = features.profiles(at, 1);
            let expected = if step.has_two_seasons() && at < 2 * step.week {
                of_days
            } else if step.has_two_seasons() {
                WEEK_SHARE * of_weeks + DAY_SHARE * of_days
            } else {
                of_weeks
            };
            history.values[at] - features.sums.mean_before(at, step.season) - expected
        };
        let surprises: Vec<f64> = (0..history.values.len()).map(surprise).collect();
        features.surprise_sums = Sums::new(&surprises);
        features.surprises = surprises;
        features
    }

    fn columns(&self) -> usize {
        if self.history.step.has_two_seasons() { HOURLY_COLUMNS } else { DAILY_COLUMNS }
    }

    /// Weighted mean deviation at the target's place from the mean of its period, over whole periods before the origin; 0 without one.
    fn profile(&self, origin: usize, ahead: usize, period: usize, count: usize, memory: f64) -> f64 {
        let place = (ahead - 1) % period;
        let (mut total, mut weights, mut weight) = (0.0, 0.0, 1.0);
        for back in 1..=count.min(origin / period) {
            let begin = origin - back * period;
            total += weight * (self.history.values[begin + place] - self.sums.mean_before(begin + period, period));
            weights += weight;
            weight *= memory;
        }
        if weights > 0.0 { total / weights } else { 0.0 }
    }

    /// Profiles of weeks and of days.
    fn profiles(&self, origin: usize, ahead: usize) -> (f64, f64) {
        let step = self.history.step;
        let of_weeks = self.profile(origin, ahead, step.week, PROFILE_WEEKS, WEEK_MEMORY);
        let of_days =
            if step.has_two_seasons() { self.profile(origin, ahead, step.season, PROFILE_DAYS, DAY_MEMORY) } else { of_weeks };
        (of_weeks, of_days)
    }

    /// Surprise at the target's place so many periods before the first that was seen.
    fn surprise_at_place(&self, origin: usize, ahead: usize, period: usize, back: usize) -> f64 {
        let place = (ahead - 1) % period;
        (origin + place).checked_sub(back * period).and_then(|at| self.surprises.get(at)).copied().unwrap_or(0.0)
    }

    /// Fills a row and returns what is forecast without the regression.
    fn fill(&self, origin: usize, ahead: usize, row: &mut Vec<f64>) -> f64 {
        let step = self.history.step;
        let two_seasons = step.has_two_seasons();
        let (of_weeks, of_days) = self.profiles(origin, ahead);
        let level = self.sums.mean_before(origin, step.week);
        row.clear();
        row.push(1.0);
        if two_seasons {
            row.push(of_weeks - of_days);
        }
        row.push(of_weeks);
        let means = [step.season, 2 * step.season, 4 * step.week];
        row.extend(means.iter().skip(usize::from(!two_seasons)).map(|count| self.sums.mean_before(origin, *count) - level));
        let before = origin.saturating_sub(step.week);
        row.push(if before == 0 { 0.0 } else { self.sums.mean_before(before, step.week) - level });
        row.extend([1, 2].map(|back| origin.checked_sub(back).map_or(0.0, |at| self.surprises[at])));
        let lengths: &[usize] = if two_seasons { &[3, 6, 12] } else { &[3, 5] };
        row.extend(lengths.iter().map(|length| self.surprise_sums.mean_before(origin, *length)));
        let periods: &[usize] = if two_seasons { &[step.season, step.week] } else { &[step.week] };
        for period in periods {
            row.extend([1, 2].map(|back| self.surprise_at_place(origin, ahead, *period, back)));
        }
        self.push_calendar(origin + ahead - 1, row);
        let shares = if two_seasons { WEEK_SHARE * of_weeks + DAY_SHARE * of_days } else { of_weeks };
        level + shares
    }

    /// Weekend, and harmonics of the day or of the week.
    fn push_calendar(&self, target: usize, row: &mut Vec<f64>) {
        let calendar = self.history.calendar;
        let two_seasons = self.history.step.has_two_seasons();
        let hours = if two_seasons { 24.0 } else { 168.0 };
        let angle = TAU * float(calendar.hour_of_week(target)) / hours;
        let waves = [angle.sin(), angle.cos(), (2.0 * angle).sin(), (2.0 * angle).cos()];
        if two_seasons {
            let weekend = f64::from(u8::from(calendar.is_weekend(target)));
            row.push(weekend);
            row.extend(waves);
            row.extend(waves.map(|wave| wave * weekend));
        } else {
            row.extend(waves);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::tests::history;

    #[test]
    fn rows_have_the_columns_that_are_promised() {
        let options = Options::default();
        let values: Vec<f64> = (0..400).map(|at| float(at % 24)).collect();
        for hourly in [true, false] {
            let history = history(&values, &options, hourly);
            let features = Features::new(&history);
            let mut row = Vec::new();
            features.fill(350, 3, &mut row);
            assert_eq!(row.len(), features.columns());
        }
    }

    #[test]
    fn a_pure_season_is_repeated() {
        let options = Options::default();
        let values: Vec<f64> = (0..1200).map(|at| float(at % 24) / 24.0).collect();
        let made = forecasts(&history(&values, &options, true), &[1000], 168).remove(0);
        let worst = made.iter().zip(&values[1000..]).map(|(made, value)| (made - value).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{worst}");
    }

    #[test]
    fn weekends_that_differ_are_learnt() {
        let options = Options::default();
        let weekend = |at: usize| at % 168 >= 120;
        let values: Vec<f64> = (0..2000).map(|at| if weekend(at) { 1.0 } else { 4.0 }).collect();
        let made = forecasts(&history(&values, &options, true), &[1800], 168).remove(0);
        let worst = made.iter().zip(&values[1800..]).map(|(made, value)| (made - value).abs()).fold(0.0, f64::max);
        assert!(worst < 0.5, "{worst}");
    }

    #[test]
    fn forecasts_use_nothing_from_after_their_origin() {
        let options = Options::default();
        let values: Vec<f64> = (0..900).map(|at| (float(at) * 0.7).sin() + float(at % 24)).collect();
        let mut changed = values.clone();
        changed[700..].fill(50.0);
        let one = forecasts(&history(&values, &options, true), &[600, 700], 168);
        let other = forecasts(&history(&changed, &options, true), &[600, 700], 168);
        assert_eq!(one, other);
    }
}
