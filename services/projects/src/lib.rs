#![doc = include_str!("../README.md")]

pub mod acme;
pub mod deployments;
mod domains;
mod environments;
mod feed_places;
mod feeds;
pub mod git_hosts;
mod local_control;
mod logs;
mod project;
mod protection;
mod retention;
mod schedules;
mod services;
mod uploads;
mod variables;

pub use domains::DomainDetails;
pub use feeds::Feed;
pub use local_control::LocalControl;
pub use project::{NewProject, ProjectEdit};
pub use retention::StorageUsage;
pub use schedules::NewSchedule;
pub use services::{ProjectServices, ProjectSettings};
pub use uploads::Upload;

use services_core::handle;

handle! {
    /// Approvals that deployments wait for.
    approvals: Approvals over ProjectServices
}
handle! {
    /// Artifacts that are kept for rollbacks, and the space they take.
    artifacts: StoredArtifacts over ProjectServices
}
handle! {
    /// Certificates of domains.
    certificates: DomainCertificateList over ProjectServices
}
handle! {
    /// Deployments: triggered, built, released, rolled back, cancelled.
    deployments: Deployments over ProjectServices
}
handle! {
    /// Custom domains.
    domains: Domains over ProjectServices
}
handle! {
    /// Environments of projects.
    environments: Environments over ProjectServices
}
handle! {
    /// Resumable streams of events and log lines.
    feeds: Feeds over ProjectServices
}
handle! {
    /// Connections to Git hosts: webhooks, previews, commit statuses.
    git: GitConnections over ProjectServices
}
handle! {
    /// Logs of deployments, archived ones included.
    logs: Logs over ProjectServices
}
handle! {
    /// Projects.
    projects: Projects over ProjectServices
}
handle! {
    /// Schedules and their runs.
    schedules: Schedules over ProjectServices
}
handle! {
    /// Uploaded source directories.
    uploads: Uploads over ProjectServices
}
handle! {
    /// Environment variables.
    variables: Variables over ProjectServices
}
