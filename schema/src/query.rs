//! Queries.

use async_graphql::MergedObject;

use crate::audit::query::AuditQuery;
use crate::clouds::query::CloudQuery;
use crate::identity::query::{members::MemberQuery, teams::TeamQuery};
use crate::notifications::query::NotificationQuery;
use crate::operations::query::{alerts::AlertQuery, jobs::JobQuery};
use crate::projects::query::{
    approvals::ApprovalQuery, deployments::DeploymentQuery, git::GitQuery, projects::ProjectQuery, schedules::ScheduleQuery,
};

/// Queries.
#[derive(MergedObject, Default)]
pub struct Query(
    ProjectQuery,
    DeploymentQuery,
    TeamQuery,
    ApprovalQuery,
    MemberQuery,
    JobQuery,
    GitQuery,
    ScheduleQuery,
    AlertQuery,
    AuditQuery,
    NotificationQuery,
    CloudQuery,
);
