//! Azure against a simulated one.

mod life;
mod support;
