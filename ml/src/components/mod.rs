//! Simple forecasts that the ensemble is made of.

mod holt_winters;
mod medians;
mod ridge;
mod theta;

use chrono::{Datelike, TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

use crate::options::{Options, StepOptions};
use crate::series::{Step, Timestamp};

/// A simple forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The last season again.
    SeasonalNaive,
    /// The last value.
    Last,
    /// Median of the last season.
    Median,
    /// Median of the same hour of the week, or weekday, of three weeks.
    WeekSlots,
    /// Median of the same hour of three days; of the last 14 days in daily series.
    ShortSlots,
    /// Median of the same hour of seven days; of the same weekday of six weeks in daily series.
    LongSlots,
    /// Profile of the week, smoothed level, half of the trend.
    Theta,
    /// Holt-Winters with two seasons and autocorrelated errors.
    HoltWinters,
    /// Ridge regression on lags, means and the calendar, for each bucket of horizons.
    Ridge,
}

impl Component {
    /// All components.
    pub const ALL: [Self; 9] = [
        Self::SeasonalNaive,
        Self::Last,
        Self::Median,
        Self::WeekSlots,
        Self::ShortSlots,
        Self::LongSlots,
        Self::Theta,
        Self::HoltWinters,
        Self::Ridge,
    ];

    /// Forecasts of the next `horizon` steps at each origin, in the space of the history's values. Origins ascend.
    pub(crate) fn forecasts(self, history: &History<'_>, origins: &[usize], horizon: usize) -> Vec<Vec<f64>> {
        match self {
            Self::HoltWinters => holt_winters::forecasts(history, origins, horizon),
            Self::Ridge => ridge::forecasts(history, origins, horizon),
            _ => origins.iter().map(|origin| self.at(history, *origin, horizon)).collect(),
        }
    }

    /// Forecast of a component that keeps no state between origins.
    fn at(self, history: &History<'_>, origin: usize, horizon: usize) -> Vec<f64> {
        let (season, week) = (history.step.season, history.step.week);
        let seen = &history.values[..origin];
        let two_seasons = history.step.has_two_seasons();
        match self {
            Self::SeasonalNaive => medians::slots(seen, season, 1, horizon),
            Self::Last => medians::slots(seen, 1, 1, horizon),
            Self::Median => medians::recent(seen, season, horizon),
            Self::WeekSlots => medians::slots(seen, week, 3, horizon),
            Self::ShortSlots if two_seasons => medians::slots(seen, season, 3, horizon),
            Self::ShortSlots => medians::recent(seen, 2 * week, horizon),
            Self::LongSlots => medians::slots(seen, season, if two_seasons { 7 } else { 6 }, horizon),
            Self::Theta | Self::HoltWinters | Self::Ridge => theta::forecast(history, origin, horizon),
        }
    }
}

/// Values of the past and the calendar they stand in.
pub(crate) struct History<'a> {
    /// Cleaned values in the components' space.
    pub(crate) values: &'a [f64],
    /// Steps that warm-ups may use: no more than the first origin has seen.
    pub(crate) warm_up: usize,
    /// Constants.
    pub(crate) options: &'a Options,
    /// Constants of the step.
    pub(crate) step: &'a StepOptions,
    /// The calendar.
    pub(crate) calendar: Calendar,
}

/// Weekdays and hours of steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    /// Hours since Monday 00:00 UTC of the first step.
    first: usize,
    hours: usize,
}

impl Calendar {
    /// Calendar of a history that begins at `start`.
    pub(crate) fn new(start: Timestamp, step: Step) -> Self {
        // Steps are read as the hour they are closest to.
        let near = start.checked_add_signed(TimeDelta::minutes(30)).unwrap_or(start);
        let first = near.weekday().num_days_from_monday() * 24 + near.hour();
        Self { first: usize::try_from(first).unwrap_or(0), hours: if step == Step::Hour { 1 } else { 24 } }
    }

    /// Hours since Monday 00:00 UTC of a step.
    pub(crate) fn hour_of_week(self, index: usize) -> usize {
        (self.first + index * self.hours) % 168
    }

    /// True on Saturdays and Sundays.
    pub(crate) fn is_weekend(self, index: usize) -> bool {
        self.hour_of_week(index) >= 5 * 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Step;

    /// History of hourly or daily values that begins on a Monday.
    pub(super) fn history<'a>(values: &'a [f64], options: &'a Options, hourly: bool) -> History<'a> {
        let step = if hourly { Step::Hour } else { Step::Day };
        let monday = chrono::DateTime::from_timestamp(1_767_571_200, 0).unwrap();
        History { values, warm_up: 360, options, step: options.of(step), calendar: Calendar::new(monday, step) }
    }

    #[test]
    fn weekends_are_those_of_the_calendar() {
        let friday = chrono::DateTime::from_timestamp(1_767_312_000, 0).unwrap();
        let days = Calendar::new(friday, Step::Day);
        assert_eq!((0..5).map(|day| days.is_weekend(day)).collect::<Vec<_>>(), [false, true, true, false, false]);
        let hours = Calendar::new(friday, Step::Hour);
        assert!(!hours.is_weekend(23) && hours.is_weekend(24) && hours.is_weekend(71) && !hours.is_weekend(72));
    }

    #[test]
    fn every_component_answers_at_every_origin_for_every_step() {
        let options = Options::default();
        let values: Vec<f64> = (0..60).map(|at| crate::numbers::float(at % 7)).collect();
        let history = history(&values, &options, false);
        for component in Component::ALL {
            let made = component.forecasts(&history, &[18, 40, 60], 92);
            assert_eq!(made.len(), 3, "{component:?}");
            assert!(made.iter().all(|made| made.len() == 92 && made.iter().all(|value| value.is_finite())), "{component:?}");
        }
    }
}
