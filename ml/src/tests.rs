//! Forecasts of made series, and what holds for all.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use crate::numbers::float;
use crate::{Forecast, ForecastError, Forecaster, Model, Note, Options, Series, SeriesError, Step, Timestamp};

/// A Monday.
fn monday() -> Timestamp {
    DateTime::from_timestamp(1_767_571_200, 0).unwrap()
}

fn series(step: Step, values: &[f64]) -> Series {
    Series::new(monday(), step, values.iter().copied().map(Some).collect()).unwrap()
}

fn forecast(step: Step, values: &[f64], horizon: usize) -> Forecast {
    Forecaster::default().forecast(&series(step, values), horizon).unwrap()
}

/// Hours of a shop: a day, a quieter weekend, and noise that is always the same.
fn shop(hours: usize) -> Vec<f64> {
    let noise = |at: usize| {
        let mixed = u32::try_from(at).unwrap().wrapping_add(1).wrapping_mul(2_654_435_761);
        f64::from((mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 8) / f64::from(1 << 24) - 0.5
    };
    let weekend = |at: usize| if at % 168 >= 120 { 0.6 } else { 1.0 };
    let day = |at: usize| 3.0 + (float(at % 24) / 24.0 * std::f64::consts::TAU).sin();
    (0..hours).map(|at| 100.0 * weekend(at) * day(at) + 20.0 * noise(at)).collect()
}

fn assert_sound(forecast: &Forecast) {
    for (index, point) in forecast.points.iter().enumerate() {
        let bounds = [point.lo95, point.lo80, point.value, point.hi80, point.hi95];
        assert!(bounds.iter().all(|bound| bound.is_finite()), "{index}: {point:?}");
        assert!(bounds.is_sorted(), "{index}: {point:?}");
    }
    let total = forecast.total(0..forecast.points.len());
    assert!([total.lo95, total.lo80, total.value, total.hi80, total.hi95].is_sorted(), "{total:?}");
    assert!(total.lo95.is_finite() && total.hi95.is_finite(), "{total:?}");
}

#[test]
fn a_season_with_noise_is_forecast_better_than_by_repeating_it() {
    let values = shop(1200);
    let made = forecast(Step::Hour, &values[..1000], 168);
    assert_sound(&made);
    assert_eq!(made.used, Model::Ensemble);
    assert_eq!(made.origin, monday() + TimeDelta::hours(999));
    assert_eq!(made.backtest.origins, 12);
    let error = |forecast: &dyn Fn(usize) -> f64| (0..168).map(|at| (forecast(at) - values[1000 + at]).abs()).sum::<f64>();
    let (ours, naive) = (error(&|at| made.points[at].value), error(&|at| values[832 + at]));
    assert!(ours < 0.9 * naive, "{ours} to {naive}");
    let inside = (0..168).filter(|at| (made.points[*at].lo80..=made.points[*at].hi80).contains(&values[1000 + at])).count();
    assert!((110..=165).contains(&inside), "{inside}");
    assert!(made.backtest.mae < made.backtest.baseline_mae);
    assert!(made.backtest.total_error.unwrap() < 0.05, "{:?}", made.backtest);
}

#[test]
fn a_shorter_horizon_gives_the_beginning_of_a_longer_one() {
    let values = shop(700);
    let (short, long) = (forecast(Step::Hour, &values, 5), forecast(Step::Hour, &values, 400));
    assert_eq!(short.points, long.points[..5]);
    assert_eq!(short.backtest, long.backtest);
    assert_sound(&long);
}

#[test]
fn bands_grow_beyond_what_was_measured() {
    let made = forecast(Step::Hour, &shop(900), 8 * 168);
    let width = |at: usize| (made.points[at].hi80 - made.points[at].lo80) / made.points[at].value.sqrt();
    assert!(width(8 * 168 - 1) > 2.0 * width(167), "{} {}", width(8 * 168 - 1), width(167));
}

#[test]
fn the_same_value_for_ever_is_constant() {
    let made = forecast(Step::Day, &[4.5; 90], 30);
    assert_eq!(made.used, Model::Constant);
    assert!(
        made.points.iter().all(|point| point.lo95.to_bits() == 4.5_f64.to_bits() && point.hi95.to_bits() == 4.5_f64.to_bits())
    );
    assert!((made.total(0..30).value - 135.0).abs() < 1e-9);
    let zeros = forecast(Step::Hour, &[0.0; 500], 3);
    assert_eq!(zeros.used, Model::Constant);
    assert_sound(&zeros);
}

#[test]
fn hardly_anything_but_zeros_is_constant_with_what_there_was_as_the_upper_end() {
    let mut values = vec![0.0; 700];
    values[5] = 3.0;
    values[650] = 7.0;
    let made = forecast(Step::Hour, &values, 24);
    assert_eq!(made.used, Model::Constant);
    assert!(made.points.iter().all(|point| point.value.abs() < 1e-12 && (point.hi80 - 7.0).abs() < 1e-12));
}

#[test]
fn few_points_have_wide_bands_and_a_note() {
    let made = forecast(Step::Day, &[10.0, 20.0, 30.0], 5);
    assert_eq!((made.used, made.notes.as_slice()), (Model::LastValue, &[Note::InsufficientHistory][..]));
    let point = made.points[4];
    assert!((point.value - 20.0).abs() < 1e-12 && (point.lo80 - 5.0).abs() < 1e-12 && (point.hi80 - 45.0).abs() < 1e-12);
    let made = forecast(Step::Day, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0, 1.0], 14);
    assert_eq!(made.used, Model::SeasonalNaive);
    assert!((made.points[0].value - 3.0).abs() < 1e-12 && (made.points[7].value - 3.0).abs() < 1e-12);
    assert!(made.points[7].hi80 > made.points[0].hi80);
    assert_sound(&made);
}

