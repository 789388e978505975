//! What can be asked.

mod audit;
mod deployments;
mod notifications;
mod operations;
mod projects;
mod team;

use async_graphql::MergedObject;

pub(crate) use operations::connection;

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    projects::ProjectQuery,
    deployments::DeploymentQuery,
    team::TeamQuery,
    operations::OperationsQuery,
    audit::AuditQuery,
    notifications::NotificationQuery,
);
