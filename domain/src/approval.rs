//! Approvals: what is deployed to a protected environment waits until somebody else agrees.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::id::{DeploymentId, EnvironmentId, ProjectId, TeamId, UserId};
use crate::time::Timestamp;

/// Time within which a deployment has to be approved.
pub const APPROVED_WITHIN: TimeDelta = TimeDelta::hours(72);

/// State of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum ApprovalState {
    /// It is waited for; the deployment stays queued.
    Pending,
    /// It was given; the deployment goes on.
    Approved,
    /// It was refused; the deployment is cancelled.
    Rejected,
    /// Nobody decided in time; the deployment is cancelled.
    Expired,
    /// The deployment ended for another reason before anybody decided.
    Withdrawn,
}

impl ApprovalState {
    /// The name used in messages and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The approval that a deployment needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Approval {
    /// Deployment that waits for the approval.
    pub deployment_id: DeploymentId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The project that is deployed.
    pub project_id: ProjectId,
    /// Environment that it is to be deployed to.
    pub environment_id: EnvironmentId,
    /// State of the approval.
    pub state: ApprovalState,
    /// The person who answers for the deployment and so cannot approve it: who asked for it, or who made the service account that did.
    pub requested_by: UserId,
    /// Time of the request.
    pub requested_at: Timestamp,
    /// Time until which the approval can be given.
    pub expires_at: Timestamp,
    /// User who decided.
    pub decided_by: Option<UserId>,
    /// Time of the decision.
    pub decided_at: Option<Timestamp>,
    /// Reason, in the decider's words.
    pub reason: Option<String>,
    /// Marks a deployment whose content was written by somebody outside the team, such as the author of a pull request from a
    /// fork. Then any user with the permission to approve may do so, whether or not they connected the repository.
    pub from_outside: bool,
}
