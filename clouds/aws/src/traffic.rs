//! Visitors of an environment: the key of its host names the site that they see, the weights of its rule the server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Address, CloudError, Entry, ErrorKind, Owner, Progress, Route, Scope, Traffic, ready, remove_all};
use domain::id::DeploymentId;
use domain::workload::WorkloadKind;

use crate::answer::is_overtaken;
use crate::catalogue::Kinds;
use crate::client::Client;
use crate::keys::HostKey;
use crate::managed::balancing;
use crate::managed::distribution::{BUCKET, HOST, STORE, place_name};
use crate::managed::files::{missing_page, short};
use crate::managed::objects::Objects;
use crate::release::{RuleState, distribution_entry, kind_of, place, targets};

/// Tag with the deployment of a thing.
const DEPLOYMENT_TAG: &str = "mikrocloud-deployment";

/// Pause before a key is written again that somebody else was faster at.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// Traffic of the distributions of an account.
pub(crate) struct AwsTraffic {
    client: Arc<Client>,
}

impl AwsTraffic {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// Shows a site.
    async fn switch_site(&self, scope: &Scope<'_>, entry: &Entry, deployment: DeploymentId) -> Result<Progress, CloudError> {
        let (key, bucket) = key(&self.client, entry).zip(entry.outputs.get(BUCKET)).ok_or_else(gone)?;
        if key.get().await? == Some(deployment) {
            return Ok(Progress::Ready(()));
        }
        let objects = Objects { client: &self.client, region: scope.region, bucket };
        let page = missing_page(&place_name(place(scope)?.placement));
        match objects.copy(&missing_page(&short(deployment)), &page).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                let message = "the files of the deployment are gone: deploy again";
                return Err(CloudError::new(ErrorKind::NotFound, "FILES_GONE", message).caused_by(error));
            }
            result => result?,
        }
        match key.put(deployment).await {
            Ok(true) => Ok(Progress::Ready(())),
            Ok(false) => Err(gone()),
            Err(error) if is_overtaken(&error) => Ok(overtaken(&self.client)),
            Err(error) => Err(error),
        }
    }

    /// Shows a server.
    async fn switch_server(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<(), CloudError> {
        let missing = || {
            let message = "what the deployment ran on is gone: deploy again";
            CloudError::new(ErrorKind::NotFound, "SERVICE_GONE", message)
        };
        let group = targets(scope, deployment).await?.ok_or_else(missing)?;
        let rule = RuleState::get(&self.client, scope).await?.ok_or_else(missing)?;
        let routes = rule.routes.clone().showing(&group);
        rule.set(&self.client, scope, &routes).await
    }

    /// The server that visitors see: target groups carry their deployment's tag.
    async fn shown_server(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let Some(rule) = RuleState::get(&self.client, scope).await? else { return Ok(None) };
        let Some(group) = rule.routes.shown() else { return Ok(None) };
        let tags = balancing::tags(&self.client, scope.region, group).await?;
        Ok(tags.get(DEPLOYMENT_TAG).and_then(|id| id.parse().ok()))
    }
}

/// The key of a distribution's host; `None` while its host is not known.
fn key<'a>(client: &'a Client, entry: &'a Entry) -> Option<HostKey<'a>> {
    Some(HostKey { client, store: entry.outputs.get(STORE)?, host: entry.outputs.get(HOST)? })
}

fn overtaken<T>(client: &Client) -> Progress<T> {
    Progress::Pending(client.wait("the key-value store of CloudFront, which others write to", OVERTAKEN))
}

/// Makes an environment show nothing; where a deployment is named, only if it shows that one.
pub(crate) async fn clear(client: &Client, scope: &Scope<'_>, only: Option<DeploymentId>) -> Result<Progress, CloudError> {
    let Some(entry) = distribution_entry(scope).await? else { return Ok(Progress::Ready(())) };
    let Some(key) = key(client, &entry) else { return Ok(Progress::Ready(())) };
    match key.clear(only).await {
        Err(error) if is_overtaken(&error) => Ok(overtaken(client)),
        result => result.map(Progress::Ready),
    }
}

fn gone() -> CloudError {
    CloudError::new(
        ErrorKind::NotFound,
        "DISTRIBUTION_GONE",
        "the CloudFront distribution is gone: deploy again, which makes it anew",
    )
}

#[async_trait]
impl Traffic for AwsTraffic {
    async fn switch(&self, scope: &Scope<'_>, route: &Route) -> Result<Progress<Address>, CloudError> {
        let entry = distribution_entry(scope).await?.ok_or_else(gone)?;
        let host = entry.outputs.get(HOST).ok_or_else(gone)?;
        match route.kind {
            WorkloadKind::Server => self.switch_server(scope, route.deployment_id).await?,
            WorkloadKind::Static | WorkloadKind::Functions => {
                ready!(self.switch_site(scope, &entry, route.deployment_id).await?);
            }
        }
        Ok(Progress::Ready(self.client.wire().public(host)))
    }

    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let Some(entry) = distribution_entry(scope).await? else { return Ok(None) };
        if kind_of(&entry) == Some(WorkloadKind::Server) {
            return self.shown_server(scope).await;
        }
        let Some(key) = key(&self.client, &entry) else { return Ok(None) };
        key.get().await
    }

    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        ready!(clear(&self.client, scope, None).await?);
        let owner = Owner::Placement(place(scope)?.placement);
        remove_all(&Kinds { client: &self.client, region: scope.region }, scope, owner).await
    }
}
