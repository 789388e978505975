//! Functions: a process for each, started on demand.

mod function;
mod program;
mod set;

pub(crate) use set::FunctionGroup;
