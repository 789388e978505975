//! Medians, means and quantiles.

/// A count as a number. Counts here are far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts of points and steps are small")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// Median of some values, which are reordered; the mean of the middle two of an even number, 0 of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return 0.0;
    }
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let upper = *upper;
    if count % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    f64::midpoint(lower, upper)
}

/// Quantile of ascending values, between neighbours by their distance (type 7 of Hyndman and Fan, 1996); 0 of none.
pub(crate) fn quantile(ascending: &[f64], share: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return 0.0 };
    let place = share.clamp(0.0, 1.0) * float(last);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last index")]
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    ascending[below] + (ascending[above] - ascending[below]) * (place - float(below))
}

/// Mean of some values; 0 of none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / float(values.len()) }
}

/// Sums of beginnings, for means of any range in constant time.
pub(crate) struct Sums(Vec<f64>);

impl Sums {
    /// Sums of these values.
    pub(crate) fn new(values: &[f64]) -> Self {
        let mut sum = 0.0;
        let mut sums = Vec::with_capacity(values.len() + 1);
        sums.push(0.0);
        for value in values {
            sum += value;
            sums.push(sum);
        }
        Self(sums)
    }

    /// Mean of the `count` values before `end`, or of those that there are; 0 of none.
    pub(crate) fn mean_before(&self, end: usize, count: usize) -> f64 {
        let from = end.saturating_sub(count);
        if from == end { 0.0 } else { (self.0[end] - self.0[from]) / float(end - from) }
    }
}

/// Root of the mean square, without overflow.
pub(crate) fn root_mean_square(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let squares: Vec<f64> = values.iter().map(|value| (value / largest).powi(2)).collect();
    largest * mean(&squares).sqrt()
}
