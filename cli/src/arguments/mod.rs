//! The command line.

mod audit;
mod choices;
mod clouds;
mod command;
mod costs;
mod forecast;
mod identity;
mod notifications;
mod operations;
mod operator;
mod projects;

pub use audit::{AuditCommand, AuditFormat, AuditOptions, AuditTime};
pub use choices::{EnvironmentChoice, Output, ProjectChoice};
pub use clouds::{CloudsCommand, CloudsOptions, ConnectCommand, ConnectPlace, NewCredential};
pub use command::{Arguments, Command};
pub use costs::{CostsCommand, CostsOptions, PricesCommand};
pub use forecast::ForecastOptions;
pub use identity::{
    AccountCommand, AccountOptions, KeysCommand, KeysOptions, LoginOptions, MembersCommand, MembersOptions, RolesCommand,
    RolesOptions, SecondFactorCommand, TeamsCommand, TeamsOptions,
};
pub use notifications::{AddChannel, DeliveryState, NotificationsCommand, NotificationsOptions};
pub use operations::{JobsCommand, JobsOptions};
pub use operator::{BackupCommandOptions, DoctorOptions, HealthOptions, RestoreCommandOptions};
pub use projects::{
    CancelOptions, ConnectionRules, DecisionOptions, DeployOptions, DeploymentsOptions, DomainsCommand, DomainsOptions,
    EnvCommand, EnvOptions, EnvironmentsCommand, EnvironmentsOptions, GitCommand, GitOptions, InitOptions, LogsOptions,
    ProjectsCommand, ProjectsOptions, PromoteOptions, RollbackOptions, SchedulesCommand, SchedulesOptions, StorageCommandOptions,
    TokenChoice,
};
pub use server::{DataDirectory, RotateOptions};
