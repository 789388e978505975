//! Additive Holt-Winters with two seasons and autocorrelated errors (Taylor, "Short-term electricity demand forecasting using double
//! seasonal exponential smoothing", 2003), for a grid of parameters at once.

use super::History;
use crate::numbers::mean;

const ALPHAS: [f64; 4] = [0.01, 0.05, 0.15, 0.4];
const GAMMAS: [f64; 3] = [0.05, 0.15, 0.35];
const OMEGAS: [f64; 3] = [0.05, 0.2, 0.4];
const PHIS: [f64; 3] = [0.0, 0.5, 0.9];

/// States of all sets of parameters, side by side, so that a step is a few loops over arrays.
struct States {
    alpha: Vec<f64>,
    gamma: Vec<f64>,
    omega: Vec<f64>,
    phi: Vec<f64>,
    level: Vec<f64>,
    /// Error of the last value against level and seasons.
    error: Vec<f64>,
    /// Sum of the absolute one-step errors, the older ones forgotten.
    criterion: Vec<f64>,
    /// Place in the season by set.
    season: Vec<f64>,
    /// Place in the week by set; a single place that stays 0 if the season is the week.
    week: Vec<f64>,
}

impl States {
    /// States after the first steps, which are their means by place.
    fn new(first: &[f64], season: usize, week: Option<usize>) -> Self {
        let omegas: &[f64] = if week.is_some() { &OMEGAS } else { &[0.0] };
        let (mut alpha, mut gamma, mut omega, mut phi) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for a in ALPHAS {
            for g in GAMMAS {
                for o in omegas {
                    for p in PHIS {
                        alpha.push(a);
                        gamma.push(g);
                        omega.push(*o);
                        phi.push(p);
                    }
                }
            }
        }
        let sets = alpha.len();
        let level = mean(first);
        let deviation = |period: usize, at: usize| {
            let values: Vec<f64> = first.iter().skip(at).step_by(period).copied().collect();
            if values.is_empty() { 0.0 } else { mean(&values) - level }
        };
        let by_season: Vec<f64> = (0..season).map(|at| deviation(season, at)).collect();
        let by_week: Vec<f64> = week.map_or(vec![0.0], |week| {
            let rest = |at| if at < first.len() { deviation(week, at) - by_season[at % season] } else { 0.0 };
            (0..week).map(rest).collect()
        });
        let spread = |values: &[f64]| values.iter().flat_map(|value| std::iter::repeat_n(*value, sets)).collect();
        Self {
            level: vec![level; sets],
            error: vec![0.0; sets],
            criterion: vec![0.0; sets],
            season: spread(&by_season),
            week: spread(&by_week),
            alpha,
            gamma,
            omega,
            phi,
        }
    }

    fn sets(&self) -> usize {
        self.alpha.len()
    }

    /// Takes the value of a step.
    fn step(&mut self, at: usize, value: f64, memory: f64) {
        let sets = self.sets();
        let (seasons, weeks) = self.places();
        let season = &mut self.season[at % seasons * sets..][..sets];
        let week = &mut self.week[at % weeks * sets..][..sets];
        let (alpha, gamma, omega, phi) = (&self.alpha[..sets], &self.gamma[..sets], &self.omega[..sets], &self.phi[..sets]);
        let (level, last, criterion) = (&mut self.level[..sets], &mut self.error[..sets], &mut self.criterion[..sets]);
        for set in 0..sets {
            let error = value - level[set] - season[set] - week[set];
            criterion[set] = criterion[set] * memory + (error - phi[set] * last[set]).abs();
            level[set] += alpha[set] * error;
            season[set] += gamma[set] * error;
            week[set] += omega[set] * error;
            last[set] = error;
        }
    }

    /// Number of places in the season and in the week.
    fn places(&self) -> (usize, usize) {
        (self.season.len() / self.sets(), self.week.len() / self.sets())
    }

    /// Forecast of the set that did best.
    fn forecast(&self, origin: usize, horizon: usize) -> Vec<f64> {
        let sets = self.sets();
        let (seasons, weeks) = self.places();
        let best = (0..sets).min_by(|one, other| self.criterion[*one].total_cmp(&self.criterion[*other])).unwrap_or(0);
        let mut error = self.error[best];
        (origin..origin + horizon)
            .map(|at| {
                error *= self.phi[best];
                self.level[best] + self.season[at % seasons * sets + best] + self.week[at % weeks * sets + best] + error
            })
            .collect()
    }
}

/// Forecasts at each origin by one pass over the values.
pub(super) fn forecasts(history: &History<'_>, origins: &[usize], horizon: usize) -> Vec<Vec<f64>> {
    let step = history.step;
    let warm_up = (2 * step.week).min(history.warm_up).max(1);
    let week = step.has_two_seasons().then_some(step.week);
    let mut states = States::new(&history.values[..warm_up.min(history.values.len())], step.season, week);
    let mut made = Vec::with_capacity(origins.len());
    // The first steps are passed again: a criterion without errors would choose any set where the first origin ends the warm-up.
    let mut at = 0;
    for origin in origins {
        for index in at..*origin {
            states.step(index, history.values[index], step.smoothing_memory);
        }
        at = *origin;
        made.push(states.forecast(*origin, horizon));
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::tests::history;
    use crate::numbers::float;
    use crate::options::Options;

    #[test]
    fn a_pure_week_is_repeated() {
        let options = Options::default();
        let values: Vec<f64> = (0..700).map(|at| (float(at % 168) / 10.0).sin() + float(at % 24)).collect();
        let made = forecasts(&history(&values, &options, true), &[600], 100).remove(0);
        let worst = made.iter().zip(&values[600..]).map(|(made, value)| (made - value).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-9, "{worst}");
    }

    #[test]
    fn a_step_is_followed() {
        let options = Options::default();
        let values: Vec<f64> = (0..120).map(|at| if at < 80 { 1.0 } else { 5.0 }).collect();
        let made = forecasts(&history(&values, &options, false), &[79, 120], 7);
        assert!(made[0].iter().all(|value| (value - 1.0).abs() < 1e-9), "{made:?}");
        assert!(made[1].iter().all(|value| (value - 5.0).abs() < 0.2), "{made:?}");
    }

    #[test]
    fn a_history_shorter_than_the_warm_up_still_answers() {
        let options = Options::default();
        let values: Vec<f64> = (0..20).map(|at| float(at % 7) + 10.0).collect();
        let made = forecasts(&history(&values, &options, false), &[5, 20], 14);
        assert!(made.iter().flatten().all(|value| *value > 8.0 && *value < 18.0), "{made:?}");
    }
}
