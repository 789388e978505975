//! What can be changed.

mod access;
mod account;
mod approvals;
mod audit;
mod deployments;
mod domains;
mod git;
mod notifications;
mod operations;
mod projects;
mod team;
mod variables;

use async_graphql::MergedObject;

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    projects::ProjectMutation,
    variables::VariableMutation,
    deployments::DeploymentMutation,
    approvals::ApprovalMutation,
    team::TeamMutation,
    access::AccessMutation,
    account::AccountMutation,
    operations::OperationsMutation,
    audit::AuditMutation,
    domains::DomainMutation,
    git::GitMutation,
    notifications::NotificationMutation,
);
