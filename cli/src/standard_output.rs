//! Printing to standard output for people who may have closed it: `mikrocloud logs | head`.
//!
//! The macros take the place of the standard library's in the whole crate, which panic then.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// Prints as the standard library's macro does; ends the program where nobody reads any more.
macro_rules! print {
    ($($text:tt)*) => { $crate::standard_output::write(format_args!($($text)*)) };
}

/// Prints a line as the standard library's macro does; ends the program where nobody reads any more.
macro_rules! println {
    () => { $crate::standard_output::write(format_args!("\n")) };
    ($($text:tt)*) => { $crate::standard_output::write(format_args!("{}\n", format_args!($($text)*))) };
}

/// Writes to standard output. A reader that went away has what it wanted: no error. Anything else is said and ends the program.
pub fn write(text: Arguments<'_>) {
    let Err(error) = std::io::stdout().write_fmt(text) else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    let _ = writeln!(std::io::stderr(), "error: standard output cannot be written: {error}");
    std::process::exit(1);
}
