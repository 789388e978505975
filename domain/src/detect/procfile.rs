//! Procfiles, as Heroku defined them: a line for each kind of process.

use super::{SourceTree, plan};
use crate::manifest::split_command;

/// Name of the file.
pub(super) const FILE: &str = "Procfile";

/// The command of a kind of process, such as `web`. A line with more than words and `$PORT` is for a shell, as the format has it.
pub(super) fn command(tree: &dyn SourceTree, kind: &str) -> Option<Vec<String>> {
    let text = tree.read(FILE)?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix(kind)?.trim_start().strip_prefix(':'))?.trim();
    if line.is_empty() {
        return None;
    }
    let rest = line.replace("${PORT}", "").replace("$PORT", "");
    let is_plain = !rest.contains(['$', '*', '?', '~', '|', '&', ';', '<', '>', '(', '`', '\\', '{']);
    let starts_with_variable = rest.split_whitespace().next().is_some_and(|word| word.contains('='));
    match split_command(line) {
        Ok(words) if is_plain && !starts_with_variable => Some(words),
        _ => Some(plan::shell(line)),
    }
}
