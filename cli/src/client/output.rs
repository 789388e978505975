//! Tables, progress and lines.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::arguments::Output;

/// Prints a JSON document.
pub fn json(document: &Value) {
    println!("{document}");
}

/// Prints a table, or what to do when there is nothing to show.
pub fn table(head: &[&str], rows: Vec<Vec<String>>, empty: &str) {
    if rows.is_empty() {
        println!("{empty}");
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    println!("{}", table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n"));
}

/// Prints what was done: as a JSON document where that is wanted, in words otherwise.
pub fn say(document: &Value, text: &str, output: Output) {
    if output.json {
        json(document);
    } else {
        println!("{text}");
    }
}

/// A text of a JSON value; empty when it is none.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The moment of a timestamp, to the second.
pub fn moment(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.get(..19).unwrap_or(text).replace('T', " ")
}

/// Others chose these names: none of them moves the cursor of who reads them, or turns round what stands beside it.
pub fn plain(cell: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    cell.chars().map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c }).collect()
}

/// Shows how far something is, on stderr: a bar with the elapsed time on a terminal, lines that begin with it otherwise, nothing when
/// JSON is wanted. Lines of a log go to stdout.
pub struct Progress {
    bar: Option<ProgressBar>,
    silent: bool,
    started: Instant,
}

impl Progress {
    /// For a command; `json` silences it.
    pub fn new(json: bool) -> Self {
        let terminal = !json && std::io::stderr().is_terminal();
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        let progress = Self { bar, silent: json, started: Instant::now() };
        progress.spinner();
        progress
    }

    /// Prints the step that is under way.
    pub fn status(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => self.note(text),
        }
    }

    /// A step that stays to be seen.
    pub fn note(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.println(text);
        } else if !self.silent {
            let _ = writeln!(std::io::stderr(), "[{}s] {text}", self.started.elapsed().as_secs());
        }
    }

    /// A line of a log.
    pub fn line(&self, text: &str) {
        // Whoever closed the pipe does not want to know.
        let print = || drop(writeln!(std::io::stdout(), "{text}"));
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None if self.silent => {}
            None => print(),
        }
    }

    /// A bar over so many bytes.
    pub fn bytes(&self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} uploading {bytes}/{total_bytes} {wide_bar} {bytes_per_sec}")
            {
                bar.set_style(style);
            }
        }
    }

    /// So many bytes more are done.
    pub fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// Back to a spinner.
    pub fn spinner(&self) {
        if let Some(bar) = &self.bar {
            let style = ProgressStyle::with_template("{spinner} [{elapsed}] {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_nothing_to_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n\u{202e}c \u{f6}\u{1f980}"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c \u{f6}\u{1f980}");
    }
}
