//! Weights of components by their errors in the backtest.

use crate::components::Component;
use crate::numbers::float;
use crate::options::{BUCKETS, Options, StepOptions};

const COMPONENTS: usize = Component::ALL.len();

/// Weights of the components by bucket.
pub(crate) type Weights = [[f64; COMPONENTS]; BUCKETS];

/// Mean absolute errors at an origin by bucket and component; none in a bucket that has no measured value.
pub(crate) type OriginErrors = [Option<[f64; COMPONENTS]>; BUCKETS];

/// Mean absolute errors of the components at an origin, against what was measured from there on.
pub(crate) fn errors(forecasts: &[Vec<f64>], actual: &[Option<f64>], step: &StepOptions) -> OriginErrors {
    let mut errors = [None; BUCKETS];
    for (bucket, errors) in errors.iter_mut().enumerate() {
        let (first, last) = step.bucket_range(bucket);
        let steps = (first - 1).min(actual.len())..last.min(actual.len());
        let count = actual[steps.clone()].iter().flatten().count();
        let error = |component: usize| {
            let forecast = &forecasts[component][steps.clone()];
            let differences = forecast.iter().zip(&actual[steps.clone()]);
            differences.filter_map(|(value, actual)| actual.map(|actual| (value - actual).abs())).sum::<f64>() / float(count)
        };
        *errors = (count > 0).then(|| std::array::from_fn(error));
    }
    errors
}

/// Weights from the errors at origins, the latest last, without those at `except`: (least error / error)^sharpness, where an origin
/// counts less with each later one. A bucket without errors has the weights of the one before it.
pub(crate) fn weights(origins: &[OriginErrors], except: Option<usize>, options: &Options) -> Weights {
    let mut weights = [[1.0 / float(COMPONENTS); COMPONENTS]; BUCKETS];
    for bucket in 0..BUCKETS {
        let mut errors = [0.0; COMPONENTS];
        let mut any = false;
        let mut age = 1.0;
        for (index, origin) in origins.iter().enumerate().rev() {
            if let Some(of_bucket) = origin[bucket].as_ref().filter(|_| Some(index) != except) {
                errors.iter_mut().zip(of_bucket).for_each(|(sum, error)| *sum += age * error);
                any = true;
            }
            age *= options.age;
        }
        weights[bucket] = if any { sharpen(errors, options.sharpness) } else { weights[bucket.saturating_sub(1)] };
    }
    weights
}

/// Shares of (least error / error)^sharpness; 0 for errors that are no numbers.
fn sharpen(errors: [f64; COMPONENTS], sharpness: f64) -> [f64; COMPONENTS] {
    let least = errors.iter().copied().filter(|error| error.is_finite()).fold(f64::INFINITY, f64::min);
    let weight = |error: f64| match error {
        _ if !error.is_finite() => 0.0,
        _ if error <= least => 1.0,
        _ => (least / error).powf(sharpness),
    };
    let weights = errors.map(weight);
    let sum: f64 = weights.iter().sum();
    // The seasonal naive always has a number.
    weights.map(|weight| if sum > 0.0 { weight / sum } else { 0.0 })
}

/// Weighted mean of the components' forecasts; a component without a weight may have no numbers.
pub(crate) fn combine(forecasts: &[Vec<f64>], weights: &Weights, step: &StepOptions, horizon: usize) -> Vec<f64> {
    let value = |ahead: usize| {
        let of_bucket = &weights[step.bucket(ahead)];
        let usable = forecasts.iter().zip(of_bucket).map(|(forecast, weight)| (forecast[ahead - 1], *weight));
        let usable = usable.filter(|(value, weight)| *weight > 0.0 && value.is_finite());
        let (total, sum) = usable.fold((0.0, 0.0), |(total, sum), (value, weight)| (total + weight * value, sum + weight));
        // A regression that has numbers at the origins may have none now; the seasonal naive always has.
        if sum > 0.0 { total / sum } else { forecasts[0][ahead - 1] }
    };
    (1..=horizon).map(value).collect()
}