#[test]
fn bad_points_are_refused_with_their_place() {
    let at = |hour: i64| monday() + TimeDelta::hours(hour);
    assert_eq!(Series::from_points(&[(at(0), 1.0), (at(1), f64::NAN)]), Err(SeriesError::Value { index: 1 }));
    assert_eq!(Series::from_points(&[(at(0), f64::INFINITY)]), Err(SeriesError::Value { index: 0 }));
    assert_eq!(Series::from_points(&[(at(0), 1e101), (at(1), 0.0)]), Err(SeriesError::Value { index: 0 }));
    assert_eq!(Series::from_points(&[]), Err(SeriesError::Empty));
    assert_eq!(Series::from_points(&[(at(0), 1.0)]), Err(SeriesError::OnePoint));
    assert_eq!(Series::from_points(&[(at(0), 1.0), (at(0), 2.0)]), Err(SeriesError::OnePoint));
    assert_eq!(Series::from_points(&[(at(0), 1.0), (at(5), 2.0)]), Err(SeriesError::Distance { seconds: 5 * 3600 }));
    assert_eq!(Series::new(monday(), Step::Day, vec![None, None]), Err(SeriesError::Empty));
    let latest = DateTime::<chrono::Utc>::MAX_UTC;
    assert_eq!(Series::new(latest, Step::Day, vec![Some(1.0); 3]), Err(SeriesError::Time));
}

#[test]
fn points_are_sorted_and_the_last_of_equal_times_counts() {
    let at = |hour: i64| monday() + TimeDelta::hours(hour);
    let series = Series::from_points(&[(at(3), 3.0), (at(0), 9.0), (at(1), 1.0), (at(2), 2.0), (at(0), 0.5)]).unwrap();
    assert_eq!((series.start(), series.last()), (at(0), at(3)));
    assert_eq!(series.values(), [Some(0.5), Some(1.0), Some(2.0), Some(3.0)]);
}

#[test]
fn gaps_are_steps_without_a_value() {
    let at = |hour: i64| monday() + TimeDelta::hours(hour) + TimeDelta::minutes(if hour == 2 { 7 } else { 0 });
    let series = Series::from_points(&[(at(0), 0.0), (at(1), 1.0), (at(2), 2.0), (at(6), 6.0)]).unwrap();
    assert_eq!(series.values(), [Some(0.0), Some(1.0), Some(2.0), None, None, None, Some(6.0)]);
}

#[test]
fn rows_without_a_value_show_the_step() {
    let at = |hour: i64| monday() + TimeDelta::hours(hour);
    let rows = (0..9).map(|hour| (at(hour), (hour % 3 == 0).then_some(1.0))).collect();
    let series = Series::from_rows(rows).unwrap();
    assert_eq!((series.step(), series.values().len(), series.last()), (Step::Hour, 7, at(6)));
}

#[test]
fn a_stray_time_long_ago_costs_no_memory() {
    let at = |hour: i64| monday() + TimeDelta::hours(hour);
    let mut points: Vec<_> = (0..40).map(|hour| (at(hour), 1.0)).collect();
    points.push((DateTime::from_timestamp(-60_000_000_000, 0).unwrap(), 5.0));
    let series = Series::from_points(&points).unwrap();
    assert_eq!(series.values().len(), 40);
}

