//! Series in CSV files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use csv::StringRecord;
use ml::Timestamp;

use super::{bad_input, progress::Meter, timestamps};
use server::Failure;

const SERIES: &str = "series_id";
const TIMESTAMP: &str = "timestamp";
const VALUE: &str = "value";
/// Largest absolute value that is forecast.
const LARGEST: f64 = 1e100;
/// Rows between two looks at the clock.
const ROWS: usize = 1 << 16;

/// Measurements of a series.
pub(super) struct SeriesPoints {
    pub(super) name: String,
    /// Place of its first point: a file, by its place among the arguments, and a line.
    file: usize,
    pub(super) line: u64,
    /// Seconds since 1970 and values, by time; NaN where nothing was measured.
    points: Vec<(i64, f64)>,
    /// Latest row, measured or not, and its timestamp as it stood.
    pub(super) last: i64,
    pub(super) last_text: String,
}

impl SeriesPoints {
    /// The last points up to a time.
    pub(super) fn latest(&self, until: i64, most: usize) -> Vec<(Timestamp, Option<f64>)> {
        let end = self.points.partition_point(|(at, _)| *at <= until);
        let points = &self.points[end.saturating_sub(most)..end];
        let measured = |value: f64| (!value.is_nan()).then_some(value);
        points.iter().filter_map(|(at, value)| Some((DateTime::from_timestamp(*at, 0)?, measured(*value)))).collect()
    }
}

/// Series of all files, by name.
pub(super) struct Inputs {
    files: Vec<PathBuf>,
    pub(super) series: Vec<SeriesPoints>,
}

impl Inputs {
    /// Reads files; a series may be in several of them.
    pub(super) fn read(files: &[PathBuf], meter: &Meter) -> Result<Self, Failure> {
        let mut collected = Collected::default();
        for (index, path) in files.iter().enumerate() {
            let mut table = Table::open(path, &[SERIES, TIMESTAMP, VALUE])?;
            while table.next()? {
                collected.add(index, &table)?;
                collected.rows += 1;
                if collected.rows.is_multiple_of(ROWS) {
                    meter.tell(|| format!("reading {}: {} points", path.display(), collected.rows));
                }
            }
        }
        let mut series = collected.series;
        series.sort_by(|one, other| one.name.cmp(&other.name));
        // Stable: of equal times the later row stays last.
        for series in &mut series {
            series.points.sort_by_key(|(at, _)| *at);
        }
        Ok(Self { files: files.to_vec(), series })
    }

    /// File in which a series begins.
    pub(super) fn file(&self, series: &SeriesPoints) -> &Path {
        &self.files[series.file]
    }

    /// Place of a series by its name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.series.binary_search_by(|series| series.name.as_str().cmp(name)).ok()
    }
}

/// Series as their rows come.
#[derive(Default)]
struct Collected {
    series: Vec<SeriesPoints>,
    places: HashMap<String, usize>,
    /// Series of the row before: rows of a series mostly follow each other.
    current: usize,
    rows: usize,
}

impl Collected {
    fn add(&mut self, file: usize, table: &Table) -> Result<(), Failure> {
        let name = table.field(0);
        if name.is_empty() {
            return Err(table.bad("the series_id is empty: name the series"));
        }
        let text = table.field(1);
        let at = timestamps::parse(text)
            .ok_or_else(|| table.bad(format!("the timestamp `{text}` is none: write UTC as 2026-01-01T00:00:00")))?;
        let value = measured(table.field(2)).map_err(|()| {
            table.bad(format!(
                "the value `{}` is no number: write a number with a dot, or nothing where nothing was measured",
                table.field(2)
            ))
        })?;
        let series = self.place(name, file, table.line);
        if at >= series.last {
            series.last = at;
            text.clone_into(&mut series.last_text);
        }
        series.points.push((at, value.unwrap_or(f64::NAN)));
        Ok(())
    }

    fn place(&mut self, name: &str, file: usize, line: u64) -> &mut SeriesPoints {
        if self.series.get(self.current).is_none_or(|series| series.name != name) {
            self.current = self.places.get(name).copied().unwrap_or(self.series.len());
        }
        if self.current == self.series.len() {
            self.places.insert(name.to_owned(), self.current);
            let (points, last_text) = (Vec::new(), String::new());
            self.series.push(SeriesPoints { name: name.to_owned(), file, line, points, last: i64::MIN, last_text });
        }
        &mut self.series[self.current]
    }
}

/// Value of a field, none if it is empty.
fn measured(text: &str) -> Result<Option<f64>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let value = text.parse::<f64>().map_err(drop)?;
    if value.is_finite() && value.abs() <= LARGEST { Ok(Some(value)) } else { Err(()) }
}

/// Rows of a CSV file with the columns that are needed.
pub(super) struct Table {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read>>,
    columns: Vec<usize>,
    record: StringRecord,
    line: u64,
}

impl Table {
    /// Opens a file, `-` being standard input, and finds columns by the names in its first line.
    pub(super) fn open(path: &Path, columns: &[&str]) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| bad_input(path, None, format!("the file cannot be read: {error}"));
        let source: Box<dyn Read> =
            if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path).map_err(unreadable)?) };
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).buffer_capacity(1 << 18).from_reader(source);
        let head = reader.headers().map_err(|error| wrong(path, &error))?.clone();
        let column = |name: &&str| {
            head.iter().position(|field| field.trim_start_matches('\u{feff}') == *name).ok_or_else(|| {
                let problem =
                    format!("the first line names no column `{name}`; the columns that are needed are {}", columns.join(", "));
                bad_input(path, Some(1), problem)
            })
        };
        let found = columns.iter().map(column).collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), reader, columns: found, record: StringRecord::new(), line: 1 })
    }

    /// Goes to the next row; false at the end.
    pub(super) fn next(&mut self) -> Result<bool, Failure> {
        let read = self.reader.read_record(&mut self.record).map_err(|error| wrong(&self.path, &error))?;
        self.line = self.record.position().map_or(self.line, csv::Position::line);
        if let Some(missing) = self.columns.iter().find(|column| read && **column >= self.record.len()) {
            return Err(self.bad(format!("the line has {} fields, and column {} is needed", self.record.len(), missing + 1)));
        }
        Ok(read)
    }

    /// Field of a column, by its place among those asked for.
    pub(super) fn field(&self, column: usize) -> &str {
        self.record.get(self.columns[column]).unwrap_or_default()
    }

    /// Field of a column that not every file has.
    pub(super) fn optional(&mut self, name: &str) -> Option<&str> {
        let column = self.reader.headers().ok()?.iter().position(|field| field == name)?;
        self.record.get(column)
    }

    /// Failure of the present row.
    pub(super) fn bad(&self, problem: impl std::fmt::Display) -> Failure {
        bad_input(&self.path, Some(self.line), problem)
    }
}

/// Failure of a file that is no CSV.
fn wrong(path: &Path, error: &csv::Error) -> Failure {
    let line = error.position().map(csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => bad_input(path, line, "the text is not UTF-8: save the file as UTF-8"),
        _ => bad_input(path, line, format!("the file cannot be read: {error}")),
    }
}
