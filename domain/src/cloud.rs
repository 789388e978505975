//! Accounts at vendors of clouds, and the places in them that environments have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::{BaseId, CloudAccountId, DeploymentId, EnvironmentId, PlacementId, ProjectId, TeamId, UserId};
use crate::time::Timestamp;
use crate::workload::WorkloadKind;

/// Name of the cloud that is one's own machines.
pub const LOCAL: &str = "local";

/// An account at a vendor that a team connected.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct CloudAccount {
    /// Id.
    pub id: CloudAccountId,
    /// The team that connected it.
    pub team_id: TeamId,
    /// The vendor's cloud, such as `gcp`.
    pub cloud: String,
    /// Name of it within the team and cloud, such as `main`.
    pub name: String,
    /// The vendor's id: an account number, a subscription, a project id.
    pub identity: String,
    /// Kind of its credential, such as `google_key`.
    pub credential_kind: String,
    /// Counts the credentials it had: an opened account is thrown away when it has another.
    pub credential_version: i64,
    /// Region of deployments that name none, in our neutral words.
    pub region: String,
    /// Address of a simulated cloud; `None` for the vendor's own.
    pub endpoint: Option<String>,
    /// State.
    pub state: CloudAccountState,
    /// Description of what is wrong with it, with a remedy.
    pub problem: Option<String>,
    /// The vendor's name of whoever the credential is.
    pub principal: Option<String>,
    /// Result of the last look at its permissions.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub checks: Vec<Check>,
    /// Time of the last look.
    pub verified_at: Option<Timestamp>,
    /// Time of the next look.
    pub next_check_at: Option<Timestamp>,
    /// It is meant where a deployment names the cloud alone.
    pub is_default: bool,
    /// Member who connected it.
    pub created_by: UserId,
    /// Time when it was connected.
    pub created_at: Timestamp,
}

impl CloudAccount {
    /// Returns true if what is made in it is simulated.
    pub fn is_simulated(&self) -> bool {
        self.endpoint.is_some()
    }
}

/// State of a cloud account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum CloudAccountState {
    /// Nobody has looked at it yet.
    Unverified,
    /// It can be used.
    Connected,
    /// Its credential is no longer accepted: it needs another.
    Reconnect,
    /// It is not used until somebody verifies it: another installation may use it.
    Paused,
    /// Everything that we made in it is being removed.
    Disconnecting,
}

/// Result of looking at one permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The permission, in the vendor's words, such as `run.services.create`.
    pub permission: String,
    /// Outcome.
    pub outcome: CheckOutcome,
    /// Remedy where it is missing, reason where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Outcome of looking at a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum CheckOutcome {
    /// It is there.
    Granted,
    /// It is not.
    Missing,
    /// It could not be found out.
    Unknown,
}

/// Things of an account and region that several environments share.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct CloudBase {
    /// Id.
    pub id: BaseId,
    /// The team.
    pub team_id: TeamId,
    /// The account.
    pub account_id: CloudAccountId,
    /// The vendor's name of the region.
    pub region: String,
    /// Its name, such as `containers`.
    pub base: String,
    /// State.
    pub state: CloudBaseState,
    /// Values that it has once made.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub outputs: BTreeMap<String, String>,
    /// Description of what went wrong, with a remedy.
    pub problem: Option<String>,
    /// Time of the last change.
    pub changed_at: Timestamp,
}

/// State of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum CloudBaseState {
    /// It is being made.
    Preparing,
    /// It is there.
    Ready,
    /// It could not be made.
    Failed,
    /// It is being removed.
    Dismantling,
}

/// An environment's place in a cloud, account and region.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Placement {
    /// Id.
    pub id: PlacementId,
    /// The team.
    pub team_id: TeamId,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// The account.
    pub account_id: CloudAccountId,
    /// The vendor's name of the region.
    pub region: String,
    /// The environment's host label when it came here, such as `shop`: the readable part of names.
    pub label: String,
    /// Address at which it is seen, once it is.
    pub url: Option<String>,
    /// Deployment that it shows.
    pub shown_deployment_id: Option<DeploymentId>,
    /// Kind of that deployment's workload.
    pub shown_kind: Option<WorkloadKind>,
    /// State.
    pub state: PlacementState,
    /// Time when it was made.
    pub created_at: Timestamp,
}

/// State of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
pub enum PlacementState {
    /// The environment's deployments go there.
    Used,
    /// Everything in it is being removed.
    Going,
    /// Nothing is in it any more; deployments that went there are remembered by it.
    Gone,
}

/// A deployment in a placement.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct DeploymentTarget {
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// Its place.
    pub placement_id: PlacementId,
    /// The team.
    pub team_id: TeamId,
    /// State.
    pub state: TargetState,
    /// Condition that it waits for, for people.
    pub detail: Option<String>,
    /// Address that shows this deployment alone, where there is one.
    pub url: Option<String>,
    /// Time of the last change.
    pub changed_at: Timestamp,
}

/// Place of a deployment, or of an environment, with what people are told of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct PlaceDetails {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The deployment; of an environment's place, the one that it shows.
    pub deployment_id: Option<DeploymentId>,
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// Name of the account.
    pub account: String,
    /// The vendor's name of the region.
    pub region: String,
    /// Address at which it is seen, once it is.
    pub url: Option<String>,
    /// State of the deployment there; an environment's place has none.
    pub state: Option<TargetState>,
    /// Condition that the deployment waits for, for people.
    pub detail: Option<String>,
    /// Address of the simulated cloud; `None` for the vendor's own.
    pub endpoint: Option<String>,
}

/// State of a deployment in a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum))]
pub enum TargetState {
    /// Nothing was asked of the cloud yet.
    Waiting,
    /// It is being made.
    Applying,
    /// It answers.
    Ready,
    /// Visitors see it.
    Shown,
    /// Nobody sees it; it can be shown again.
    Resting,
    /// It is being removed.
    Going,
    /// Nothing of it is left.
    Gone,
    /// It could not be made.
    Failed,
}

/// A thing that exists in a cloud because of us, as the journal keeps it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct CloudResource {
    /// Id; ids sort by age.
    pub id: Uuid,
    /// The team.
    pub team_id: TeamId,
    /// The account it is in.
    pub account_id: CloudAccountId,
    /// The vendor's name of the region.
    pub region: String,
    /// The environment's place that it belongs to; a base's things have none.
    pub placement_id: Option<PlacementId>,
    /// Kind of its owner: `base`, `placement` or `deployment`.
    pub owner_kind: String,
    /// Its owner.
    pub owner_id: Uuid,
    /// Its kind, such as `gcp.run.service`.
    pub kind: String,
    /// Its part in what it is made for.
    pub purpose: String,
    /// Its name in the cloud.
    pub name: String,
    /// Counts the names tried.
    pub generation: i64,
    /// State as far as known: `intended`, `asked`, `there` or `going`.
    pub state: String,
    /// Idempotency token.
    pub token: Uuid,
    /// The vendor's id.
    pub external_id: Option<String>,
    /// The vendor's operation that is under way.
    #[cfg_attr(feature = "sqlx", sqlx(json(nullable)))]
    pub operation: Option<serde_json::Value>,
    /// Values it has once made.
    #[cfg_attr(feature = "sqlx", sqlx(json))]
    pub outputs: BTreeMap<String, String>,
    /// Number of changes.
    pub revision: i64,
    /// Time when it was written down.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub changed_at: Timestamp,
}
