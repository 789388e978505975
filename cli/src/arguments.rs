//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::secret::Secret;

mod access;
mod account;
mod audit;
mod domains;
mod git;
mod notifications;
mod server;

pub use access::{
    DecisionOptions, KeysCommand, KeysOptions, MembersCommand, MembersOptions, RolesCommand, RolesOptions, TeamsCommand,
    TeamsOptions,
};
pub use account::{AccountCommand, AccountOptions, SecondFactorCommand};
pub use audit::{AuditCommand, AuditFormat, AuditOptions, AuditTime};
pub use domains::{DomainsCommand, DomainsOptions};
pub use git::{ConnectionRules, EnvironmentsCommand, EnvironmentsOptions, GitCommand, GitOptions, TokenChoice};
pub use notifications::{AddChannel, DeliveryState, NotificationsCommand, NotificationsOptions};
pub use server::{BackupOptions, DoctorOptions, HealthOptions, InstallationChoice, RestoreOptions, RotateOptions, UpOptions};

use crate::server::{ApiOptions, EdgeOptions, MigrateOptions, WorkerOptions};

/// MikroCloud: a repository or a directory becomes a live URL, on a cloud or on your own machine.
#[derive(Debug, Parser)]
#[command(name = "mikrocloud", version, propagate_version = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything in one process, with the state in one directory
    Up(Box<UpOptions>),
    /// Bring the database's schema up to date, and prepare a new installation
    Migrate(MigrateOptions),
    /// Answer clients, on PostgreSQL and Redis; any number of these run side by side
    Api(Box<ApiOptions>),
    /// Run builds, releases and clean-ups, on PostgreSQL and Redis; any number of these run side by side
    Worker(WorkerOptions),
    /// Run what is deployed, on this machine; one of these on each machine
    Edge(EdgeOptions),
    /// Write everything that the database holds into one sealed file, while MikroCloud runs
    Backup(BackupOptions),
    /// Make a database hold what a backup says: a data directory, or PostgreSQL
    Restore(RestoreOptions),
    /// Check this machine and say how to put right what is wrong
    Doctor(DoctorOptions),
    /// Ask a server, worker or edge whether it can work; for health checks of containers
    Health(HealthOptions),
    /// Sign in to a server
    Login(LoginOptions),
    /// Forget the credential of this machine user
    Logout(Output),
    /// Show who is signed in, and where
    Whoami(Output),
    /// Look after your account: sessions, password, second factor
    Account(AccountOptions),
    /// Write a mikrocloud.toml for a directory
    Init(InitOptions),
    /// Deploy a directory or a Git repository and wait until it is live
    Deploy(DeployOptions),
    /// List the deployments of a project
    Deployments(DeploymentsOptions),
    /// Show the log of a deployment
    Logs(LogsOptions),
    /// Make the artifact of a deployment live in another environment
    Promote(PromoteOptions),
    /// Bring back what an environment showed before
    Rollback(RollbackOptions),
    /// Call a deployment off
    Cancel(CancelOptions),
    /// List the deployments that wait for an approval
    Approvals(Output),
    /// Approve a deployment of somebody else to a protected environment
    Approve(DecisionOptions),
    /// Reject a deployment to a protected environment
    Reject(DecisionOptions),
    /// List, create, show, protect and delete projects
    Projects(ProjectsOptions),
    /// List, set and unset environment variables
    Env(EnvOptions),
    /// Connect the project's repository: pushes deploy, pull requests get previews
    Git(GitOptions),
    /// List and delete the environments of a project
    Environments(EnvironmentsOptions),
    /// Let domains of your own show the project
    Domains(DomainsOptions),
    /// List, make and name teams
    Teams(TeamsOptions),
    /// Say who is in the team and who may do what
    Members(MembersOptions),
    /// List the roles, and make some from permissions
    Roles(RolesOptions),
    /// List, make and revoke API keys; change the server's master key
    Keys(KeysOptions),
    /// Show who changed what; export the log, and check an exported one
    Audit(AuditOptions),
    /// Look after jobs and queues
    Jobs(JobsOptions),
    /// Do something again and again: deploy, or request a path
    Schedules(SchedulesOptions),
    /// Tell programs, chats and people of what happens
    Notifications(NotificationsOptions),
    /// Show what the team stores, and its budget
    Storage(StorageCommandOptions),
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether the outcome is wanted as JSON.
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Up(_)
            | Self::Migrate(_)
            | Self::Api(_)
            | Self::Worker(_)
            | Self::Edge(_)
            | Self::Health(_)
            | Self::Completion { .. } => false,
            Self::Backup(options) => options.output.json,
            Self::Restore(options) => options.output.json,
            Self::Doctor(options) => options.output.json,
            Self::Login(options) => options.output.json,
            Self::Logout(output) | Self::Whoami(output) | Self::Approvals(output) => output.json,
            Self::Approve(options) | Self::Reject(options) => options.output.json,
            Self::Members(options) => options.output.json,
            Self::Roles(options) => options.output.json,
            Self::Teams(options) => options.output.json,
            Self::Keys(options) => options.output.json,
            Self::Account(options) => options.output.json,
            Self::Audit(options) => options.output.json,
            Self::Init(options) => options.output.json,
            Self::Deploy(options) => options.output.json,
            Self::Deployments(options) => options.output.json,
            Self::Logs(options) => options.output.json,
            Self::Promote(options) => options.output.json,
            Self::Rollback(options) => options.output.json,
            Self::Cancel(options) => options.output.json,
            Self::Git(options) => options.output.json,
            Self::Environments(options) => options.output.json,
            Self::Domains(options) => options.output.json,
            Self::Projects(options) => options.output.json,
            Self::Env(options) => options.output.json,
            Self::Jobs(options) => options.output.json,
            Self::Schedules(options) => options.output.json,
            Self::Notifications(options) => options.output.json,
            Self::Storage(options) => options.output.json,
        }
    }
}

