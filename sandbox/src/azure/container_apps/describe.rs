//! Values that a container app computes.

use serde_json::{Value, json};

use super::check::environment_of;
use super::{domain_of, list};
use crate::azure::Context;
use crate::azure::id::Id;
use crate::world::{Object, digest_of};

/// Fills in what a container app computes, and takes the values of secrets out.
pub(in crate::azure) fn outputs(context: &Context<'_>, id: &Id, object: &mut Object) {
    let environment = environment_of(&object.body).to_owned();
    let properties = &mut object.body["properties"];
    properties["managedEnvironmentId"] = json!(environment);
    properties["environmentId"] = json!(environment);
    let digest = digest_of(id.subscription.as_bytes()).to_ascii_uppercase();
    properties["customDomainVerificationId"] = json!(digest);
    properties["runningStatus"] = json!("Running");
    properties["outboundIpAddresses"] = json!(["203.0.113.20"]);
    default(properties, "workloadProfileName", json!("Consumption"));
    default(properties, "configuration", json!({}));
    configuration(&mut properties["configuration"]);
    for container in properties["template"]["containers"].as_array_mut().into_iter().flatten() {
        default(container, "resources", json!({"cpu": 0.5, "memory": "1Gi"}));
    }
    default(&mut properties["template"], "scale", json!({"minReplicas": 0, "maxReplicas": 10}));
    let latest = object.hidden["latest"].clone();
    object.body["properties"]["latestRevisionName"] = latest;
    identities(context, object);
    let domain = domain_of(context.state, object).to_owned();
    ingress(&mut object.body["properties"]["configuration"], id.name(), &domain);
}

fn default(target: &mut Value, field: &str, usual: Value) {
    if target.get(field).is_none_or(Value::is_null) {
        target[field] = usual;
    }
}

fn configuration(configuration: &mut Value) {
    default(configuration, "activeRevisionsMode", json!("Single"));
    default(configuration, "maxInactiveRevisions", json!(100));
    let names: Vec<_> = list(configuration, "/secrets").iter().map(|secret| json!({"name": secret["name"]})).collect();
    if !names.is_empty() {
        configuration["secrets"] = json!(names);
    }
}

fn ingress(configuration: &mut Value, app: &str, domain: &str) {
    let Some(ingress) = configuration.get_mut("ingress").filter(|ingress| ingress.is_object()) else { return };
    default(ingress, "external", json!(false));
    default(ingress, "transport", json!("Auto"));
    default(ingress, "allowInsecure", json!(false));
    if list(ingress, "/traffic").is_empty() {
        ingress["traffic"] = json!([{"latestRevision": true, "weight": 100}]);
    }
    let inside = if ingress["external"] == json!(true) { "" } else { "internal." };
    ingress["fqdn"] = json!(format!("{app}.{inside}{domain}"));
}

fn identities(context: &Context<'_>, object: &mut Object) {
    let Some(identities) = object.body.pointer_mut("/identity/userAssignedIdentities").and_then(Value::as_object_mut) else {
        return;
    };
    for (id, value) in identities {
        let Some(identity) = context.state.azure.get(&id.to_ascii_lowercase()) else { continue };
        *value = json!({
            "principalId": identity.body["properties"]["principalId"], "clientId": identity.body["properties"]["clientId"],
        });
    }
}
