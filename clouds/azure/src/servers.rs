//! Servers as revisions of a container app.

use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::guard::Call;
use clouds_contract::{
    CloudError, Desired, EntryState, ErrorKind, FoundState, Observation, Owner, Progress, Provider, Scope, Started, ensure,
    ready, remove_all,
};
use domain::event::NewLine;
use domain::id::DeploymentId;
use domain::time::now;
use domain::workload::Server;
use http::Method;
use images::Collection;
use serde_json::{Value, json};

use crate::about::VARIABLE_BYTES;
use crate::arm::{Arm, Thing, ready_when_succeeded};
use crate::catalogue::Kinds;
use crate::image::Pushed;
use crate::revision::{Revision, revision_path, state_of, suffix, traffic};
use crate::template::Template;
use crate::traffic::entry;
use crate::types::APP;

/// Servers.
pub struct Servers {
    /// The client.
    pub arm: Arc<Arm>,
    /// Source of base images.
    pub bases: Collection,
}

#[async_trait]
impl Provider<Server> for Servers {
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<Progress<Started>, CloudError> {
        let arm = self.arm.as_ref();
        let registry = base(scope, "registry_host")?;
        let (image, port) = ready!(self.pushed(scope, desired, registry).await?);
        let template = Template {
            deployment: desired.deployment_id,
            suffix: suffix(desired.deployment_id),
            image,
            server: desired.spec.clone(),
            port,
            variables: checked(scope.inputs.variables(desired.deployment_id).await?)?,
            identity: base(scope, "identity")?.to_owned(),
            registry: registry.to_owned(),
            environment: base(scope, "environment")?.to_owned(),
            region: scope.region.to_owned(),
        };
        let app = ready!(self.app(scope, &template).await?);
        let revision = Revision::of(arm, app.clone(), desired.deployment_id, &template);
        // Whether it starts is for `observe`: here it is enough that it was asked for.
        if let Progress::Pending(wait) = ensure(&revision, scope).await?
            && !self.exists(&app, &template.suffix).await?
        {
            return Ok(Progress::Pending(wait));
        }
        let host = ready!(self.label(&app, &template.suffix).await?);
        Ok(Progress::Ready(Started { address: host.map(|host| arm.wire().public(&host)) }))
    }

    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
        let Some(path) = self.revision(scope, deployment).await? else { return Ok(Observation::Absent) };
        let call = Call::freely("Microsoft.App", "revisions.get");
        let Some(body) = self.arm.get(call, &path, APP.api_version).await? else { return Ok(Observation::Absent) };
        Ok(match state_of(&body, |wait| self.arm.wire().pace(wait)) {
            FoundState::Ready => Observation::Ready { since: now() },
            FoundState::Failed { code, message } => Observation::Failed { code: code.to_owned(), message },
            FoundState::Making(wait) | FoundState::Going(wait) => Observation::Pending { detail: wait.detail },
        })
    }

    async fn rest(&self, _scope: &Scope<'_>, _deployment: DeploymentId) -> Result<Progress, CloudError> {
        // A revision that nobody visits has no replicas: it costs nothing, and its own address goes on.
        Ok(Progress::Ready(()))
    }

    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        let kinds = Kinds { arm: &self.arm, whose: &scope.whose };
        remove_all(&kinds, scope, Owner::Deployment(deployment)).await
    }
}

impl Servers {
    /// Name and port of the deployment's image, once it is in the registry. It is put together once, not at each look.
    async fn pushed(
        &self,
        scope: &Scope<'_>,
        desired: &Desired<Server>,
        registry: &str,
    ) -> Result<Progress<(String, u16)>, CloudError> {
        let entries = scope.journal.entries(Owner::Deployment(desired.deployment_id)).await?;
        let there = entries.into_iter().find(|entry| entry.kind == Pushed::KIND && entry.state == EntryState::There);
        if let Some((image, port)) = there.and_then(|entry| Pushed::made(&entry)) {
            return Ok(Progress::Ready((image, port)));
        }
        let directory = scope.inputs.artifact(&desired.artifact).await?;
        let way = (self.arm.wire(), self.arm.guards());
        let image = self.bases.image(&directory, desired, "Container Apps", way).await?;
        for note in &image.notes {
            scope.log.write(vec![NewLine::system(note.clone())]).await?;
        }
        let pushed = Pushed::of(&self.arm, registry.to_owned(), desired.deployment_id, &image, scope);
        let found = ready!(ensure(&pushed, scope).await?);
        Ok(Progress::Ready((found.id, image.port)))
    }

    /// The environment's app. Its first deployment is in it from the beginning.
    async fn app(&self, scope: &Scope<'_>, template: &Template) -> Result<Progress<String>, CloudError> {
        let Some(environment) = &scope.whose.environment else {
            return Err(CloudError::internal("a server without an environment", "the scope has none"));
        };
        let app = Thing {
            arm: &self.arm,
            resource: APP,
            purpose: "app",
            owner: Owner::Placement(environment.placement),
            whose: &scope.whose,
            parent: Some(base(scope, "group")?.to_owned()),
            // Revisions are added to it one by one.
            body: template.of_app(),
        };
        Ok(ensure(&app, scope).await?.map(|found| found.id))
    }

    async fn exists(&self, app: &str, suffix: &str) -> Result<bool, CloudError> {
        let path = revision_path(app, suffix);
        Ok(self.arm.get(Call::freely("Microsoft.App", "revisions.get"), &path, APP.api_version).await?.is_some())
    }

