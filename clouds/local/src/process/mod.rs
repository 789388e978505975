//! The one place that starts and stops processes. What is started is a tree: it is measured, stopped and killed as a whole, with
//! what left its process group. Linux only: membership is read from `/proc`.

mod lines;
mod marked;
mod pipe;
mod ports;
mod program;
mod scan;
mod tree;

#[cfg(test)]
mod tests;

pub use lines::LineReader;
pub use marked::kill_marked;
pub use pipe::Pipe;
pub use program::{find_program, has_program, path_before};
pub use scan::{Members, Usage};
pub use tree::{ProcessSpec, ProcessTree};

/// The variable by which a process and all its children are recognised, whatever became of their parents.
pub const MARKER: &str = "MIKROCLOUD_PROCESS";
