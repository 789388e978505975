//! The commands there are.

use clap::{Parser, Subcommand};
use server::{ApiOptions, EdgeOptions, MigrateOptions, UpOptions, WorkerOptions};

use super::{
    AccountOptions, AuditOptions, BackupCommandOptions, CancelOptions, CloudsOptions, CostsOptions, DecisionOptions,
    DeployOptions, DeploymentsOptions, DoctorOptions, DomainsOptions, EnvOptions, EnvironmentsOptions, ForecastOptions,
    GitOptions, HealthOptions, InitOptions, JobsOptions, KeysOptions, LoginOptions, LogsOptions, MembersOptions,
    NotificationsOptions, Output, ProjectsOptions, PromoteOptions, RestoreCommandOptions, RolesOptions, RollbackOptions,
    SchedulesOptions, StorageCommandOptions, TeamsOptions,
};

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
    Backup(BackupCommandOptions),
    /// Make a database hold what a backup says: a data directory, or PostgreSQL
    Restore(RestoreCommandOptions),
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
    /// Cancel a deployment
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
    /// Connect accounts at AWS, Azure and Google Cloud, and show what is in them
    Clouds(CloudsOptions),
    /// Simulate Azure and Google Cloud, for trials and tests
    Sandbox(server::SandboxOptions),
    /// Look after jobs and queues
    Jobs(JobsOptions),
    /// Do something again and again: deploy, or request a path
    Schedules(SchedulesOptions),
    /// Tell programs, chats and people of what happens
    Notifications(NotificationsOptions),
    /// Show what the team stores, and its budget
    Storage(StorageCommandOptions),
    /// Compare what workloads cost at each cloud, and show prices; without a server
    Costs(CostsOptions),
    /// Forecast series of a file, with bands and the error on their own past; without a server
    Forecast(ForecastOptions),
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Returns true if the outcome is requested as JSON.
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Up(_)
            | Self::Migrate(_)
            | Self::Api(_)
            | Self::Worker(_)
            | Self::Edge(_)
            | Self::Sandbox(_)
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
            Self::Clouds(options) => options.output.json,
            Self::Jobs(options) => options.output.json,
            Self::Schedules(options) => options.output.json,
            Self::Notifications(options) => options.output.json,
            Self::Storage(options) => options.output.json,
            Self::Costs(options) => options.output.json,
            Self::Forecast(options) => options.output.json,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_arguments_or_groups_of_a_command_share_a_name() {
        Arguments::command().debug_assert();
    }
}