    /// Path of a deployment's revision, if there is an app for it to be of.
    async fn revision(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Option<String>, CloudError> {
        let app = entry(scope, APP.kind).await?.and_then(|entry| entry.external_id);
        Ok(app.map(|app| revision_path(&app, &suffix(deployment))))
    }

    /// Gives a revision the label of its own address, and returns the host of that. Visitors stay where they are.
    async fn label(&self, app: &str, suffix: &str) -> Result<Progress<Option<String>>, CloudError> {
        let present = ready!(settled(&self.arm, app).await?);
        let ingress = &present["properties"]["configuration"]["ingress"];
        let host = ingress["fqdn"].as_str().map(|host| labelled(host, suffix));
        let entries = ingress["traffic"].as_array().cloned().unwrap_or_default();
        if entries.iter().any(|entry| entry["label"] == suffix) {
            return Ok(Progress::Ready(host));
        }
        let name = app.rsplit('/').next().unwrap_or_default();
        let own = format!("{name}--{suffix}");
        let shown = shown(&present).unwrap_or_else(|| own.clone());
        let entries = traffic(&entries, &shown, &[(own, suffix.to_owned())]);
        ready!(route(&self.arm, app, &entries).await?);
        Ok(Progress::Ready(host))
    }
}

/// The app, once no change of it is under way.
pub async fn settled(arm: &Arm, app: &str) -> Result<Progress<Value>, CloudError> {
    let Some(present) = arm.get(Call::freely("Microsoft.App", "containerApps.get"), app, APP.api_version).await? else {
        return Err(CloudError::new(ErrorKind::NotFound, "NOT_FOUND", "the container app is gone: deploy again"));
    };
    match ready_when_succeeded(&present) {
        FoundState::Making(wait) | FoundState::Going(wait) => {
            Ok(Progress::pending("Azure to be done with the container app", arm.wire().pace(wait.retry_after)))
        }
        FoundState::Ready | FoundState::Failed { .. } => Ok(Progress::Ready(present)),
    }
}

/// Name of the revision that has the visitors.
pub fn shown(app: &Value) -> Option<String> {
    let latest = app["properties"]["latestRevisionName"].as_str();
    let traffic = app["properties"]["configuration"]["ingress"]["traffic"].as_array()?;
    let entry = traffic.iter().find(|entry| entry["weight"].as_i64().unwrap_or_default() > 0)?;
    if entry["latestRevision"] == true { latest } else { entry["revisionName"].as_str() }.map(str::to_owned)
}

/// Changes who sees what. The change is over once the app is settled.
pub async fn route(arm: &Arm, app: &str, traffic: &Value) -> Result<Progress, CloudError> {
    let body = json!({"properties": {"configuration": {"ingress": {"traffic": traffic}}}});
    let call = Call::freely("Microsoft.App", "containerApps.traffic");
    match arm.send(call, Method::PATCH, app, APP.api_version, Some(&body)).await {
        Ok(_) => settled(arm, app).await.map(|progress| progress.map(drop)),
        Err(error) if error.kind == ErrorKind::Busy => {
            Ok(Progress::pending("Azure to be done with the container app", arm.wire().pace(std::time::Duration::from_secs(3))))
        }
        Err(error) => Err(error),
    }
}

/// The host of a label: `<app>---<label>.<domain>` (learn.microsoft.com, "Traffic splitting in Azure Container Apps").
fn labelled(host: &str, label: &str) -> String {
    match host.split_once('.') {
        Some((app, domain)) => format!("{app}---{label}.{domain}"),
        None => host.to_owned(),
    }
}

fn base<'s>(scope: &'s Scope<'_>, name: &str) -> Result<&'s str, CloudError> {
    scope.base.get(name).map(String::as_str).ok_or_else(|| {
        CloudError::new(ErrorKind::Internal, "INTERNAL", format!("the base has no `{name}`: it was made by another version"))
    })
}

/// Variables, once it is clear that Azure takes them.
fn checked(variables: Vec<(String, domain::secret::Secret)>) -> Result<Vec<(String, domain::secret::Secret)>, CloudError> {
    match variables.iter().find(|(_, value)| value.expose().len() > VARIABLE_BYTES) {
        None => Ok(variables),
        Some((name, _)) => {
            let message = format!(
                "the variable `{name}` is longer than {VARIABLE_BYTES} bytes, the most that Azure takes: make it shorter"
            );
            Err(CloudError::new(ErrorKind::Invalid, "VARIABLE_TOO_LONG", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_label_is_a_name_beside_the_apps() {
        assert_eq!(
            labelled("mc-shop-1.kind.eastus.azurecontainerapps.io", "d1"),
            "mc-shop-1---d1.kind.eastus.azurecontainerapps.io"
        );
    }

    #[test]
    fn what_is_shown_is_the_revision_with_the_visitors() {
        let app = |traffic: Value| json!({"properties": {"latestRevisionName": "a--d2", "configuration": {"ingress": {"traffic": traffic}}}});
        assert_eq!(shown(&app(json!([{"latestRevision": true, "weight": 100}]))).unwrap(), "a--d2");
        let named = json!([{"revisionName": "a--d2", "weight": 0}, {"revisionName": "a--d1", "weight": 100}]);
        assert_eq!(shown(&app(named)).unwrap(), "a--d1");
        assert_eq!(shown(&app(json!([]))), None);
    }
}
