//! Forecasts of series in files, without a server.

mod input;
mod origins;
mod output;
mod progress;
mod timestamps;

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use ml::{Forecast, Forecaster, Options, Series, SeriesError, Step};

use crate::arguments::ForecastOptions;
use input::{Inputs, SeriesPoints};
use origins::Request;
use output::{Form, Made, Writer};
use progress::Meter;
use server::Failure;

/// Default horizon of hourly series: a week.
const HOURS: usize = 168;
/// Default horizon of daily series.
const DAYS: usize = 30;
/// Most points that a forecast is given. It looks at 2,184 steps; more points are only of use where several are in one step.
const MOST_POINTS: usize = 10_000;

/// Builds the failure of an input that cannot be read: the file, the line, the problem and its remedy.
fn bad_input(file: &Path, line: Option<u64>, problem: impl Display) -> Failure {
    let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
    Failure { code: "BAD_INPUT".to_owned(), ..Failure::usage(format!("{}{place}: {problem}", file.display())) }
}

/// Forecasts the series of the given files.
pub fn run(options: &ForecastOptions) -> Result<(), Failure> {
    let meter = Meter::new();
    let inputs = Inputs::read(&options.files, &meter)?;
    let requests = match &options.origins {
        Some(file) => origins::read(file, &inputs)?,
        None => inputs.series.iter().enumerate().map(|(index, series)| Request::at_the_end(index, series)).collect(),
    };
    let plans = plan(&inputs, requests, options)?;
    let form = if options.output.json { Form::Json } else { Form::Csv };
    let unwritable = |name: &dyn Display| format!("{name}: the forecasts cannot be written");
    let problems = match &options.output_file {
        Some(path) => {
            let file = File::create(path).with_context(|| unwritable(&path.display()))?;
            forecast_all(&inputs, &plans, BufWriter::new(file), form, &meter).with_context(|| unwritable(&path.display()))?
        }
        None => match forecast_all(&inputs, &plans, BufWriter::new(io::stdout().lock()), form, &meter) {
            // Whoever closed the pipe has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            outcome => outcome.with_context(|| unwritable(&"standard output"))?,
        },
    };
    meter.finish();
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    let message = format!("{} of {} forecasts could not be made", problems.len(), plans.len());
    Err(Failure { printed: true, ..Failure::failed("NOT_FORECAST", message) })
}

/// A forecast to be made.
struct Plan<'a> {
    request: Request,
    /// The series' points, or the reason for which it cannot be forecast.
    series: Result<&'a SeriesPoints, String>,
    horizon: usize,
}

/// Checks every series before the first forecast is made, so that bad input leaves no half output.
fn plan<'a>(inputs: &'a Inputs, requests: Vec<Request>, options: &ForecastOptions) -> Result<Vec<Plan<'a>>, Failure> {
    let steps: Vec<Option<Step>> = inputs.series.iter().map(|series| step_of(inputs, series)).collect::<Result<_, _>>()?;
    let limits = Options::default();
    let plan = |request: Request| {
        let found = request.series.map(|index| (&inputs.series[index], steps[index]));
        let (series, step) = match found {
            None => (Err("no file has points of it".to_owned()), None),
            Some((_, None)) => (Err("fewer than two points".to_owned()), None),
            Some((series, step)) => (Ok(series), step),
        };
        let usual = if step == Some(Step::Day) { DAYS } else { HOURS };
        let horizon = options.horizon.or(request.horizon).unwrap_or(usual);
        let most = step.map_or(usize::MAX, |step| limits.of(step).most_horizon);
        if horizon == 0 || horizon > most {
            let unit = if step == Some(Step::Day) { "days" } else { "hours" };
            return Err(Failure::usage(format!("series {}: a horizon of {horizon}: give 1 to {most} {unit}", request.name)));
        }
        Ok(Plan { request, series, horizon })
    };
    requests.into_iter().map(plan).collect()
}

/// Step of a series; none with fewer than two points.
fn step_of(inputs: &Inputs, series: &SeriesPoints) -> Result<Option<Step>, Failure> {
    match Series::from_rows(series.latest(i64::MAX, MOST_POINTS)) {
        Ok(made) => Ok(Some(made.step())),
        Err(SeriesError::Empty | SeriesError::OnePoint) => Ok(None),
        Err(error) => {
            let problem =
                format!("series {}, which begins here: {error}; sum or average them to hours or days first", series.name);
            Err(bad_input(inputs.file(series), Some(series.line), problem))
        }
    }
}

/// Makes and writes the forecasts; returns what could not be made.
fn forecast_all(inputs: &Inputs, plans: &[Plan<'_>], out: impl Write, form: Form, meter: &Meter) -> io::Result<Vec<String>> {
    let forecaster = Forecaster::default();
    let mut writer = Writer::new(out, form)?;
    let mut problems = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        meter.tell(|| format!("forecast {index} of {} ({} series)", plans.len(), inputs.series.len()));
        let started = Instant::now();
        match forecast(&forecaster, plan) {
            Ok((forecast, skipped)) => writer.write(&Made {
                series: &plan.request.name,
                origin: &plan.request.text,
                forecast: &forecast,
                skipped,
                milliseconds: started.elapsed().as_secs_f64() * 1e3,
            })?,
            Err(problem) => problems.push(format!("series {}, origin {}: {problem}", plan.request.name, plan.request.text)),
        }
    }
    writer.finish()?;
    Ok(problems)
}

/// A forecast, and how many of its first steps lie before the origin because nothing was measured there.
fn forecast(forecaster: &Forecaster, plan: &Plan<'_>) -> Result<(Forecast, usize), String> {
    let rows = plan.series.clone()?.latest(plan.request.at, MOST_POINTS);
    let series = Series::from_rows(rows).map_err(|error| format!("up to the origin: {error}"))?;
    let late = plan.request.at - series.last().timestamp();
    let late = usize::try_from((late + series.step().seconds() / 2) / series.step().seconds()).unwrap_or(0);
    let forecast = forecaster.forecast(&series, plan.horizon.saturating_add(late)).map_err(|error| match error {
        ml::ForecastError::Horizon { most, .. } => {
            format!("the last measured value is {late} steps before the origin, and a forecast reaches {most} steps from there")
        }
        short @ ml::ForecastError::TooShort { .. } => short.to_string(),
    })?;
    Ok((forecast, late))
}

#[cfg(test)]
mod tests;
