//! Visitors of an environment: its service sends them to one revision.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{Address, CloudError, ErrorKind, Owner, Progress, Route, Scope, Traffic, ready, remove, remove_all};
use domain::id::DeploymentId;
use serde_json::Value;

use crate::catalogue::{Kinds, service_name};
use crate::client::Client;
use crate::managed::ServiceThing;
use crate::managed::revision::{deployment, revision};
use crate::managed::service::{get, set_traffic};
use crate::release::{place, remove_handed_over};
use crate::service::{self, failure, host, is_changing};

/// Pause while visitors are being sent elsewhere.
const SWITCHING: Duration = Duration::from_secs(1);

/// Traffic of the services of an account.
pub(crate) struct ServiceTraffic {
    client: Arc<Client>,
}

impl ServiceTraffic {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    async fn service(&self, scope: &Scope<'_>) -> Result<Option<(String, Value)>, CloudError> {
        let Some(name) = service_name(scope.journal, scope).await? else { return Ok(None) };
        Ok(get(&self.client, scope.region, &name).await?.map(|service| (name, service)))
    }

    fn pending<T>(&self) -> Progress<T> {
        Progress::Pending(self.client.wait("Cloud Run to send visitors to the new revision", SWITCHING))
    }

    fn address(&self, service: &Value) -> Result<Address, CloudError> {
        let missing = || CloudError::new(ErrorKind::Unavailable, "NO_ADDRESS", "the Cloud Run service has no address yet");
        service["uri"].as_str().and_then(host).map(|host| self.client.wire.public(host)).ok_or_else(missing)
    }
}

#[async_trait]
impl Traffic for ServiceTraffic {
    async fn switch(&self, scope: &Scope<'_>, route: &Route) -> Result<Progress<Address>, CloudError> {
        let Some((name, service)) = self.service(scope).await? else {
            let message = "the Cloud Run service is gone: deploy again, which makes it anew";
            return Err(CloudError::new(ErrorKind::NotFound, "SERVICE_GONE", message));
        };
        if is_changing(&service) {
            return Ok(self.pending());
        }
        let wanted = service::revision(&name, route.deployment_id);
        // The service sends visitors where it was told to, and to nobody by chance: a target that follows the newest is replaced.
        let is_asked = service::Traffic::wanted(&service).showing(&wanted).write() == service["traffic"];
        if is_asked && service::Traffic::present(&service).shown() == Some(wanted.as_str()) {
            remove_handed_over(&self.client, scope, &service).await?;
            return Ok(Progress::Ready(self.address(&service)?));
        }
        if is_asked && let Some(message) = failure(&service) {
            let message = format!("Cloud Run does not send visitors to the deployment: {message}");
            return Err(CloudError::new(ErrorKind::Invalid, "SWITCH_FAILED", message));
        }
        let traffic = service::Traffic::wanted(&service).settled(&service).showing(&wanted);
        match set_traffic(&self.client, &service, &traffic).await {
            Ok(_) => Ok(self.pending()),
            // Looked at again: it may be done, or somebody else was faster.
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::Ambiguous | ErrorKind::Busy) => {
                Ok(self.pending())
            }
            Err(error) => Err(error),
        }
    }

    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let Some((name, service)) = self.service(scope).await? else { return Ok(None) };
        let present = service::Traffic::present(&service);
        let Some(shown) = present.shown() else { return Ok(None) };
        let found = revision(&self.client, scope.region, &name, shown).await?;
        Ok(found.as_ref().and_then(deployment))
    }

    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        let placement = place(scope)?.placement;
        let region = scope.region.to_owned();
        // First the service: its newest revision goes with it alone.
        let service = ServiceThing { client: &self.client, placement, region, labels: Value::Null, first: None };
        ready!(remove(&service, scope).await?);
        let kinds = Kinds::of(&self.client, scope).await?;
        remove_all(&kinds, scope, Owner::Placement(placement)).await
    }
}
