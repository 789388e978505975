//! Windows of this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Below this many windows none is looked through for those that are over.
const FEW: usize = 1024;

/// Number of requests, and the time until which they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub count: u64,
    pub ends: Instant,
}

/// The windows of all who made a request of late.
#[derive(Default)]
pub(super) struct Windows(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    windows: HashMap<String, Window>,
    /// With this many windows it is time to drop those that are over.
    full: usize,
}

impl Windows {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more request.
    pub fn count(&self, subject: &str, length: Duration) -> Window {
        let (mut kept, now) = (self.kept(), Instant::now());
        if let Some(window) = kept.windows.get_mut(subject).filter(|window| window.ends > now) {
            window.count += 1;
            return *window;
        }
        let window = Window { count: 1, ends: now + length };
        kept.insert(subject, window, now);
        window
    }

    /// Takes over what all processes counted together.
    pub fn agree(&self, subject: &str, window: Window) -> Window {
        self.kept().insert(subject, window, Instant::now());
        window
    }
}

impl Kept {
    fn insert(&mut self, subject: &str, window: Window, now: Instant) {
        if let Some(present) = self.windows.get_mut(subject) {
            *present = window;
            return;
        }
        if self.windows.len() >= self.full.max(FEW) {
            self.windows.retain(|_, window| window.ends > now);
            self.full = self.windows.len() * 2;
        }
        self.windows.insert(subject.to_owned(), window);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_and_the_next_one_begins_at_one() {
        let windows = Windows::default();
        assert_eq!(windows.count("a", Duration::from_mins(1)).count, 1);
        assert_eq!(windows.count("a", Duration::from_mins(1)).count, 2);
        assert_eq!(windows.count("b", Duration::ZERO).count, 1);
        assert_eq!(windows.count("b", Duration::ZERO).count, 1);
    }

    #[test]
    fn windows_that_are_over_do_not_stay() {
        let windows = Windows::default();
        for number in 0..FEW {
            windows.count(&number.to_string(), Duration::ZERO);
        }
        windows.count("lasts", Duration::from_mins(1));
        assert_eq!(windows.kept().windows.len(), 1);
    }
}