/// How the outcome is shown.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Print one JSON document to stdout and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Clone, Args)]
pub struct DataDirectory {
    /// Where the state is kept
    #[arg(long = "data", env = "MIKROCLOUD_DATA", value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct LoginOptions {
    /// The server
    #[arg(long, env = "MIKROCLOUD_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Sign in with this address; asks for the password, or reads it from stdin. Without it a browser is asked
    #[arg(long, conflicts_with = "token")]
    pub email: Option<String>,
    /// The team to work in, by name or id; the first that you joined when left out. A browser asks for it
    #[arg(long, requires = "email")]
    pub team: Option<String>,
    /// Sign in with an API key
    #[arg(long, env = "MIKROCLOUD_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print a new one-time sign-in link for the owner; needs the server's data directory or database
    #[arg(long, conflicts_with_all = ["email", "token"])]
    pub link: bool,
    /// The database of the scaled-out form, for --link
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = crate::server::database_url)]
    pub database_url: Option<Secret>,
    #[command(flatten)]
    pub data: DataDirectory,
    #[command(flatten)]
    pub output: Output,
}

/// Which project a command is about.
#[derive(Debug, Clone, Args)]
pub struct ProjectChoice {
    /// The project; the one that mikrocloud.toml names, or the directory's name, when left out
    #[arg(long, short = 'p', global = true)]
    pub project: Option<String>,
}

/// Which environment a command is about.
#[derive(Debug, Clone, Args)]
pub struct EnvironmentChoice {
    /// The environment; production when left out
    #[arg(long, short = 'e')]
    pub environment: Option<String>,
}

