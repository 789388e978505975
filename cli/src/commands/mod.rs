//! The client commands: one file per noun.

mod audit;
mod clouds;
mod costs;
mod forecast;
mod identity;
mod notifications;
mod operations;
mod projects;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::{Arguments, Command};
use identity::{account, keys, login, members, roles, teams};
use operations::jobs;
use projects::{approvals, deploy, deployments, domains, env, environments, git, init, logs, project, schedules, storage};
use server::Failure;

/// Runs a client command.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Login(options) => login::login(options).await,
        Command::Logout(output) => login::logout(output).await,
        Command::Whoami(output) => login::whoami(output).await,
        Command::Account(options) => account::run(options).await,
        Command::Init(options) => init::init(&options).await,
        Command::Deploy(options) => deploy::deploy(options).await,
        Command::Deployments(options) => deployments::list(options).await,
        Command::Logs(options) => logs::logs(options).await,
        Command::Promote(options) => deployments::promote(options).await,
        Command::Rollback(options) => deployments::rollback(options).await,
        Command::Cancel(options) => deployments::cancel(options).await,
        Command::Approvals(output) => approvals::list(output).await,
        Command::Approve(options) => approvals::approve(options).await,
        Command::Reject(options) => approvals::reject(options).await,
        Command::Git(options) => git::run(options).await,
        Command::Environments(options) => environments::run(options).await,
        Command::Domains(options) => domains::run(options).await,
        Command::Members(options) => members::run(options).await,
        Command::Roles(options) => roles::run(options).await,
        Command::Teams(options) => teams::run(options).await,
        Command::Keys(options) => keys::run(options).await,
        Command::Audit(options) => audit::run(options).await,
        Command::Projects(options) => project::run(options).await,
        Command::Env(options) => env::run(options).await,
        Command::Clouds(options) => clouds::run(options).await,
        Command::Jobs(options) => jobs::run(options).await,
        Command::Schedules(options) => schedules::run(options).await,
        Command::Notifications(options) => notifications::run(options).await,
        Command::Storage(options) => storage::run(options).await,
        Command::Costs(options) => costs::run(&options),
        Command::Forecast(options) => forecast::run(&options),
        Command::Up(_)
        | Command::Migrate(_)
        | Command::Api(_)
        | Command::Worker(_)
        | Command::Edge(_)
        | Command::Sandbox(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Doctor(_)
        | Command::Health(_)
        | Command::Completion { .. } => Err(Failure::usage("this command runs without a server")),
    }
}

/// Prints a completion script.
pub fn completion(shell: Shell) {
    clap_complete::generate(shell, &mut Arguments::command(), "mikrocloud", &mut std::io::stdout());
}
