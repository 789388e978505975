//! Forecasts as CSV and JSON.

use std::io::{self, Write};

use chrono::{SecondsFormat, TimeDelta};
use ml::{Forecast, Note};
use serde_json::{Map, Value, json};

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Csv,
    Json,
}

/// A forecast that was made.
pub(super) struct Made<'a> {
    pub(super) series: &'a str,
    pub(super) origin: &'a str,
    pub(super) forecast: &'a Forecast,
    /// First points, which lie at or before the origin.
    pub(super) skipped: usize,
    pub(super) milliseconds: f64,
}

/// Writes forecasts as they are made.
pub(super) struct Writer<W: Write> {
    out: W,
    form: Form,
    written: usize,
}

impl<W: Write> Writer<W> {
    /// Writes what comes before the first forecast.
    pub(super) fn new(mut out: W, form: Form) -> io::Result<Self> {
        match form {
            Form::Csv => writeln!(out, "series_id,origin,horizon_step,yhat,lo80,hi80,lo95,hi95,ms")?,
            Form::Json => write!(out, "{{\"version\":1,\"forecasts\":[")?,
        }
        Ok(Self { out, form, written: 0 })
    }

    /// Writes a forecast.
    pub(super) fn write(&mut self, made: &Made<'_>) -> io::Result<()> {
        match self.form {
            Form::Csv => self.rows(made)?,
            Form::Json => {
                let comma = if self.written > 0 { "," } else { "" };
                write!(self.out, "{comma}{}", document(made))?;
            }
        }
        self.written += 1;
        Ok(())
    }

    fn rows(&mut self, made: &Made<'_>) -> io::Result<()> {
        let name = quoted(made.series);
        for (index, point) in made.forecast.points.iter().skip(made.skipped).enumerate() {
            write!(self.out, "{name},{},{}", made.origin, index + 1)?;
            for value in [point.value, point.lo80, point.hi80, point.lo95, point.hi95] {
                write!(self.out, ",{}", number(value))?;
            }
            writeln!(self.out, ",{:.3}", made.milliseconds)?;
        }
        Ok(())
    }

    /// Writes what comes after the last forecast.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.form == Form::Json {
            writeln!(self.out, "]}}")?;
        }
        self.out.flush()
    }
}

/// A name as a field.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

/// A number with all of its digits.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-5..1e16).contains(&size) { format!("{value:e}") } else { format!("{value}") }
}

fn document(made: &Made<'_>) -> Value {
    let forecast = made.forecast;
    let step = TimeDelta::seconds(forecast.step.seconds());
    let point = |(index, point): (usize, &ml::Point)| {
        let ahead = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let at = forecast.origin.checked_add_signed(step * ahead);
        json!({
            "step": index + 1 - made.skipped,
            "at": at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            "value": point.value, "lo80": point.lo80, "hi80": point.hi80, "lo95": point.lo95, "hi95": point.hi95,
        })
    };
    let points: Vec<Value> = forecast.points.iter().enumerate().skip(made.skipped).map(point).collect();
    let weight = |(component, weights): &(ml::Component, [f32; 4])| Some((json!(component).as_str()?.to_owned(), json!(weights)));
    let backtest = &forecast.backtest;
    json!({
        "seriesId": made.series,
        "origin": made.origin,
        "step": forecast.step,
        "used": forecast.used,
        "insufficientHistory": forecast.notes.contains(&Note::InsufficientHistory),
        "points": points,
        "weights": forecast.weights.iter().filter_map(weight).collect::<Map<_, _>>(),
        "backtest": {
            "origins": backtest.origins,
            "mae": backtest.mae,
            "baselineMae": backtest.baseline_mae,
            "mase": backtest.mase,
            "coverage80": backtest.coverage80,
            "totalError": backtest.total_error,
        },
        "milliseconds": made.milliseconds,
    })
}
