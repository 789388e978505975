//! Bases: what environments of an account and region share.

use std::time::Duration;

use clouds_contract::guard::Call;
use clouds_contract::{Base, CloudError, ErrorKind, Found, Outputs, Owner, Progress, Scope, ensure, ready};
use http::Method;
use serde_json::{Value, json};

use crate::arm::{Arm, Resource, Thing};
use crate::types::{ENVIRONMENT, GROUP, IDENTITY, PROVIDERS, REGISTRY, ROLE_ASSIGNMENT, WORKSPACE};

/// Version of the API of providers.
const PROVIDERS_VERSION: &str = "2025-04-01";

/// Role that may pull images (learn.microsoft.com, "Azure built-in roles", `AcrPull`).
const ACR_PULL: &str = "7f951dda-4ed3-4680-a7ca-43fe172d538d";

/// Pause between two looks at the registration of a provider.
const REGISTERING: Duration = Duration::from_secs(5);

/// Pause while Azure does not know a new identity yet.
const SPREADING: Duration = Duration::from_secs(5);

/// One base being made.
pub struct Making<'a> {
    /// The client.
    pub arm: &'a Arm,
    /// Its owner in the journal.
    pub owner: Owner,
    /// Place and journal.
    pub scope: &'a Scope<'a>,
}

impl Making<'_> {
    /// Makes a base, or brings it up to date.
    pub async fn prepare(&self, base: Base) -> Result<Progress<Outputs>, CloudError> {
        // Nothing is made before all of them are known, so that one look is enough.
        if self.scope.journal.entries(self.owner).await?.is_empty() {
            ready!(self.register().await?);
        }
        let location = json!({"location": self.scope.region});
        let group = ready!(self.make(GROUP, "group", Some(self.arm.subscription()), location).await?);
        let mut outputs = group.outputs.clone();
        if base == Base::Containers {
            outputs.extend(ready!(self.containers(&group.id).await?));
        }
        Ok(Progress::Ready(outputs))
    }

    /// Registers the providers that the subscription does not know yet.
    async fn register(&self) -> Result<Progress, CloudError> {
        let mut waiting = Vec::new();
        for provider in PROVIDERS {
            let path = format!("{}/providers/{provider}", self.arm.subscription());
            let call = Call::freely("Microsoft.Resources", "providers.get");
            let state = self.arm.get(call, &path, PROVIDERS_VERSION).await?.unwrap_or_default();
            match state["registrationState"].as_str() {
                Some("Registered") => {}
                Some("Registering") => waiting.push(provider),
                _ => {
                    let call = Call::freely("Microsoft.Resources", "providers.register");
                    self.arm.send(call, Method::POST, &format!("{path}/register"), PROVIDERS_VERSION, None).await?;
                    waiting.push(provider);
                }
            }
        }
        if waiting.is_empty() {
            return Ok(Progress::Ready(()));
        }
        Ok(Progress::pending(format!("Azure to register {}", waiting.join(", ")), self.arm.wire().pace(REGISTERING)))
    }

    /// Everything that container apps need around them.
    async fn containers(&self, group: &str) -> Result<Progress<Outputs>, CloudError> {
        let region = self.scope.region;
        let at = || Some(group.to_owned());
        let workspace = json!({"location": region, "properties": {"sku": {"name": "PerGB2018"}, "retentionInDays": 30}});
        let workspace = ready!(self.make(WORKSPACE, "logs", at(), workspace).await?);
        let identity = ready!(self.make(IDENTITY, "pull", at(), json!({"location": region})).await?);
        let registry = json!({"location": region, "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": false}});
        let registry = ready!(self.make(REGISTRY, "images", at(), registry).await?);
        ready!(self.may_pull(&registry.id, output(&identity, "identity_principal")?).await?);
        let key = self.workspace_key(&workspace.id).await?;
        let logs = json!({
            "destination": "log-analytics",
            "logAnalyticsConfiguration": {"customerId": output(&workspace, "workspace_customer")?, "sharedKey": key},
        });
        let environment = json!({
            "location": region,
            "properties": {
                "appLogsConfiguration": logs,
                "workloadProfiles": [{"name": "Consumption", "workloadProfileType": "Consumption"}],
            },
        });
        let environment = ready!(self.make(ENVIRONMENT, "apps", at(), environment).await?);
        let found = [workspace, identity, registry, environment];
        Ok(Progress::Ready(found.into_iter().flat_map(|found| found.outputs).collect()))
    }

    /// Lets the identity pull from the registry. A new identity takes a while until Azure knows it everywhere.
    async fn may_pull(&self, registry: &str, principal: &str) -> Result<Progress, CloudError> {
        let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{ACR_PULL}", self.arm.subscription());
        let body =
            json!({"properties": {"roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal"}});
        match self.make(ROLE_ASSIGNMENT, "pull", Some(registry.to_owned()), body).await {
            Ok(progress) => Ok(progress.map(drop)),
            Err(error) if vendor_code(&error) == Some("PrincipalNotFound") => {
                Ok(Progress::pending("Azure to know the new identity everywhere", self.arm.wire().pace(SPREADING)))
            }
            Err(error) => Err(error),
        }
    }

    /// The key by which the environment writes into the workspace. It is asked for each time, and never stored.
    async fn workspace_key(&self, workspace: &str) -> Result<Value, CloudError> {
        let call = Call::freely("Microsoft.OperationalInsights", "workspaces.sharedKeys");
        let path = format!("{workspace}/sharedKeys");
        let answer = self.arm.send(call, Method::POST, &path, WORKSPACE.api_version, None).await?;
        Ok(answer.body["primarySharedKey"].clone())
    }

    async fn make(
        &self,
        resource: Resource,
        purpose: &'static str,
        parent: Option<String>,
        body: Value,
    ) -> Result<Progress<Found>, CloudError> {
        let (arm, owner, whose) = (self.arm, self.owner, &self.scope.whose);
        ensure(&Thing { arm, resource, purpose, owner, whose, parent, body }, self.scope).await
    }
}

fn output<'f>(found: &'f Found, name: &str) -> Result<&'f str, CloudError> {
    found.outputs.get(name).map(String::as_str).ok_or_else(|| {
        CloudError::new(ErrorKind::Unavailable, "INCOMPLETE", format!("Azure does not say the {name} of {} yet", found.id))
    })
}

fn vendor_code(error: &CloudError) -> Option<&str> {
    error.context()?.vendor_code.as_deref()
}
