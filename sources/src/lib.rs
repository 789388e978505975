#![doc = include_str!("../README.md")]

pub mod archive;
mod directory;
pub mod git;

pub use directory::DirectoryTree;
