//! Container registries, as resources. Their images are those of the registry protocol.

use serde_json::{Value, json};

use super::{is_taken, text};
use crate::azure::error::AzureError;
use crate::azure::kind::{Change, Kind};

/// Container registries: `Microsoft.ContainerRegistry/registries`.
pub(in crate::azure) const REGISTRY: Kind = Kind {
    name: "Microsoft.ContainerRegistry/registries",
    create: Change::asynchronous(201),
    update: Change::asynchronous(200),
    delete: Change::location(202, false),
    busy: "Creating",
    required: &["/sku/name"],
    check: |context, id, wanted, _| {
        if !is_name(id.name()) {
            let message = "Registry names may contain alpha numeric characters only and must be between 5 and 50 characters.";
            return Err(AzureError::invalid("InvalidResourceName", message));
        }
        if !["Basic", "Standard", "Premium"].contains(&text(wanted, "/sku/name")) {
            return Err(AzureError::invalid("InvalidSku", "The sku must be Basic, Standard or Premium."));
        }
        if is_taken(context.state, REGISTRY.name, id.name(), &id.key()) {
            let message = format!("The registry DNS name {}.azurecr.io is already in use.", id.name().to_ascii_lowercase());
            return Err(AzureError::conflict("AlreadyInUse", message));
        }
        Ok(())
    },
    outputs: |_, id, object| {
        let made = object.hidden["made"].clone();
        object.body["sku"]["tier"] = object.body["sku"]["name"].clone();
        let properties = &mut object.body["properties"];
        properties["loginServer"] = json!(format!("{}.azurecr.io", id.name().to_ascii_lowercase()));
        properties["creationDate"] = made;
        let defaults = [
            ("adminUserEnabled", json!(false)),
            ("publicNetworkAccess", json!("Enabled")),
            ("zoneRedundancy", json!("Disabled")),
        ];
        for (name, usual) in defaults {
            if properties.get(name).is_none_or(Value::is_null) {
                properties[name] = usual;
            }
        }
    },
    gone: |context, object| context.state.images.remove_below(&format!("{}/", object.text("/properties/loginServer"))),
    ..Kind::PLAIN
};

/// Returns true for names that registries may have.
pub(super) fn is_name(name: &str) -> bool {
    (5..=50).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
