//! Comparing many projects, and forecasts. No server is needed.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, Result};
use ml::{Forecaster, Series, Step};
use pricing::{Bases, Grants, Place, Prices, Profile, compare, items, price};

use crate::report::{Goal, Report};

const PROJECTS: u32 = 10_000;
/// Goal of the comparison, in milliseconds.
const GOAL: f64 = 50.0;
const FORECASTS: u32 = 50;

/// Compares 10,000 projects at all places, against a loop over estimates, and forecasts against the goal of 50 ms.
pub fn measure(report: &mut Report) -> Result<()> {
    let prices = Prices::embedded();
    let places = prices.places(None);
    let profiles: Vec<Profile> = (0..PROJECTS).map(profile).collect();
    let ours = (0..3)
        .map(|_| milliseconds(|| drop(black_box(compare(&prices, &profiles, &places, Bases::First)))))
        .fold(f64::MAX, f64::min);
    let naive = milliseconds(|| estimate_all(&prices, &profiles, &places));
    let sums = format!("{PROJECTS} projects at {} places in {ours:.1} ms", places.len());
    report.add("comparing places", sums.clone(), format!("one by one: {naive:.0} ms"), ours / naive, Goal::AtMost(0.05));
    report.add("comparing places", sums, format!("goal {GOAL} ms"), ours / GOAL, Goal::AtMost(1.0));

    let hours = (0..2184_u32).map(|hour| Some(f64::from(100 + hour % 24 * 5 + hour % 168 + hour * 7919 % 31))).collect();
    let start = chrono::DateTime::from_timestamp(1_767_571_200, 0).context("a time that there is")?;
    let series = Series::new(start, Step::Hour, hours)?;
    let forecaster = Forecaster::default();
    let forecast = || (0..FORECASTS).for_each(|_| drop(black_box(forecaster.forecast(&series, 168))));
    let each = milliseconds(forecast) / f64::from(FORECASTS);
    report.add(
        "forecast of 13 weeks of hours",
        format!("{each:.1} ms"),
        format!("goal {GOAL} ms"),
        each / GOAL,
        Goal::AtMost(1.0),
    );
    Ok(())
}

/// Milliseconds that something takes.
fn milliseconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64() * 1e3
}

/// The same sums without tables.
fn estimate_all(prices: &Prices, profiles: &[Profile], places: &[Place]) {
    for profile in profiles {
        for place in places {
            if let Some(book) = prices.book(place.cloud) {
                let lines = price(book, &items(book, profile), &place.region, Grants::Off, Bases::First);
                black_box(lines.iter().filter_map(|line| line.usd).sum::<f64>());
            }
        }
    }
}

/// A server, a site and a function in turn, no two alike.
fn profile(index: u32) -> Profile {
    let kind = [pricing::Kind::Container, pricing::Kind::Static, pricing::Kind::Function][index as usize % 3];
    Profile {
        kind,
        cpu_milli: f64::from(250 + index % 8 * 250),
        memory_mib: f64::from(512 + index % 5 * 512),
        requests: f64::from(1000 + index % 997 * 10_000),
        response_kib: f64::from(5 + index % 200),
        domains: f64::from(index % 2),
        ..Profile::default()
    }
}
