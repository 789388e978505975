//! Scale and logarithm.

use crate::numbers::median;

/// Largest logarithm that is turned back: 160,000 times the median.
const MOST_LOG: f64 = 12.0;

/// Way from values to what the components see, and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transform {
    scale: f64,
    /// Offset of the logarithm; none where values are negative.
    offset: Option<f64>,
}

impl Transform {
    /// Transform of these values: divided by their median size, and logarithms if none is negative.
    pub(crate) fn new(values: &[f64], offset: f64) -> Self {
        let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).filter(|size| *size > 0.0).collect();
        let scale = median(&mut sizes);
        let is_positive = values.iter().all(|value| *value >= 0.0);
        Self { scale: if scale > 0.0 { scale } else { 1.0 }, offset: is_positive.then_some(offset) }
    }

    /// True if values cannot be negative.
    pub(crate) fn is_positive(self) -> bool {
        self.offset.is_some()
    }

    /// Unit of scaled values.
    pub(crate) fn scale(self) -> f64 {
        self.scale
    }

    /// From a scaled value to the components' space.
    pub(crate) fn forth(self, scaled: f64) -> f64 {
        self.offset.map_or(scaled, |offset| (scaled.max(0.0) + offset).ln())
    }

    /// From the components' space to a scaled value.
    pub(crate) fn back(self, value: f64) -> f64 {
        self.offset.map_or(value, |offset| (value.min(MOST_LOG).exp() - offset).max(0.0))
    }
}
