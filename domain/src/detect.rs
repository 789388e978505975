//! From a project's files to a build plan. Pure: files are seen through [`SourceTree`].

/// A project's files, as detection sees them. Paths are relative to the project, with `/`.
pub trait SourceTree {
    /// The text of a file of up to 1 MiB; `None` when it is not there, not text, or larger.
    fn read(&self, path: &str) -> Option<String>;
    /// Whether there is a file or a directory.
    fn exists(&self, path: &str) -> bool;
    /// What is in a directory, sorted by name; empty when it is not there. The project itself is the empty path.
    fn list(&self, directory: &str) -> Vec<Entry>;
    /// Whether the machine that builds has this program.
    fn has_program(&self, name: &str) -> bool;
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a directory.
    pub is_directory: bool,
}
