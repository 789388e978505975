//! The table of results.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::load::CONNECTIONS;
use crate::machine;

/// Goal of a ratio.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// Shown for comparison only.
    None,
    /// This much or less.
    AtMost(f64),
    /// This much or more.
    AtLeast(f64),
}

struct Row {
    what: &'static str,
    ours: String,
    baseline: String,
    ratio: f64,
    goal: Goal,
}

/// Measurements so far.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a measurement and says it at once.
    pub fn add(&mut self, what: &'static str, ours: String, baseline: String, ratio: f64, goal: Goal) {
        eprintln!("{what}: {ours}; {baseline}; ratio {ratio:.2}");
        self.rows.push(Row { what, ours, baseline, ratio, goal });
    }

    /// The table in Markdown.
    pub fn render(&self) -> String {
        let mut text = String::from("| what | MikroCloud | baseline | ratio | goal | met |\n|---|---|---|---|---|---|\n");
        for Row { what, ours, baseline, ratio, goal } in &self.rows {
            let (goal, met) = match goal {
                Goal::None => ("-".to_owned(), "-"),
                Goal::AtMost(most) => (format!("at most {most}"), yes(ratio <= most)),
                Goal::AtLeast(least) => (format!("at least {least}"), yes(ratio >= least)),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {what} | {ours} | {baseline} | {ratio:.2} | {goal} | {met} |");
        }
        text
    }
}

fn yes(met: bool) -> &'static str {
    if met { "yes" } else { "no" }
}

/// Writes the table to `bench/RESULTS.md`.
pub fn write_results(table: &str) -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    let (date, machine) = (domain::time::now().format("%Y-%m-%d"), machine::describe());
    let text = format!(
        "# Results\n\nWritten by `make bench` on {date}: {machine}. Server, baseline and load ({CONNECTIONS} connections) share the machine; the best of \
         three rounds of each, in turns.\n\n{table}"
    );
    std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
}
