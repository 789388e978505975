//! Projects and all that belongs to one: environments, variables, deployments, logs, schedules, Git connections, domains.

pub mod acme;
pub mod deployments;
pub(crate) mod domains;
pub(crate) mod environments;
pub(crate) mod feed_places;
pub(crate) mod feeds;
pub mod git_hosts;
pub(crate) mod local_control;
pub(crate) mod logs;
pub(crate) mod project;
pub(crate) mod protection;
pub(crate) mod retention;
pub(crate) mod schedules;
pub(crate) mod uploads;
pub(crate) mod variables;

use crate::handle;

handle! {
    /// Approvals that deployments wait for.
    approvals: Approvals
}
handle! {
    /// Artifacts that are kept for rollbacks, and the space they take.
    artifacts: StoredArtifacts
}
handle! {
    /// Certificates of domains.
    certificates: DomainCertificateList
}
handle! {
    /// Deployments: triggered, built, released, rolled back, cancelled.
    deployments: Deployments
}
handle! {
    /// Custom domains.
    domains: Domains
}
handle! {
    /// Environments of projects.
    environments: Environments
}
handle! {
    /// Resumable streams of events and log lines.
    feeds: Feeds
}
handle! {
    /// Connections to Git hosts: webhooks, previews, commit statuses.
    git: GitConnections
}
handle! {
    /// Logs of deployments, archived ones included.
    logs: Logs
}
handle! {
    /// Projects.
    projects: Projects
}
handle! {
    /// Schedules and their runs.
    schedules: Schedules
}
handle! {
    /// Uploaded source directories.
    uploads: Uploads
}
handle! {
    /// Environment variables.
    variables: Variables
}
