//! From measurements to histories without gaps and outliers.

use crate::numbers::median;
use crate::options::{Options, StepOptions};
use crate::series::{Series, Timestamp, after};

/// Consistency of the median absolute deviation with the standard deviation of normal errors.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// The part of a series that forecasts are made from, without gaps.
pub(crate) struct Grid {
    /// Time of the first step.
    pub(crate) start: Timestamp,
    /// Values, with gaps filled from both sides.
    pub(crate) filled: Vec<f64>,
    /// Values, with gaps filled from the past alone.
    pub(crate) filled_from_past: Vec<f64>,
    /// Steps whose errors count: all but those in long gaps.
    pub(crate) counts: Vec<bool>,
}

impl Grid {
    /// Cuts what is too old, zeros that lead, and what is before a gap of four weeks; fills other gaps.
    pub(crate) fn new(series: &Series, options: &StepOptions) -> Self {
        let values = series.values();
        let from = beginning(values, options);
        let values = &values[from..];
        Self {
            start: after(series.start(), series.step(), from).unwrap_or(series.start()),
            filled: fill(values, options, true),
            filled_from_past: fill(values, options, false),
            counts: counted(values, options.short_gap),
        }
    }
}

/// First step of the history that is used.
fn beginning(values: &[Option<f64>], options: &StepOptions) -> usize {
    let mut from = values.len().saturating_sub(options.most_history);
    let mut unmeasured = 0;
    for (index, value) in values.iter().enumerate().skip(from) {
        if value.is_some() {
            from = if unmeasured >= options.four_weeks() { index } else { from };
            unmeasured = 0;
        } else {
            unmeasured += 1;
        }
    }
    // The cut may fall into a gap.
    from += values[from..].iter().take_while(|value| value.is_none()).count();
    let is_zero = |value: &Option<f64>| value.is_none_or(|value| value == 0.0);
    let zeros = values[from..].iter().take_while(|value| is_zero(value)).count();
    if zeros >= options.four_weeks() && from + zeros < values.len() { from + zeros } else { from }
}

/// Values with gaps filled by the median of the same slot one and two seasons away.
fn fill(values: &[Option<f64>], options: &StepOptions, both_sides: bool) -> Vec<f64> {
    let mut filled = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let value = value.unwrap_or_else(|| {
            let back = [1, 2].iter().filter_map(|k| index.checked_sub(k * options.season)).map(|at| filled[at]);
            let ahead = [1, 2].iter().filter_map(|k| values.get(index + k * options.season).copied().flatten());
            let mut near: Vec<f64> = if both_sides { back.chain(ahead).collect() } else { back.collect() };
            if near.is_empty() { filled.last().copied().unwrap_or(0.0) } else { median(&mut near) }
        });
        filled.push(value);
    }
    filled
}

/// Steps that are measured or in a gap of at most `longest` steps.
fn counted(values: &[Option<f64>], longest: usize) -> Vec<bool> {
    let mut counts = Vec::with_capacity(values.len());
    while counts.len() < values.len() {
        let gap = values[counts.len()..].iter().take_while(|value| value.is_none()).count();
        counts.extend(std::iter::repeat_n(gap <= longest, gap));
        counts.extend(values[counts.len()..].iter().take_while(|value| value.is_some()).map(|_| true));
    }
    counts
}

/// Clips values to the median of the same slot on both sides, for the forecast from now.
pub(crate) fn winsorise(values: &[f64], options: &Options, step: &StepOptions) -> Vec<f64> {
    let season = step.season;
    let mut distances = vec![season, 2 * season, 3 * season];
    if step.has_two_seasons() {
        distances.extend([1, 2]);
    }
    let mut near = Vec::with_capacity(2 * distances.len());
    let middles: Vec<f64> = (0..values.len())
        .map(|index| {
            near.clear();
            near.extend(distances.iter().filter_map(|distance| index.checked_sub(*distance)).map(|at| values[at]));
            near.extend(distances.iter().filter_map(|distance| values.get(index + distance)));
            if near.is_empty() { values[index] } else { median(&mut near) }
        })
        .collect();
    let mut deviations: Vec<f64> = values.iter().zip(&middles).map(|(value, middle)| (value - middle).abs()).collect();
    let width = options.clip_two_sided * MAD_TO_DEVIATION * median(&mut deviations);
    values.iter().zip(middles).map(|(value, middle)| clip(*value, middle, width)).collect()
}

/// Clips values by what was before them, so that a history that ends earlier is cleaned the same way.
pub(crate) fn winsorise_from_past(values: &[f64], options: &Options, step: &StepOptions) -> Vec<f64> {
    let season = step.season;
    let mut distances = vec![season, 2 * season, 3 * season, 4 * season, 1, 2];
    if step.has_two_seasons() {
        distances.extend([step.week, 2 * step.week]);
    }
    let memory = 8 * step.week;
    let (mut cleaned, mut deviations): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let (mut near, mut recent) = (Vec::new(), Vec::new());
    let mut width = 0.0;
    for (index, value) in values.iter().enumerate() {
        if index % season == 0 {
            recent.clear();
            recent.extend_from_slice(&deviations[index.saturating_sub(memory)..]);
            width = options.clip_past * MAD_TO_DEVIATION * median(&mut recent);
        }
        near.clear();
        near.extend(distances.iter().filter_map(|distance| index.checked_sub(*distance)).map(|at| cleaned[at]));
        let middle = if near.is_empty() { *value } else { median(&mut near) };
        deviations.push((value - middle).abs());
        // Two seasons show what is usual.
        cleaned.push(if index >= 2 * season { clip(*value, middle, width) } else { *value });
    }
    cleaned
}

/// Value within `width` of a middle; unchanged where nothing deviates usually.
fn clip(value: f64, middle: f64, width: f64) -> f64 {
    if width > 0.0 { value.clamp(middle - width, middle + width) } else { value }
}
