//! Environments of container apps.

use serde_json::json;

use super::{CONTAINER_APP, need_name};
use crate::azure::error::AzureError;
use crate::azure::kind::{Change, Kind};
use crate::azure::operation::location_of;
use crate::world::digest_of;

/// Environments: `Microsoft.App/managedEnvironments`.
pub(in crate::azure) const MANAGED_ENVIRONMENT: Kind = Kind {
    name: "Microsoft.App/managedEnvironments",
    create: Change::asynchronous(201),
    update: Change::asynchronous(200),
    patch: Change::location(202, false),
    delete: Change::location(202, false),
    busy: "Waiting",
    locked: "ManagedEnvironmentOperationInProgress",
    check: |_, id, _, _| need_name(id.name(), 2..=60, b"-"),
    write_only: &["/properties/appLogsConfiguration/logAnalyticsConfiguration/sharedKey"],
    outputs: |_, id, object| {
        let digest = digest_of(id.key().as_bytes());
        let location = location_of(&object.body);
        let properties = &mut object.body["properties"];
        properties["defaultDomain"] = json!(format!("{}-{}.{location}.azurecontainerapps.io", word(&digest), &digest[..8]));
        properties["staticIp"] = json!("203.0.113.10");
        if properties["zoneRedundant"].is_null() {
            properties["zoneRedundant"] = json!(false);
        }
    },
    leave: |context, id| {
        let is_inside = |object: &crate::world::Object| {
            object.kind == CONTAINER_APP.name && object.text("/properties/managedEnvironmentId").eq_ignore_ascii_case(&id.path)
        };
        if context.state.azure.iter().any(|(_, object)| is_inside(object)) {
            let message =
                format!("The managed environment '{}' cannot be deleted because it contains container apps.", id.name());
            return Err(AzureError::conflict("ManagedEnvironmentHasContainerApps", message));
        }
        Ok(())
    },
    ..Kind::PLAIN
};

/// A word for the domain of an environment.
fn word(digest: &str) -> &'static str {
    const WORDS: [&str; 8] =
        ["agreeablebay", "bravesea", "calmhill", "gentlewave", "happycoast", "kindpond", "proudriver", "wittyfield"];
    let number = usize::from_str_radix(&digest[8..10], 16).unwrap_or(0);
    WORDS[number % WORDS.len()]
}
