//! The lines of a log that were printed, so that nothing is told twice.

use std::collections::VecDeque;

/// Number of lines that are remembered: more than a failure repeats.
const LINES: usize = 100;

/// The last lines that were printed.
#[derive(Debug, Default)]
pub struct Shown(VecDeque<String>);

impl Shown {
    /// Remembers a line.
    pub fn add(&mut self, line: &str) {
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    /// The message of a failure without the last lines of the program, if all of them were printed. What the program says is the
    /// cause is in the first line.
    pub fn told_once<'m>(&self, message: &'m str) -> &'m str {
        let Some((first, rest)) = message.split_once('\n') else { return message };
        // Long lines are repeated by their beginning.
        let was_shown = |line: &str| self.0.iter().any(|shown| shown.trim().starts_with(line.trim()));
        if !rest.lines().all(was_shown) {
            return message;
        }
        let first = first.trim_end();
        ["; its last lines:", ". Its last lines:"].iter().find_map(|end| first.strip_suffix(end)).unwrap_or(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_repeated_only_where_they_were_not_printed() {
        let message = "the server exited with status 1: Error: x; its last lines:\nError: x\n  at y";
        let mut shown = Shown::default();
        assert_eq!(shown.told_once(message), message);
        shown.add("Error: x");
        assert_eq!(shown.told_once(message), message);
        shown.add("  at y (long)");
        assert_eq!(shown.told_once(message), "the server exited with status 1: Error: x");
        assert_eq!(
            shown.told_once("`x` ended with exit status 1: Error: x. Its last lines:\n  at y"),
            "`x` ended with exit status 1: Error: x"
        );
        assert_eq!(shown.told_once("listen elsewhere"), "listen elsewhere");
        assert_eq!(shown.told_once("two:\nError: x"), "two:\nError: x");
    }
}
