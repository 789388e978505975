//! Servers: an image of the deployment, run by Cloud Run.

use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::{CloudError, Desired, ErrorKind, Observation, Progress, Provider, Scope, Started, ensure, ready};
use domain::event::NewLine;
use domain::id::DeploymentId;
use domain::workload::Server;
use images::docker_archive;

use crate::client::Client;
use crate::managed::{Content, From, ImageThing, Make, SecretThing, ensure_image};
use crate::release::Release;
use crate::service::tag;
use crate::sizes::{Size, size};
use crate::template::{Template, Variable};
use crate::variables::passed;

/// Output of the base `containers`: the repository of images.
pub(crate) const IMAGES: &str = "gcp_images";

/// Output of the base `containers`: the service account that servers run as.
pub(crate) const RUN_ACCOUNT: &str = "gcp_run_account";

/// Port of a server that has none of its own.
const PORT: u16 = 8080;

/// Servers of an account.
pub(crate) struct Servers {
    client: Arc<Client>,
}

/// Value of a base.
pub(crate) fn of_base<'a>(scope: &'a Scope<'_>, name: &str) -> Result<&'a str, CloudError> {
    let missing = || CloudError::new(ErrorKind::Internal, "INTERNAL", format!("the place for containers has no {name}"));
    scope.base.get(name).map(String::as_str).ok_or_else(missing)
}

impl Servers {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    fn release<'a>(&'a self, scope: &'a Scope<'_>, deployment: DeploymentId) -> Release<'a> {
        Release { client: &self.client, scope, deployment }
    }

    /// Makes everything that a revision needs.
    async fn template(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<Progress<Template>, CloudError> {
        let release = self.release(scope, desired.deployment_id);
        let account = of_base(scope, RUN_ACCOUNT)?;
        let (values, reserved) = passed(scope.inputs.variables(desired.deployment_id).await?)?;
        let image = ready!(self.image(scope, desired).await?);
        let mut variables = Vec::new();
        if desired.spec.image.is_some() {
            // An image that we put together has them already.
            let own = desired.spec.env.iter().filter(|(name, _)| !values.iter().any(|(other, _)| other == name));
            variables.extend(own.map(|(name, value)| (name.clone(), Variable::Plain(value.clone()))));
        }
        for (name, value) in values {
            let content = Content { value, reader: account.to_owned(), labels: release.labels() };
            let thing =
                SecretThing { client: &self.client, owner: release.owner(), variable: name.clone(), content: Some(content) };
            let secret = ready!(ensure(&thing, scope).await?);
            let version = secret.outputs.get("version").cloned().unwrap_or_else(|| "1".to_owned());
            variables.push((name, Variable::Secret { name: secret.id, version }));
        }
        let size = size(desired.spec.cpu, desired.spec.memory_mib);
        say(scope, desired, &reserved, size).await?;
        Ok(Progress::Ready(Template {
            image,
            arguments: Vec::new(),
            mount: None,
            port: self.port(scope, desired).await?,
            variables,
            size,
            replicas: desired.spec.replicas,
            account: account.to_owned(),
            health_path: Some(desired.spec.health_path.clone()),
            labels: release.labels(),
        }))
    }

    /// Reference of the image, by digest.
    async fn image(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<Progress<String>, CloudError> {
        let thing = ImageThing {
            client: &self.client,
            owner: self.release(scope, desired.deployment_id).owner(),
            purpose: "app".to_owned(),
            region: scope.region.to_owned(),
            tag: tag(desired.deployment_id),
            make: Some(Make { scope, from: From::Server(desired) }),
        };
        ensure_image(&thing, scope, of_base(scope, IMAGES)?).await
    }

    async fn port(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<u16, CloudError> {
        let Some(settings) = &desired.spec.image else { return Ok(desired.spec.port.unwrap_or(PORT)) };
        let directory = scope.inputs.artifact(&desired.artifact).await?;
        docker_archive::port(&directory.join(docker_archive::ARCHIVE), settings.port).await
    }
}

/// Says in the log what is other than asked for.
async fn say(scope: &Scope<'_>, desired: &Desired<Server>, reserved: &[String], size: Size) -> Result<(), CloudError> {
    let mut lines = Vec::new();
    if !reserved.is_empty() {
        lines.push(format!("Cloud Run sets {} itself: the environment's values are not used", reserved.join(", ")));
    }
    if f64::from(size.cpu) > desired.spec.cpu || size.memory_mib != desired.spec.memory_mib {
        lines.push(format!("Cloud Run gives each instance {} CPU and {} MiB, the next size it has", size.cpu, size.memory_mib));
    }
    if lines.is_empty() {
        return Ok(());
    }
    scope.log.write(lines.into_iter().map(NewLine::system).collect()).await
}

#[async_trait]
impl Provider<Server> for Servers {
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<Progress<Started>, CloudError> {
        let release = self.release(scope, desired.deployment_id);
        if release.is_made().await? {
            return release.make(None).await;
        }
        let template = ready!(self.template(scope, desired).await?);
        self.release(scope, desired.deployment_id).make(Some(&template)).await
    }

    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
        self.release(scope, deployment).observe().await
    }

    /// A revision without traffic has no instances: there is nothing to stop.
    async fn rest(&self, _scope: &Scope<'_>, _deployment: DeploymentId) -> Result<Progress, CloudError> {
        Ok(Progress::Ready(()))
    }

    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        self.release(scope, deployment).delete().await
    }
}
