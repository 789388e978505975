//! The theta method (Assimakopoulos and Nikolopoulos, 2000) on values without the profile of their week: exponential smoothing with half
//! of the trend.

use super::History;
use crate::numbers::{Sums, float, mean};

/// Weeks that the profile is made from.
const PROFILE_WEEKS: usize = 12;
/// Weight of a week in the profile per week of age.
const WEEK_MEMORY: f64 = 0.9;
/// Weeks that level and trend are made from.
const LEVEL_WEEKS: usize = 8;
const ALPHAS: [f64; 8] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9];
/// Observations of a weekday that deviates by nothing, in daily series.
const DAILY_SHRINKAGE: f64 = 0.5;

/// Forecast of the next steps.
pub(super) fn forecast(history: &History<'_>, origin: usize, horizon: usize) -> Vec<f64> {
    let week = history.step.week;
    let seen = &history.values[..origin];
    let profile = profile(seen, week, history.step.season);
    let from = origin.saturating_sub(LEVEL_WEEKS * week);
    let level: Vec<f64> = (from..origin).map(|at| seen[at] - profile[at % week]).collect();
    let smoothed = smooth(&level, week);
    let slope = slope(&level);
    (1..=horizon).map(|ahead| smoothed + 0.5 * slope * float(ahead) + profile[(origin + ahead - 1) % week]).collect()
}

/// Mean deviation from the mean of the week around, by place in the week; places of little evidence are like the same hour of other days.
fn profile(seen: &[f64], week: usize, season: usize) -> Vec<f64> {
    let sums = Sums::new(seen);
    let (mut totals, mut weights) = (vec![0.0; week], vec![0.0; week]);
    for at in seen.len().saturating_sub(PROFILE_WEEKS * week)..seen.len() {
        // Where the week around is not over, the last whole one.
        let end = (at + week / 2 + 1).max(week).min(seen.len());
        let weight = WEEK_MEMORY.powi(i32::try_from((seen.len() - 1 - at) / week).unwrap_or(0));
        totals[at % week] += weight * (seen[at] - sums.mean_before(end, week));
        weights[at % week] += weight;
    }
    let (prior, shrinkage): (Vec<f64>, f64) = if season < week {
        let of_hour = |values: &[f64], hour: usize| values.iter().skip(hour).step_by(season).sum::<f64>();
        ((0..season).map(|hour| of_hour(&totals, hour) / of_hour(&weights, hour).max(1.0)).collect(), 1.0)
    } else {
        (vec![0.0], DAILY_SHRINKAGE)
    };
    (0..week).map(|at| (totals[at] + shrinkage * prior[at % prior.len()]) / (weights[at] + shrinkage)).collect()
}

/// Level by exponential smoothing, with the factor whose one-step errors were least.
fn smooth(values: &[f64], week: usize) -> f64 {
    let start = mean(&values[..week.min(values.len())]);
    let smoothed = ALPHAS.map(|alpha| {
        let (mut level, mut errors) = (start, 0.0);
        for value in values {
            let error = value - level;
            errors += error.abs();
            level += alpha * error;
        }
        (errors, level)
    });
    smoothed.into_iter().min_by(|one, other| one.0.total_cmp(&other.0)).map_or(start, |(_, level)| level)
}

/// Slope of least squares per step.
fn slope(values: &[f64]) -> f64 {
    let middle = (float(values.len()) - 1.0) / 2.0;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let distance = float(at) - middle;
        above += distance * value;
        below += distance * distance;
    }
    if below > 0.0 { above / below } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::tests::history;
    use crate::options::Options;

    #[test]
    fn a_pure_day_is_repeated() {
        let options = Options::default();
        let values: Vec<f64> = (0..12 * 168).map(|at| (float(at % 24) / 10.0).sin()).collect();
        let made = forecast(&history(&values, &options, true), values.len(), 168);
        let worst = made.iter().zip(&values).map(|(made, value)| (made - value).abs()).fold(0.0, f64::max);
        assert!(worst < 0.05, "{worst}");
    }

    #[test]
    fn a_trend_goes_on_with_half_of_its_slope() {
        let options = Options::default();
        let values: Vec<f64> = (0..200).map(float).collect();
        let made = forecast(&history(&values, &options, false), values.len(), 30);
        assert!((made[29] - made[1] - 14.0).abs() < 0.5, "{made:?}");
        assert!(made[0] > 195.0 && made[0] < 203.0, "{}", made[0]);
    }

    #[test]
    fn the_slope_is_that_of_least_squares() {
        assert!((slope(&[1.0, 3.0, 5.0, 7.0]) - 2.0).abs() < 1e-12);
        assert!(slope(&[4.0]).abs() < 1e-12);
    }
}
