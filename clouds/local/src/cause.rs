//! The line of a program's output that says why it failed.

/// The line that names an error, the last one that does so: `ModuleNotFoundError: No module named 'flask'` at the end of a traceback,
/// `Error: Cannot find module 'x'` above a stack. `None` when none does.
pub(crate) fn cause<'l>(lines: &[&'l str]) -> Option<&'l str> {
    lines.iter().rev().map(|line| line.trim()).find(|line| names_an_error(line))
}

fn names_an_error(line: &str) -> bool {
    let Some((name, reason)) = line.split_once(": ") else { return false };
    // `npm error code: x` and `[vite] Error: x` have a word before it; a sentence has many.
    let name = name.rsplit(' ').next().unwrap_or(name).trim_start_matches('[').trim_end_matches(']');
    let name = name.rsplit(['.', ':']).next().unwrap_or(name);
    let is_error = ["error", "Error", "ERROR", "Exception", "fatal", "panic", "Fault"].iter().any(|end| name.ends_with(end));
    is_error && !reason.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_causes() {
        let table: [(&[&str], Option<&str>); 8] = [
            (
                &[
                    "Traceback (most recent call last):",
                    "  File \"app.py\", line 1, in <module>",
                    "ModuleNotFoundError: No module named 'flask'",
                ],
                Some("ModuleNotFoundError: No module named 'flask'"),
            ),
            (
                &[
                    "Error: Cannot find module 'x'",
                    "    at Module._load",
                    "  code: 'MODULE_NOT_FOUND',",
                    "}",
                    "",
                    "Node.js v20.20.0",
                ],
                Some("Error: Cannot find module 'x'"),
            ),
            (&["sqlalchemy.exc.OperationalError: no such table"], Some("sqlalchemy.exc.OperationalError: no such table")),
            (&["error: could not compile", "x"], Some("error: could not compile")),
            (&["[vite] Error: no such file"], Some("[vite] Error: no such file")),
            (&["listening on 4200"], None),
            (&["Error: "], None),
            (&[], None),
        ];
        for (lines, expected) in table {
            assert_eq!(cause(lines), expected, "{lines:?}");
        }
    }
}
