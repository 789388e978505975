//! Placeholder module; see the helper's work.