#[test]
fn gaps_change_little() {
    let values = shop(1000);
    let whole = forecast(Step::Hour, &values, 24);
    let mut gaps: Vec<Option<f64>> = values.into_iter().map(Some).collect();
    for gap in [400..404, 700..720, 900..906] {
        gaps[gap].fill(None);
    }
    let series = Series::new(monday(), Step::Hour, gaps).unwrap();
    let made = Forecaster::default().forecast(&series, 24).unwrap();
    assert_sound(&made);
    for (one, other) in whole.points.iter().zip(&made.points) {
        assert!((one.value - other.value).abs() < 0.05 * one.value, "{one:?} {other:?}");
    }
}

#[test]
fn history_begins_anew_after_a_gap_of_four_weeks() {
    let mut values = vec![Some(1000.0); 100];
    values.extend(vec![None; 28]);
    values.extend([Some(2.0), Some(3.0), Some(2.0)]);
    let series = Series::new(monday(), Step::Day, values.clone()).unwrap();
    let made = Forecaster::default().forecast(&series, 7).unwrap();
    assert_eq!(made.used, Model::LastValue);
    assert!(made.points[0].hi95 < 10.0);
    values.truncate(129);
    let series = Series::new(monday(), Step::Day, values).unwrap();
    assert_eq!(Forecaster::default().forecast(&series, 7), Err(ForecastError::TooShort { points: 1 }));
}

#[test]
fn zeros_before_a_launch_are_left_out() {
    let mut values = vec![0.0; 40];
    values.extend((0..90).map(|day| 50.0 + float(day % 7)));
    let launched = forecast(Step::Day, &values, 30);
    let alone = Forecaster::default();
    let series =
        Series::new(monday() + TimeDelta::days(40), Step::Day, values[40..].iter().copied().map(Some).collect()).unwrap();
    assert_eq!(launched.points, alone.forecast(&series, 30).unwrap().points);
}

#[test]
fn an_outlier_moves_nothing_far() {
    let values = shop(1000);
    let plain = forecast(Step::Hour, &values, 48);
    let mut spike = values;
    spike[990] = 1e7;
    let made = forecast(Step::Hour, &spike, 48);
    for (one, other) in plain.points.iter().zip(&made.points) {
        assert!((one.value - other.value).abs() < 0.3 * one.value, "{one:?} {other:?}");
    }
}

#[test]
fn negative_values_are_forecast_without_logarithms() {
    let values: Vec<f64> = shop(800).into_iter().map(|value| value - 300.0).collect();
    let made = forecast(Step::Hour, &values, 168);
    assert_sound(&made);
    assert!(made.points.iter().any(|point| point.value < 0.0));
}

#[test]
fn positive_values_have_no_negative_bounds() {
    let values: Vec<f64> = (0..300).map(|day| float((day * 31) % 11)).collect();
    let made = forecast(Step::Day, &values, 92);
    assert_sound(&made);
    assert!(made.points.iter().all(|point| point.lo95 >= 0.0));
}

#[test]
fn tiny_and_huge_units_are_forecast_alike() {
    let here = forecast(Step::Hour, &shop(800), 168);
    for unit in [1e-9, 1e12] {
        let there = forecast(Step::Hour, &shop(800).iter().map(|value| value * unit).collect::<Vec<_>>(), 168);
        for (one, other) in here.points.iter().zip(&there.points) {
            assert!((one.value - other.value / unit).abs() < 1e-6 * one.value, "{one:?} {other:?}");
            assert!((one.hi80 - other.hi80 / unit).abs() < 1e-6 * one.value, "{one:?} {other:?}");
        }
    }
}

#[test]
fn a_horizon_of_nothing_or_too_much_is_refused() {
    let series = series(Step::Day, &[1.0, 2.0, 3.0]);
    let refused = |asked| Forecaster::default().forecast(&series, asked).unwrap_err();
    assert_eq!(refused(0), ForecastError::Horizon { asked: 0, most: 92 });
    assert_eq!(refused(93), ForecastError::Horizon { asked: 93, most: 92 });
}

#[test]
fn a_step_down_at_the_end_does_not_break_the_bands() {
    let values: Vec<f64> = (0..200).map(|day| if day < 190 { 80.0 + float(day % 3) } else { 0.0 }).collect();
    assert_sound(&forecast(Step::Day, &values, 30));
}

