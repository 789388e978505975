//! Medians of what was: of the same slot, or of the latest values.

use crate::numbers::median;

/// For each step the median of the last `count` values at the same place of a period; of fewer where the history is short.
pub(super) fn slots(seen: &[f64], period: usize, count: usize, horizon: usize) -> Vec<f64> {
    let period = period.min(seen.len()).max(1);
    let slot = |ahead: usize| {
        let newest = seen.len() - period + ahead;
        let mut values: Vec<f64> = (0..count).filter_map(|back| newest.checked_sub(back * period)).map(|at| seen[at]).collect();
        median(&mut values)
    };
    let cycle: Vec<f64> = if seen.is_empty() { vec![0.0] } else { (0..period.min(horizon)).map(slot).collect() };
    cycle.iter().copied().cycle().take(horizon).collect()
}

/// The median of the last `count` values, for every step.
pub(super) fn recent(seen: &[f64], count: usize, horizon: usize) -> Vec<f64> {
    let mut values = seen[seen.len().saturating_sub(count)..].to_vec();
    vec![median(&mut values); horizon]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_repeat_the_median_of_their_place() {
        let seen = [1.0, 10.0, 3.0, 30.0, 2.0, 20.0];
        assert_eq!(slots(&seen, 2, 3, 5), [2.0, 20.0, 2.0, 20.0, 2.0]);
        assert_eq!(slots(&seen, 2, 1, 3), [2.0, 20.0, 2.0]);
        assert_eq!(slots(&seen, 1, 1, 2), [20.0, 20.0]);
    }

    #[test]
    fn a_history_shorter_than_the_period_is_repeated() {
        assert_eq!(slots(&[4.0, 5.0], 7, 3, 5), [4.0, 5.0, 4.0, 5.0, 4.0]);
    }

    #[test]
    fn recent_values_are_as_many_as_there_are() {
        assert_eq!(recent(&[9.0, 1.0, 2.0, 3.0], 3, 2), [2.0, 2.0]);
        assert_eq!(recent(&[9.0], 3, 1), [9.0]);
    }
}
