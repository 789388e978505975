//! Common parts of deployments of every kind, and the rule of servers.

use clouds_contract::{CloudError, Entry, EntryState, EnvironmentPlace, ErrorKind, Owner, Progress, Scope, ready, remove_all};
use domain::id::DeploymentId;
use domain::workload::WorkloadKind;

use crate::catalogue::Kinds;
use crate::client::Client;
use crate::managed::rule::{self, set_routes};
use crate::managed::{distribution, target_group};
use crate::routes::Routes;
use crate::traffic::clear;

/// The environment that a scope is of.
pub(crate) fn place<'a>(scope: &'a Scope<'_>) -> Result<&'a EnvironmentPlace, CloudError> {
    let missing = || CloudError::new(ErrorKind::Internal, "INTERNAL", "deployments are made within an environment's scope");
    scope.whose.environment.as_ref().ok_or_else(missing)
}

/// The environment's entry of a kind, once it was asked for.
async fn shared(scope: &Scope<'_>, kind: &str) -> Result<Option<Entry>, CloudError> {
    let entries = scope.journal.entries(Owner::Placement(place(scope)?.placement)).await?;
    Ok(entries.into_iter().find(|entry| entry.kind == kind && entry.state != EntryState::Intended))
}

/// The journal's entry of the environment's distribution, once it was asked for.
pub(crate) async fn distribution_entry(scope: &Scope<'_>) -> Result<Option<Entry>, CloudError> {
    shared(scope, distribution::KIND).await
}

/// The deployment's entry of a kind.
pub(crate) async fn own(scope: &Scope<'_>, deployment: DeploymentId, kind: &str) -> Result<Option<Entry>, CloudError> {
    let entries = scope.journal.entries(Owner::Deployment(deployment)).await?;
    Ok(entries.into_iter().find(|entry| entry.kind == kind))
}

/// ARN of the target group of a deployment, once it is known.
pub(crate) async fn targets(scope: &Scope<'_>, deployment: DeploymentId) -> Result<Option<String>, CloudError> {
    Ok(own(scope, deployment, target_group::KIND).await?.and_then(|entry| entry.external_id))
}

/// The kind that a distribution shows, by its entry.
pub(crate) fn kind_of(entry: &Entry) -> Option<WorkloadKind> {
    if entry.outputs.contains_key(distribution::BALANCER) {
        return Some(WorkloadKind::Server);
    }
    entry.outputs.contains_key(distribution::BUCKET).then_some(WorkloadKind::Static)
}

/// Refuses a deployment of another kind than those of the environment before anything is made: its distribution shows one of them.
pub(crate) async fn check_kind(scope: &Scope<'_>, kind: WorkloadKind) -> Result<(), CloudError> {
    let shown = distribution_entry(scope).await?.as_ref().and_then(kind_of);
    match shown {
        Some(other) if other != kind => {
            let message = format!(
                "the environment shows deployments of the kind `{}` on AWS, and this one is of the kind `{}`: deploy it to another \
                 environment, or delete this one first",
                other.name(),
                kind.name()
            );
            Err(CloudError::new(ErrorKind::Invalid, "KIND_CHANGED", message))
        }
        _ => Ok(()),
    }
}

/// The rule of an environment of servers.
pub(crate) struct RuleState {
    arn: String,
    pub routes: Routes,
}

impl RuleState {
    /// The rule as it is; `None` if there is none.
    pub async fn get(client: &Client, scope: &Scope<'_>) -> Result<Option<Self>, CloudError> {
        let Some(arn) = shared(scope, rule::KIND).await?.and_then(|entry| entry.external_id) else { return Ok(None) };
        let rule = rule::get(client, scope.region, &arn).await?;
        Ok(rule.map(|rule| Self { arn, routes: Routes::read(&rule) }))
    }

    /// Sends requests by other routes, unless they go there already.
    pub async fn set(&self, client: &Client, scope: &Scope<'_>, routes: &Routes) -> Result<(), CloudError> {
        if *routes == self.routes {
            return Ok(());
        }
        set_routes(client, scope.region, &self.arn, routes).await
    }
}

/// Takes the target group of a deployment from the environment's rule.
pub(crate) async fn unroute(client: &Client, scope: &Scope<'_>, deployment: DeploymentId) -> Result<(), CloudError> {
    let Some(group) = targets(scope, deployment).await? else { return Ok(()) };
    let Some(rule) = RuleState::get(client, scope).await? else { return Ok(()) };
    let routes = rule.routes.clone().without(&group);
    rule.set(client, scope, &routes).await
}

/// Removes a deployment of any kind with everything that is its own. Nobody sees it any more before.
pub(crate) async fn delete(client: &Client, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
    ready!(clear(client, scope, Some(deployment)).await?);
    unroute(client, scope, deployment).await?;
    remove_all(&Kinds { client, region: scope.region }, scope, Owner::Deployment(deployment)).await
}
