//! Selection of the installation that an operator's command is about.

use std::path::PathBuf;

use clap::Args;
use domain::secret::Secret;

/// The data directory of the embedded form, and of what a process of the scaled-out form keeps.
#[derive(Debug, Clone, Args)]
pub struct DataDirectory {
    /// Directory of the state
    #[arg(long = "data", env = "MIKROCLOUD_DATA", value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// Selection of the database, and its master key.
#[derive(Debug, Args)]
pub struct InstallationChoice {
    /// The database of the scaled-out form; without one, that in the data directory is meant
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = crate::options::database_url)]
    pub(crate) database_url: Option<Secret>,
    #[arg(
        long,
        help = "The key that seals secrets, in a file of 64 hexadecimal digits; or MIKROCLOUD_MASTER_KEY holds the digits. \
                Without either, that in the data directory is meant",
        env = "MIKROCLOUD_MASTER_KEY_FILE",
        value_name = "FILE"
    )]
    pub(crate) master_key_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataDirectory,
}
