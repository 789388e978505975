//! Forecasts of files.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::Output;

#[derive(Debug, Args)]
pub struct ForecastOptions {
    /// CSV files with the columns `series_id`, `timestamp` (UTC) and `value`, hourly or daily; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Steps to forecast: at most 1344 hours (default 168) or 92 days (default 30)
    #[arg(long, value_name = "STEPS")]
    pub horizon: Option<usize>,
    /// CSV file with the columns `series_id` and `origin`: one forecast for each row, from the points up to its origin alone
    #[arg(long, value_name = "FILE")]
    pub origins: Option<PathBuf>,
    /// The file to write; standard output when left out
    #[arg(long = "output", value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub output: Output,
}
