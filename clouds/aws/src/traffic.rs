//! Visitors of an environment: the key of its host names the deployment that they see.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Address, CloudError, Entry, ErrorKind, Owner, Progress, Route, Scope, Traffic, ready, remove_all};
use domain::id::DeploymentId;

use crate::answer::is_overtaken;
use crate::catalogue::Kinds;
use crate::client::Client;
use crate::keys::HostKey;
use crate::managed::distribution::{BUCKET, HOST, STORE, place_name};
use crate::managed::files::{missing_page, short};
use crate::managed::objects::Objects;
use crate::static_site::{distribution_entry, place};

/// Pause before a key is written again that somebody else was faster at.
const OVERTAKEN: Duration = Duration::from_secs(1);

/// Traffic of the distributions of an account.
pub(crate) struct KeyTraffic {
    client: Arc<Client>,
}

impl KeyTraffic {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
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
impl Traffic for KeyTraffic {
    async fn switch(&self, scope: &Scope<'_>, route: &Route) -> Result<Progress<Address>, CloudError> {
        let entry = distribution_entry(scope).await?.ok_or_else(gone)?;
        let (key, bucket) = key(&self.client, &entry).zip(entry.outputs.get(BUCKET)).ok_or_else(gone)?;
        if key.get().await? != Some(route.deployment_id) {
            let objects = Objects { client: &self.client, region: scope.region, bucket };
            let page = missing_page(&place_name(place(scope)?.placement));
            match objects.copy(&missing_page(&short(route.deployment_id)), &page).await {
                Err(error) if error.kind == ErrorKind::NotFound => {
                    let message = "the files of the deployment are gone: deploy again";
                    return Err(CloudError::new(ErrorKind::NotFound, "FILES_GONE", message).caused_by(error));
                }
                result => result?,
            }
            match key.put(route.deployment_id).await {
                Ok(true) => {}
                Ok(false) => return Err(gone()),
                Err(error) if is_overtaken(&error) => return Ok(overtaken(&self.client)),
                Err(error) => return Err(error),
            }
        }
        Ok(Progress::Ready(self.client.wire().public(key.host)))
    }

    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let Some(entry) = distribution_entry(scope).await? else { return Ok(None) };
        let Some(key) = key(&self.client, &entry) else { return Ok(None) };
        key.get().await
    }

    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        ready!(clear(&self.client, scope, None).await?);
        let owner = Owner::Placement(place(scope)?.placement);
        remove_all(&Kinds { client: &self.client, region: scope.region }, scope, owner).await
    }
}