#[test]
fn sums_are_surer_than_their_steps() {
    let made = forecast(Step::Day, &(0..400).map(|day| 50.0 + float((day * 7919) % 23)).collect::<Vec<_>>(), 30);
    let total = made.total(0..30);
    let widths: f64 = made.points.iter().map(|point| point.hi80 - point.lo80).sum();
    assert!(total.hi80 - total.lo80 < widths, "{total:?} {widths}");
    assert!(total.hi80 > total.value || total.lo80 < total.value);
    let empty = made.total(7..7);
    assert!(empty.value.abs() < 1e-12 && empty.hi95.abs() < 1e-12);
    assert_eq!(made.total(0..3000).value.to_bits(), total.value.to_bits());
}

#[test]
fn a_forecast_survives_being_stored() {
    let made = forecast(Step::Day, &(0..100).map(|day| float(day % 7) + 1.0 + float(day % 5)).collect::<Vec<_>>(), 30);
    let stored = serde_json::to_string(&made).unwrap();
    let read: Forecast = serde_json::from_str(&stored).unwrap();
    assert_eq!((read.v, read.used, read.points.len()), (1, made.used, 30));
    assert!((read.total(0..30).hi80 - made.total(0..30).hi80).abs() < 1e-6);
}

#[test]
fn options_can_be_changed() {
    let mut options = Options::default();
    options.hour.widening = [10.0; 4];
    let wide = Forecaster { options }.forecast(&series(Step::Hour, &shop(600)), 24).unwrap();
    let usual = forecast(Step::Hour, &shop(600), 24);
    assert!(wide.points[3].hi80 - wide.points[3].value > 3.0 * (usual.points[3].hi80 - usual.points[3].value));
}

/// Values of some kind: steady, seasonal, wild, with zeros, with outliers, negative.
fn any_values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        6 => (0.0..100.0_f64).boxed(),
        2 => Just(0.0).boxed(),
        1 => (0.0..1e6_f64).boxed(),
    ];
    let signed = prop_oneof![(-50.0..50.0_f64).boxed(), Just(0.0).boxed()];
    prop_oneof![
        prop::collection::vec(value, 2..420),
        prop::collection::vec(signed, 2..420),
        (2..420_usize, 1.0..9.0_f64).prop_map(|(count, height)| (0..count).map(|at| height + float(at % 24)).collect()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_forecast_is_finite_and_ordered(values in any_values(), hourly: bool, scale in prop_oneof![Just(1.0), Just(1e-9), Just(1e12), Just(1e90)]) {
        let step = if hourly { Step::Hour } else { Step::Day };
        let values: Vec<f64> = values.into_iter().map(|value| value * scale).collect();
        let made = forecast(step, &values, if hourly { 168 } else { 30 });
        assert_sound(&made);
        if values.iter().all(|value| *value >= 0.0) {
            prop_assert!(made.points.iter().all(|point| point.lo95 >= 0.0));
        }
    }

    #[test]
    fn a_shift_of_whole_weeks_changes_nothing(values in any_values(), hourly: bool, weeks in 1..500_i64) {
        let step = if hourly { Step::Hour } else { Step::Day };
        let values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
        let make = |start| Forecaster::default().forecast(&Series::new(start, step, values.clone()).unwrap(), 30).unwrap();
        let (here, there) = (make(monday()), make(monday() + TimeDelta::weeks(weeks)));
        prop_assert_eq!(here.points, there.points);
    }

    #[test]
    fn another_unit_changes_nothing_else(values in any_values(), hourly: bool, power in -60..60_i32) {
        // Powers of two change no digit, so that what is decided by a hair is decided the same way.
        let step = if hourly { Step::Hour } else { Step::Day };
        let unit = 2_f64.powi(power);
        let here = forecast(step, &values, 30);
        let there = forecast(step, &values.iter().map(|value| value * unit).collect::<Vec<_>>(), 30);
        prop_assert_eq!(here.used, there.used);
        for (one, other) in here.points.iter().zip(&there.points) {
            let size = one.hi95.abs().max(one.lo95.abs());
            for (one, other) in [(one.value, other.value), (one.lo80, other.lo80), (one.hi95, other.hi95)] {
                prop_assert!((one - other / unit).abs() <= 1e-9 * size, "{} {}", one, other / unit);
            }
        }
    }

    #[test]
    fn gaps_anywhere_do_no_harm(values in any_values(), hourly: bool, holes in prop::collection::vec((0..420_usize, 1..60_usize), 0..6)) {
        let step = if hourly { Step::Hour } else { Step::Day };
        let mut values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
        for (from, length) in holes {
            let end = values.len().min(from + length);
            values[from.min(end)..end].fill(None);
        }
        if let Ok(series) = Series::new(monday(), step, values)
            && let Ok(made) = Forecaster::default().forecast(&series, 30)
        {
            assert_sound(&made);
        }
    }
}
