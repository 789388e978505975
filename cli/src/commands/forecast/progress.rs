//! Progress of what takes long.

use std::cell::{Cell, OnceCell};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

/// Time before anything is shown.
const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN: Duration = Duration::from_millis(100);

/// Shows on a terminal how far a command is, once it takes longer than two seconds.
pub(super) struct Meter {
    started: Instant,
    told: Cell<Instant>,
    terminal: bool,
    bar: OnceCell<ProgressBar>,
}

impl Meter {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { started: now, told: Cell::new(now), terminal: io::stderr().is_terminal(), bar: OnceCell::new() }
    }

    /// Shows a text, if it is time for one.
    pub(super) fn tell(&self, text: impl FnOnce() -> String) {
        if self.terminal && self.started.elapsed() > PATIENCE && self.told.get().elapsed() > BETWEEN {
            self.bar.get_or_init(ProgressBar::new_spinner).set_message(text());
            self.told.set(Instant::now());
        }
    }

    /// Takes the text away.
    pub(super) fn finish(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
