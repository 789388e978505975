//! Forecasts by the real binary over recorded series, held against bounds by a scorer that is not ours to bend.

use std::path::Path;
use std::process::Command;

use crate::support::harness::BINARY;

/// Bounds on the recorded series: errors in units of the seasonal naive's own, share of values inside of the 80 % band, nothing left out.
const GATE: &str = r#"{"mase": 0.92, "rel": 0.77, "cov80": [77, 83], "missing": 0, "no80": 0}"#;

#[test]
fn recorded_series_are_forecast_within_the_bounds() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let data = tests.join("data/forecast");
    let mut series: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    series
        .retain(|path| path.file_name().is_some_and(|name| matches!(name.to_str().unwrap().split('_').next(), Some("h" | "d"))));
    assert!(series.len() > 30, "{series:?}");
    let made = tempfile::tempdir().unwrap();
    let mut forecast = Command::new(BINARY);
    forecast.arg("forecast").args(series).arg("--origins").arg(data.join("origins.csv"));
    let forecast = forecast.arg("--output").arg(made.path().join("made.csv")).output().unwrap();
    assert!(forecast.status.success(), "{forecast:?}");
    let mut score = Command::new("python3");
    score.arg(tests.join("forecast/score_forecast.py")).arg(made.path()).arg("--data").arg(data).args(["--gate", GATE]);
    let score = score.output().unwrap();
    let text = [score.stdout, score.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(score.status.success(), "{text}");
}
