//! Projects, and what belongs to one.

mod deployments;
mod domains;
mod env;
mod environments;
mod git;
mod project;
mod schedules;
mod storage;

pub use deployments::{
    CancelOptions, DecisionOptions, DeployOptions, DeploymentsOptions, LogsOptions, PromoteOptions, RollbackOptions,
};
pub use domains::{DomainsCommand, DomainsOptions};
pub use env::{EnvCommand, EnvOptions};
pub use environments::{EnvironmentsCommand, EnvironmentsOptions};
pub use git::{ConnectionRules, GitCommand, GitOptions, TokenChoice};
pub use project::{InitOptions, ProjectsCommand, ProjectsOptions};
pub use schedules::{SchedulesCommand, SchedulesOptions};
pub use storage::StorageCommandOptions;
