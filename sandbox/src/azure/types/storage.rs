//! Storage accounts and their containers, as resources. Their blobs are those of the blob service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{is_taken, text};
use crate::azure::error::AzureError;
use crate::azure::kind::{Change, Kind};
use crate::http::Answer;
use crate::world::digest_of;

/// Storage accounts: `Microsoft.Storage/storageAccounts`.
pub(in crate::azure) const STORAGE_ACCOUNT: Kind = Kind {
    name: "Microsoft.Storage/storageAccounts",
    create: Change::location(202, false),
    busy: "Creating",
    required: &["/sku/name", "/kind"],
    check: |context, id, wanted, _| {
        if !is_name(id.name()) {
            let message = format!(
                "{} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use \
                 numbers and lower-case letters only.",
                id.name()
            );
            return Err(AzureError::invalid("AccountNameInvalid", message));
        }
        if !["StorageV2", "BlockBlobStorage", "Storage", "BlobStorage", "FileStorage"].contains(&text(wanted, "/kind")) {
            return Err(AzureError::invalid(
                "InvalidValuesForRequestParameters",
                "Values for request parameters are invalid: kind.",
            ));
        }
        if is_taken(context.state, STORAGE_ACCOUNT.name, id.name(), &id.key()) {
            let message = format!("The storage account named {} is already taken.", id.name());
            return Err(AzureError::conflict("StorageAccountAlreadyTaken", message));
        }
        Ok(())
    },
    outputs: |_, id, object| {
        let (name, made) = (id.name(), object.hidden["made"].clone());
        object.body["sku"]["tier"] = json!(text(&object.body, "/sku/name").split('_').next());
        let location = object.body["location"].clone();
        let properties = &mut object.body["properties"];
        properties["creationTime"] = made;
        properties["primaryLocation"] = location;
        properties["statusOfPrimary"] = json!("available");
        properties["primaryEndpoints"] = json!({
            "blob": format!("https://{name}.blob.core.windows.net/"), "web": format!("https://{}/", web_host(name)),
            "dfs": format!("https://{name}.dfs.core.windows.net/"), "file": format!("https://{name}.file.core.windows.net/"),
            "queue": format!("https://{name}.queue.core.windows.net/"), "table": format!("https://{name}.table.core.windows.net/"),
        });
        let defaults =
            [("accessTier", json!("Hot")), ("supportsHttpsTrafficOnly", json!(true)), ("allowBlobPublicAccess", json!(false))];
        for (field, usual) in defaults {
            if properties.get(field).is_none_or(Value::is_null) {
                properties[field] = usual;
            }
        }
    },
    action: |_, id, _| {
        let key = |which: &str| STANDARD.encode(digest_of(format!("{which} {}", id.key()).as_bytes()));
        let entry = |which: &str| json!({"keyName": which, "value": key(which), "permissions": "FULL"});
        let keys = json!({"keys": [entry("key1"), entry("key2")]});
        (id.action.eq_ignore_ascii_case("listKeys")).then(|| Ok(Answer::ok(&keys)))
    },
    ..Kind::PLAIN
};

/// Containers of blobs: `Microsoft.Storage/storageAccounts/blobServices/containers`.
pub(in crate::azure) const BLOB_CONTAINER: Kind = Kind {
    name: "Microsoft.Storage/storageAccounts/blobServices/containers",
    located: false,
    check: |_, id, _, _| {
        if is_container(id.name()) {
            return Ok(());
        }
        Err(AzureError::invalid("ContainerNameInvalid", format!("{} is not a valid name of a container.", id.name())))
    },
    outputs: |_, _, object| {
        let made = object.hidden["made"].clone();
        object.body["properties"]["lastModifiedTime"] = made;
        object.body["properties"]["publicAccess"] = json!("None");
    },
    ..Kind::PLAIN
};

/// Returns true for names that storage accounts may have.
pub(super) fn is_name(name: &str) -> bool {
    (3..=24).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Returns true for names that containers may have.
pub(in crate::azure) fn is_container(name: &str) -> bool {
    let fits = (3..=63).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    name == "$web" || (fits && !name.starts_with('-') && !name.ends_with('-') && !name.contains("--"))
}

/// Host of the static website of an account.
pub(in crate::azure) fn web_host(account: &str) -> String {
    let zone = usize::from_str_radix(&digest_of(account.as_bytes())[..4], 16).unwrap_or(0) % 50 + 1;
    format!("{account}.z{zone}.web.core.windows.net")
}
