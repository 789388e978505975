//! The audit log.

use std::path::PathBuf;

use audit::PublicKey;
use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use domain::time::Timestamp;

use crate::arguments::Output;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditOptions {
    #[command(subcommand)]
    pub command: Option<AuditCommand>,
    #[command(flatten)]
    pub time: AuditTime,
    /// Actor: address or id of a user; id of an API key, a session or a schedule
    #[arg(long)]
    pub actor: Option<String>,
    /// Action, such as project.create, or the part before its dot
    #[arg(long)]
    pub action: Option<String>,
    /// To what: its id or its name
    #[arg(long)]
    pub target: Option<String>,
    /// Only what was refused
    #[arg(long)]
    pub denied: bool,
    /// Number of entries, the latest first
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct AuditTime {
    /// Not before this moment: RFC 3339, or a day as YYYY-MM-DD (UTC)
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub since: Option<Timestamp>,
    /// Before this moment: RFC 3339, or a day as YYYY-MM-DD (UTC)
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub until: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Write the log into a file that `audit verify` checks
    Export {
        /// The file; `-` for standard output
        file: PathBuf,
        /// The form
        #[arg(long, value_enum, default_value_t = AuditFormat::Jsonl)]
        format: AuditFormat,
        #[command(flatten)]
        time: AuditTime,
    },
    /// Check an exported file, without a server: nothing in it was changed, left out, swapped or cut off
    Verify {
        /// The file; `-` for standard input
        file: PathBuf,
        /// The key that must have signed it, as `audit keys` prints it on a machine that you trust; may be given more than once
        #[arg(long = "public-key", value_name = "KEY")]
        public_keys: Vec<PublicKey>,
        /// An export from before, which this one has to go on from: nothing that it ended with was changed since
        #[arg(long, value_name = "FILE")]
        earlier: Option<PathBuf>,
    },
    /// List the keys by which exported files are checked
    Keys,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// JSON lines that can be verified
    Jsonl,
    /// Events of the Open Cybersecurity Schema Framework
    Ocsf,
}

pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    let moment = text.parse::<Timestamp>().ok().or_else(day);
    moment.ok_or_else(|| "give a moment such as 2026-11-25T10:00:00Z, or a day such as 2026-11-25".to_owned())
}
