//! Forecasts that are asked for.

use std::path::Path;

use super::input::{Inputs, SeriesPoints, Table};
use super::timestamps;
use server::Failure;

const SERIES: &str = "series_id";
const ORIGIN: &str = "origin";
/// Column that may name the horizon.
const HORIZON: &str = "h_max";

/// A forecast that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) name: String,
    /// Place of the series among the inputs; none if no file has it.
    pub(super) series: Option<usize>,
    /// Last time whose point may be seen, in seconds since 1970.
    pub(super) at: i64,
    /// The origin as it is written.
    pub(super) text: String,
    /// Horizon of its row.
    pub(super) horizon: Option<usize>,
}

impl Request {
    /// Forecast from a series' last point on.
    pub(super) fn at_the_end(index: usize, series: &SeriesPoints) -> Self {
        let text = timestamps::shown(&series.last_text);
        Self { name: series.name.clone(), series: Some(index), at: series.last, text, horizon: None }
    }
}

/// Reads a file of origins, and puts them in order.
pub(super) fn read(file: &Path, inputs: &Inputs) -> Result<Vec<Request>, Failure> {
    let mut table = Table::open(file, &[SERIES, ORIGIN])?;
    let mut requests = Vec::new();
    while table.next()? {
        let (name, text) = (table.field(0).to_owned(), table.field(1).to_owned());
        let at = timestamps::parse(&text)
            .ok_or_else(|| table.bad(format!("the origin `{text}` is no time: write UTC as 2026-01-01T00:00:00")))?;
        let horizon = match table.optional(HORIZON).filter(|text| !text.is_empty()).map(str::parse) {
            Some(Err(_)) => return Err(table.bad("h_max is no number of steps: write a whole number, or nothing")),
            Some(Ok(steps)) => Some(steps),
            None => None,
        };
        let text = timestamps::shown(&text);
        requests.push(Request { series: inputs.find(&name), name, at, text, horizon });
    }
    requests.sort_by(|one, other| (&one.name, one.at).cmp(&(&other.name, other.at)));
    requests.dedup();
    Ok(requests)
}
