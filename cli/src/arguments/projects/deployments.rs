//! Deploying, and what is done to deployments.

use clap::Args;

use crate::arguments::{EnvironmentChoice, Output, ProjectChoice};

#[derive(Debug, Args)]
pub struct DeployOptions {
    /// A directory, or the address of a Git repository
    #[arg(default_value = ".")]
    pub source: String,
    /// Branch, tag or commit of the repository
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    /// Directory of the project within the source, such as apps/web
    #[arg(long)]
    pub directory: Option<String>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    /// The cloud to deploy to: local, aws, azure, gcp, or one of the team's accounts there, such as gcp:backup
    #[arg(long)]
    pub cloud: Option<String>,
    /// The region there, such as eu-west; the account's own when left out
    #[arg(long)]
    pub region: Option<String>,
    /// Show what was found, why, and what would be run, without running it
    #[arg(long, conflicts_with_all = ["reference", "cloud", "region", "detach"])]
    pub explain: bool,
    /// Do not wait until it is live
    #[arg(long)]
    pub detach: bool,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DeploymentsOptions {
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    /// Number of deployments to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit: u8,
    /// Show those after this deployment (its id or number), for the next page
    #[arg(long, value_name = "DEPLOYMENT")]
    pub after: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct LogsOptions {
    /// The deployment's id or number; the live one of the environment when left out
    pub deployment: Option<String>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    /// Go on with what is to come, until interrupted
    #[arg(long, short = 'f', conflicts_with = "json")]
    pub follow: bool,
    /// Begin after the line with this number
    #[arg(long, default_value_t = 0)]
    pub after: i64,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct PromoteOptions {
    /// The id or number of the deployment whose artifact to use
    pub deployment: String,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct RollbackOptions {
    /// The id or number of the deployment to go back to; the one before the present one when left out
    pub deployment: Option<String>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct CancelOptions {
    /// The deployment's id or number
    pub deployment: String,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DecisionOptions {
    /// The deployment's id or number
    pub deployment: String,
    /// Reason for the decision
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}
