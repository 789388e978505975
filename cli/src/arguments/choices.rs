//! Arguments that many commands share.

use clap::Args;

/// Output format.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Print one JSON document to stdout and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
}

/// Project that a command is about.
#[derive(Debug, Clone, Args)]
pub struct ProjectChoice {
    /// The project; the one that mikrocloud.toml names, or the directory's name, when left out
    #[arg(long, short = 'p', global = true)]
    pub project: Option<String>,
}

/// Environment that a command is about.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentChoice {
    /// The environment; production when left out
    #[arg(long, short = 'e')]
    pub environment: Option<String>,
}