#[derive(Debug, Args)]
pub struct InitOptions {
    /// The directory
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// The project's name; the directory's when left out
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct DeployOptions {
    /// A directory, or the address of a Git repository
    #[arg(default_value = ".")]
    pub source: String,
    /// Branch, tag or commit of the repository
    #[arg(long = "ref", value_name = "REF")]
    pub reference: Option<String>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    /// The cloud to deploy to
    #[arg(long)]
    pub cloud: Option<String>,
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
    /// How many to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit: u8,
    /// Show those after this deployment, for the next page
    #[arg(long, value_name = "DEPLOYMENT")]
    pub after: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct LogsOptions {
    /// The deployment; the live one of the environment when left out
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
    /// The deployment whose artifact to use
    pub deployment: String,
    #[command(flatten)]
    pub environment: EnvironmentChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct RollbackOptions {
    /// The deployment to go back to; the one before the present one when left out
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
    /// The deployment
    pub deployment: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct ProjectsOptions {
    #[command(subcommand)]
    pub command: Option<ProjectsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum ProjectsCommand {
    /// List the team's projects
    List {
        /// Show those after this project id, for the next page
        #[arg(long, value_name = "PROJECT")]
        after: Option<String>,
    },
    /// Create a project
    Create {
        /// Its name
        name: String,
        /// The repository it is deployed from
        #[arg(long)]
        repository: Option<String>,
        /// The branch, tag or commit
        #[arg(long = "ref", value_name = "REF")]
        reference: Option<String>,
    },
    /// Change a project's name, repository or branch
    Update {
        /// Its name
        name: String,
        /// The new name; its addresses change with the next deployment
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        /// The repository it is deployed from; empty for none
        #[arg(long)]
        repository: Option<String>,
        /// The branch, tag or commit; empty for the repository's default branch
        #[arg(long = "ref", value_name = "REF")]
        reference: Option<String>,
    },
    /// Show a project with its environments and resources
    Show {
        /// Its name
        name: String,
    },
    /// Have what is deployed to an environment approved by somebody else first
    Protect {
        /// The project's name
        name: String,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Deploy to an environment without an approval again
    Unprotect {
        /// The project's name
        name: String,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Delete a project and all it has in clouds
    Delete {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct EnvOptions {
    #[command(subcommand)]
    pub command: EnvCommand,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum EnvCommand {
    /// List the variables that are set; values are never shown
    List {
        #[command(flatten)]
        project: ProjectChoice,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Set variables; the next deployment has them
    Set {
        /// NAME=VALUE; NAME alone reads the value from stdin, so that it stays out of the shell's history
        #[arg(required = true)]
        variables: Vec<String>,
        #[command(flatten)]
        project: ProjectChoice,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
    /// Unset a variable; the next deployment is without it
    Unset {
        /// Its name
        name: String,
        #[command(flatten)]
        project: ProjectChoice,
        #[command(flatten)]
        environment: EnvironmentChoice,
    },
}

#[derive(Debug, Args)]
pub struct JobsOptions {
    #[command(subcommand)]
    pub command: Option<JobsCommand>,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum JobsCommand {
    /// List the team's jobs, newest first
    List {
        /// Those of this queue
        #[arg(long)]
        queue: Option<String>,
        /// Those in this state
        #[arg(long, value_parser = ["pending", "running", "done", "dead", "cancelled"])]
        state: Option<String>,
        /// Show those after this job, for the next page
        #[arg(long, value_name = "JOB")]
        after: Option<String>,
    },
    /// Show a job with what went wrong with each attempt
    Show {
        /// The job
        job: String,
    },
    /// Give a dead job all its attempts again
    Retry {
        /// The job
        job: String,
    },
    /// Call off a job that waits, or take a dead one out of the dead set
    Discard {
        /// The job
        job: String,
    },
    /// Show how the queues stand; for who runs the installation
    Queues,
    /// Take nothing from a queue until it is resumed
    Pause {
        /// The queue
        queue: String,
    },
    /// Take from a queue again
    Resume {
        /// The queue
        queue: String,
    },
    /// Limit how many jobs of a queue run at once; 0 for any number
    Limit {
        /// The queue
        queue: String,
        /// Over all workers
        #[arg(long)]
        total: Option<i64>,
        /// For one team
        #[arg(long)]
        team: Option<i64>,
    },
}

#[derive(Debug, Args)]
pub struct SchedulesOptions {
    #[command(subcommand)]
    pub command: Option<SchedulesCommand>,
    #[command(flatten)]
    pub project: ProjectChoice,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum SchedulesCommand {
    /// List the schedules of the project
    List,
    /// Make a schedule
    Create {
        /// Its name
        name: String,
        /// When, as a cron expression such as '0 3 * * *'
        cron: String,
        /// Request this path; without it the project's repository is deployed
        #[arg(long)]
        path: Option<String>,
        #[command(flatten)]
        environment: EnvironmentChoice,
        /// In this time zone, such as Europe/Berlin; UTC when left out
        #[arg(long)]
        time_zone: Option<String>,
        /// What becomes of times that were missed; the latest is made up for when left out
        #[arg(long, value_parser = ["skip", "latest", "all"])]
        missed: Option<String>,
        /// How long one run may take, in seconds
        #[arg(long)]
        timeout: Option<i64>,
    },
    /// Put a schedule in force
    Enable {
        /// Its name
        name: String,
    },
    /// Put a schedule out of force
    Disable {
        /// Its name
        name: String,
    },
    /// Delete a schedule with the ledger of its runs
    Delete {
        /// Its name
        name: String,
    },
    /// Show the runs of a schedule, the latest first
    Runs {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct StorageCommandOptions {
    #[command(flatten)]
    pub output: Output,
}
