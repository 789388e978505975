#![doc = include_str!("../README.md")]

pub mod content;
pub mod plan;
