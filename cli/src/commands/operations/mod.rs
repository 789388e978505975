//! What keeps an installation at work.

pub mod jobs;
