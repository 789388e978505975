//! A subscription as an account: who we are in it, what we may do, and what is there because of us.

use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::guard::Call;
use clouds_contract::{
    Account, Base, CloudError, ErrorKind, INSTALLATION_TAG, Outputs, Owner, Progress, Scope, Tagged, Verification, remove_all,
};
use domain::cloud::{Check, CheckOutcome};
use domain::id::BaseId;
use serde_json::Value;

use crate::arm::Arm;
use crate::base::Making;
use crate::catalogue::{Kinds, TYPES};
use crate::permissions::{ACTIONS, DATA_ACTIONS, Granted, allows, allows_data, registration, remedy};
use crate::types::{GROUP, PROVIDERS};

/// Version of the API of subscriptions.
const SUBSCRIPTIONS: &str = "2022-12-01";

/// Version of the API of permissions.
const PERMISSIONS: &str = "2022-04-01";

/// A subscription.
pub struct AzureAccount {
    /// The client.
    pub arm: Arc<Arm>,
    /// The installation of MikroCloud.
    pub installation: String,
}

#[async_trait]
impl Account for AzureAccount {
    async fn verify(&self, region: &str) -> Result<Verification, CloudError> {
        let subscription = self.arm.subscription();
        let call = Call::freely("Microsoft.Resources", "subscriptions.get");
        let found = self.arm.get(call, &subscription, SUBSCRIPTIONS).await?;
        let found = found.ok_or_else(|| {
            let message = "the application may see nothing in this subscription: give it the role that `mikrocloud clouds policy azure` prints";
            CloudError::new(ErrorKind::Denied, "NO_SUBSCRIPTION", message)
        })?;
        let principal = format!("application {}", self.arm.login().client());
        let mut checks = vec![enabled(&found), self.known_region(region).await?];
        let call = Call::freely("Microsoft.Authorization", "permissions.list");
        let path = format!("{subscription}/providers/Microsoft.Authorization/permissions");
        let roles = self.arm.list(call, &path, PERMISSIONS).await?;
        let roles: Vec<Granted> = roles.into_iter().filter_map(|role| serde_json::from_value(role).ok()).collect();
        checks.extend(ACTIONS.iter().map(|action| check(action, allows(&roles, action))));
        checks.extend(
            PROVIDERS.iter().map(|provider| registration(provider)).map(|action| check(&action, allows(&roles, &action))),
        );
        checks.extend(DATA_ACTIONS.iter().map(|action| check(action, allows_data(&roles, action))));
        Ok(Verification { principal, checks })
    }

    async fn prepare(&self, base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress<Outputs>, CloudError> {
        Making { arm: &self.arm, owner: Owner::Base(id), scope }.prepare(base).await
    }

    async fn dismantle(&self, _base: Base, id: BaseId, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        remove_all(&Kinds { arm: &self.arm, whose: &scope.whose }, scope, Owner::Base(id)).await
    }

    async fn tagged(&self, region: &str) -> Result<Vec<Tagged>, CloudError> {
        let filter = format!("tagName%20eq%20'{INSTALLATION_TAG}'%20and%20tagValue%20eq%20'{}'", self.installation);
        let mut found = Vec::new();
        for list in ["resources", "resourcegroups"] {
            let path = format!("{}/{list}?$filter={filter}", self.arm.subscription());
            let call = Call::freely("Microsoft.Resources", "resources.list");
            let here = self.arm.list(call, &path, GROUP.api_version).await?;
            found.extend(here.into_iter().filter(|thing| thing["location"] == region).filter_map(|thing| tagged(&thing)));
        }
        Ok(found)
    }
}

impl AzureAccount {
    async fn known_region(&self, region: &str) -> Result<Check, CloudError> {
        let path = format!("{}/locations", self.arm.subscription());
        let call = Call::freely("Microsoft.Resources", "locations.list");
        let locations = self.arm.list(call, &path, SUBSCRIPTIONS).await?;
        let is_there = locations.is_empty() || locations.iter().any(|location| location["name"] == region);
        let remedy =
            format!("the subscription may not use the region {region}: choose another with `mikrocloud clouds update --region`");
        Ok(state(&format!("region {region}"), is_there, remedy))
    }
}

fn enabled(subscription: &Value) -> Check {
    let is_enabled = subscription["state"] == "Enabled";
    state("subscription enabled", is_enabled, "the subscription is disabled: enable it in the portal".to_owned())
}

fn check(action: &str, is_granted: bool) -> Check {
    state(action, is_granted, remedy(action))
}

fn state(permission: &str, is_granted: bool, remedy: String) -> Check {
    let outcome = if is_granted { CheckOutcome::Granted } else { CheckOutcome::Missing };
    Check { permission: permission.to_owned(), outcome, remedy: (!is_granted).then_some(remedy) }
}

fn tagged(thing: &Value) -> Option<Tagged> {
    let azure_type = thing["type"].as_str().unwrap_or_default();
    let kind = TYPES.iter().find(|resource| resource.azure_type.eq_ignore_ascii_case(azure_type));
    let kind =
        kind.map_or_else(|| if azure_type.ends_with("resourceGroups") { GROUP.kind } else { azure_type }, |kind| kind.kind);
    let tags =
        thing["tags"].as_object()?.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    Some(Tagged { kind: kind.to_owned(), name: thing["name"].as_str()?.to_owned(), tags: tags.collect() })
}
