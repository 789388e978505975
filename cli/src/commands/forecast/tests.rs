use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::arguments::Output;

/// A directory with files, and forecasts of them.
struct Desk {
    directory: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn options(&self, files: Vec<PathBuf>) -> ForecastOptions {
        let output_file = Some(self.directory.path().join("out"));
        ForecastOptions { files, horizon: None, origins: None, output_file, output: Output { json: false } }
    }

    fn written(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("out")).unwrap()
    }

    fn refusal(&self, text: &str) -> Failure {
        let failure = run(&self.options(vec![self.file("bad.csv", text)])).unwrap_err();
        assert!(!self.directory.path().join("out").exists(), "bad input leaves no output");
        failure
    }
}

/// Days of a series that repeats its weeks, from 2026-01-01 on.
fn days(name: &str, count: i32) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
    (0..count).fold(String::new(), |mut text, day| {
        let date = first + chrono::TimeDelta::days(day.into());
        writeln!(text, "{name},{date}T00:00:00,{}", 10 + day % 7 + (day * day) % 3).unwrap();
        text
    })
}

const HEAD: &str = "series_id,timestamp,value\n";

#[test]
fn series_of_several_files_are_forecast_in_order() {
    let desk = Desk::new();
    let one = desk.file("b.csv", &format!("{HEAD}{}", days("b", 90)));
    let other = desk.file(
        "a.csv",
        "value,other,timestamp,series_id\n5,x,2026-01-01 00:00:00Z,a\n7,,2026-01-02,a\n,,2026-01-03,a\n6,y,2026-01-04,a\n",
    );
    run(&desk.options(vec![one, other])).unwrap();
    let written = desk.written();
    let rows: Vec<Vec<&str>> = written.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0].join(","), "series_id,origin,horizon_step,yhat,lo80,hi80,lo95,hi95,ms");
    assert_eq!(rows.len(), 1 + 30 + 30);
    assert_eq!(rows[1][..3], ["a", "2026-01-04", "1"]);
    assert_eq!(rows[31][..3], ["b", "2026-03-31T00:00:00", "1"]);
    assert_eq!(rows[60][2], "30");
    for row in &rows[1..] {
        let values: Vec<f64> = row[3..].iter().map(|field| field.parse().unwrap()).collect();
        assert!([values[3], values[1], values[0], values[2], values[4]].is_sorted(), "{row:?}");
    }
}

#[test]
fn each_origin_sees_only_what_was_before_it() {
    let desk = Desk::new();
    let whole = desk.file("whole.csv", &format!("{HEAD}{}", days("s", 120)));
    let cut = desk.file("cut.csv", &format!("{HEAD}{}", days("s", 100)));
    let mut options = desk.options(vec![whole]);
    options.origins = Some(desk.file("origins.csv", "series_id,origin,h_max\ns,2026-04-10 00:00:00,5\ns,2026-03-01T00:00:00,\n"));
    run(&options).unwrap();
    let values = |text: &str| {
        text.lines()
            .filter(|line| line.contains("2026-04-10"))
            .map(|line| line.rsplit_once(',').unwrap().0.to_owned())
            .collect::<Vec<_>>()
    };
    let written = desk.written();
    let from_whole = values(&written);
    assert_eq!(from_whole.len(), 5);
    assert_eq!(written.lines().count(), 1 + 30 + 5);
    assert!(written.lines().nth(1).unwrap().starts_with("s,2026-03-01T00:00:00,1,"));
    run(&ForecastOptions { horizon: Some(5), ..desk.options(vec![cut]) }).unwrap();
    assert_eq!(values(&desk.written()), from_whole);
}

#[test]
fn an_origin_after_the_last_value_is_counted_from() {
    let desk = Desk::new();
    let text = format!("{HEAD}{}s,2026-04-01T00:00:00,\ns,2026-04-02T00:00:00,\n", days("s", 90));
    run(&ForecastOptions { horizon: Some(3), ..desk.options(vec![desk.file("gap.csv", &text)]) }).unwrap();
    let late = desk.written();
    run(&ForecastOptions { horizon: Some(5), ..desk.options(vec![desk.file("plain.csv", &format!("{HEAD}{}", days("s", 90)))]) })
        .unwrap();
    let plain = desk.written();
    let value = |text: &str, row: usize| text.lines().nth(row).unwrap().split(',').nth(3).unwrap().to_owned();
    assert!(late.lines().nth(1).unwrap().starts_with("s,2026-04-02T00:00:00,1,"));
    assert_eq!(late.lines().count(), 4);
    assert_eq!(value(&late, 1), value(&plain, 3));
}

