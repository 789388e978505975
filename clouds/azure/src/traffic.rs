//! Switching visitors: by weights of a container app's revisions, or by the files of a website.

use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::guard::Call;
use clouds_contract::{Address, CloudError, Entry, Owner, Progress, Route, Scope, Traffic, ready, remove_all};
use domain::id::DeploymentId;
use domain::workload::WorkloadKind;

use crate::arm::Arm;
use crate::catalogue::Kinds;
use crate::revision::{suffix, traffic};
use crate::servers::{route, settled, shown};
use crate::sites::Sites;
use crate::template::DEPLOYMENT;
use crate::types::APP;

/// Switches visitors.
pub struct Switch {
    /// The client.
    pub arm: Arc<Arm>,
    /// Websites.
    pub sites: Arc<Sites>,
}

#[async_trait]
impl Traffic for Switch {
    async fn switch(&self, scope: &Scope<'_>, to: &Route) -> Result<Progress<Address>, CloudError> {
        if to.kind == WorkloadKind::Static {
            return self.sites.publish(scope, to.deployment_id).await;
        }
        let Some(app) = entry(scope, APP.kind).await?.and_then(|entry| entry.external_id) else {
            return Err(CloudError::internal("the environment's container app is not in the journal", "it was not applied"));
        };
        let present = ready!(settled(&self.arm, &app).await?);
        let ingress = &present["properties"]["configuration"]["ingress"];
        let (suffix, name) = (suffix(to.deployment_id), app.rsplit('/').next().unwrap_or_default());
        let own = format!("{name}--{suffix}");
        if shown(&present).as_deref() != Some(own.as_str()) {
            let entries = traffic(ingress["traffic"].as_array().map_or(&[], Vec::as_slice), &own, &[(own.clone(), suffix)]);
            ready!(route(&self.arm, &app, &entries).await?);
        }
        self.sites.hide(scope).await?;
        let host = ingress["fqdn"].as_str().unwrap_or_default();
        Ok(Progress::Ready(self.arm.wire().public(host)))
    }

    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let site = self.sites.shown(scope).await?;
        let shown = if site.is_some() { site } else { self.shown_server(scope).await? };
        // One that was removed while it was shown is gone for everybody but the last visitors.
        match shown {
            Some(id) if site.is_some() || !scope.journal.entries(Owner::Deployment(id)).await?.is_empty() => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        let Some(environment) = &scope.whose.environment else { return Ok(Progress::Ready(())) };
        let kinds = Kinds { arm: &self.arm, whose: &scope.whose };
        remove_all(&kinds, scope, Owner::Placement(environment.placement)).await
    }
}

impl Switch {
    /// The deployment whose revision has the visitors.
    async fn shown_server(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        let Some(app) = entry(scope, APP.kind).await?.and_then(|entry| entry.external_id) else { return Ok(None) };
        let present = self.arm.get(Call::freely("Microsoft.App", "containerApps.get"), &app, APP.api_version).await?;
        let Some(name) = present.as_ref().and_then(shown) else { return Ok(None) };
        let path = format!("{app}/revisions/{name}");
        let revision = self.arm.get(Call::freely("Microsoft.App", "revisions.get"), &path, APP.api_version).await?;
        let variables = revision.unwrap_or_default()["properties"]["template"]["containers"][0]["env"].take();
        let found = variables.as_array().into_iter().flatten().find(|variable| variable["name"] == DEPLOYMENT);
        Ok(found.and_then(|variable| variable["value"].as_str()?.parse().ok()))
    }
}

/// The environment's own thing of a kind.
pub async fn entry(scope: &Scope<'_>, kind: &str) -> Result<Option<Entry>, CloudError> {
    let Some(environment) = &scope.whose.environment else { return Ok(None) };
    let entries = scope.journal.entries(Owner::Placement(environment.placement)).await?;
    Ok(entries.into_iter().find(|entry| entry.kind == kind))
}
