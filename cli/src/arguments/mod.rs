//! The command line.

mod audit;
mod choices;
mod command;
mod identity;
mod notifications;
mod operations;
mod projects;
mod server;

pub use audit::{AuditCommand, AuditFormat, AuditOptions, AuditTime};
pub use choices::{DataDirectory, EnvironmentChoice, Output, ProjectChoice};
pub use command::{Arguments, Command};
pub use identity::{
    AccountCommand, AccountOptions, KeysCommand, KeysOptions, LoginOptions, MembersCommand, MembersOptions, RolesCommand,
    RolesOptions, SecondFactorCommand, TeamsCommand, TeamsOptions,
};
pub use notifications::{AddChannel, DeliveryState, NotificationsCommand, NotificationsOptions};
pub use operations::{JobsCommand, JobsOptions};
pub use projects::{
    CancelOptions, ConnectionRules, DecisionOptions, DeployOptions, DeploymentsOptions, DomainsCommand, DomainsOptions,
    EnvCommand, EnvOptions, EnvironmentsCommand, EnvironmentsOptions, GitCommand, GitOptions, InitOptions, LogsOptions,
    ProjectsCommand, ProjectsOptions, PromoteOptions, RollbackOptions, SchedulesCommand, SchedulesOptions, StorageCommandOptions,
    TokenChoice,
};
pub use server::{BackupOptions, DoctorOptions, HealthOptions, InstallationChoice, RestoreOptions, RotateOptions, UpOptions};
