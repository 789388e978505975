//! Mutations.

use async_graphql::MergedObject;

use crate::audit::mutation::AuditMutation;
use crate::clouds::mutation::CloudMutation;
use crate::identity::mutation::{account::AccountMutation, roles::AccessMutation, teams::TeamMutation};
use crate::notifications::mutation::NotificationMutation;
use crate::operations::mutation::jobs::JobMutation;
use crate::projects::mutation::{
    approvals::ApprovalMutation, deployments::DeploymentMutation, domains::DomainMutation, environments::EnvironmentMutation,
    git::GitMutation, projects::ProjectMutation, schedules::ScheduleMutation, variables::VariableMutation,
};

/// Mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    ProjectMutation,
    VariableMutation,
    DeploymentMutation,
    ApprovalMutation,
    TeamMutation,
    AccessMutation,
    AccountMutation,
    JobMutation,
    ScheduleMutation,
    AuditMutation,
    DomainMutation,
    GitMutation,
    EnvironmentMutation,
    NotificationMutation,
    CloudMutation,
);