#[test]
fn json_is_one_document() {
    let desk = Desk::new();
    let mut options = desk.options(vec![desk.file("s.csv", &format!("{HEAD}{}{}", days("s", 90), days("t", 9)))]);
    options.output.json = true;
    run(&options).unwrap();
    let document: Value = serde_json::from_str(&desk.written()).unwrap();
    assert_eq!(document["version"], 1);
    let forecast = &document["forecasts"][0];
    assert_eq!(forecast["seriesId"], "s");
    assert_eq!(forecast["step"], "day");
    assert_eq!(forecast["insufficientHistory"], false);
    assert_eq!(forecast["points"].as_array().unwrap().len(), 30);
    assert_eq!(forecast["points"][0]["at"], "2026-04-01T00:00:00Z");
    assert_eq!(forecast["backtest"]["origins"], 12);
    assert_eq!(document["forecasts"][1]["insufficientHistory"], true);
    assert_eq!(document["forecasts"][1]["used"], "seasonal_naive");
}

#[test]
fn a_series_of_one_point_is_named_and_the_others_are_done() {
    let desk = Desk::new();
    let text = format!("{HEAD}lonely,2026-01-01T00:00:00,4\n{}", days("s", 30));
    let failure = run(&desk.options(vec![desk.file("s.csv", &text)])).unwrap_err();
    assert_eq!((failure.exit, failure.code.as_str()), (1, "NOT_FORECAST"));
    assert_eq!(desk.written().lines().count(), 31);
}

#[test]
fn bad_input_names_its_file_line_and_remedy() {
    let desk = Desk::new();
    for (text, expected) in [
        ("", "line 1: the first line names no column `series_id`"),
        ("series_id,time,value\n", "line 1: the first line names no column `timestamp`"),
        ("series_id,timestamp,value\ns,yesterday,1\n", "line 2: the timestamp `yesterday` is none: write UTC as"),
        (
            "series_id,timestamp,value\ns,2026-01-01T00:00:00,1\ns,2026-01-01T01:00:00,\"1,5\"\n",
            "line 3: the value `1,5` is no number",
        ),
        ("series_id,timestamp,value\ns,2026-01-01T00:00:00,NaN\n", "line 2: the value `NaN` is no number"),
        ("series_id,timestamp,value\ns,2026-01-01T00:00:00\n", "line 2: the line has 2 fields, and column 3 is needed"),
        ("series_id,timestamp,value\n,2026-01-01T00:00:00,1\n", "line 2: the series_id is empty"),
        (
            "series_id,timestamp,value\ns,2026-01-01T00:00:00,1\ns,2026-01-01T00:05:00,1\ns,2026-01-01T00:10:00,1\n",
            "line 2: series s, which begins here: points are 300 s apart at the median",
        ),
    ] {
        let failure = desk.refusal(text);
        assert_eq!((failure.exit, failure.code.as_str()), (2, "BAD_INPUT"), "{}", failure.message);
        assert!(failure.message.contains("bad.csv, ") && failure.message.contains(expected), "{}", failure.message);
    }
    let failure = run(&desk.options(vec![desk.directory.path().join("none.csv")])).unwrap_err();
    assert!(failure.exit == 2 && failure.message.contains("none.csv: the file cannot be read"), "{}", failure.message);
}

#[test]
fn a_horizon_out_of_bounds_is_refused() {
    let desk = Desk::new();
    let file = desk.file("s.csv", &format!("{HEAD}{}", days("s", 30)));
    for horizon in [0, 93] {
        let failure = run(&ForecastOptions { horizon: Some(horizon), ..desk.options(vec![file.clone()]) }).unwrap_err();
        assert!(failure.exit == 2 && failure.message.contains("give 1 to 92 days"), "{}", failure.message);
    }
}

#[test]
fn an_origin_of_a_series_that_is_in_no_file_is_named() {
    let desk = Desk::new();
    let mut options = desk.options(vec![desk.file("s.csv", &format!("{HEAD}{}", days("s", 30)))]);
    options.origins = Some(desk.file("o.csv", "series_id,origin\ns,2026-01-30\nt,2026-01-30\n"));
    assert_eq!(run(&options).unwrap_err().exit, 1);
    assert_eq!(desk.written().lines().count(), 31);
}
