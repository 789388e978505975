//! User-assigned identities.

use serde_json::json;

use super::{guid, need_name, tenant};
use crate::azure::kind::Kind;

/// User-assigned identities: `Microsoft.ManagedIdentity/userAssignedIdentities`.
pub(in crate::azure) const IDENTITY: Kind = Kind {
    name: "Microsoft.ManagedIdentity/userAssignedIdentities",
    check: |_, id, _, _| need_name(id.name(), 3..=128, b"-_"),
    outputs: |context, id, object| {
        // An identity that is made anew is another one.
        let made = object.hidden["made"].to_string();
        object.body["properties"] = json!({
            "tenantId": tenant(context),
            "principalId": guid(&format!("principal {} {made}", id.key())),
            "clientId": guid(&format!("client {} {made}", id.key())),
        });
    },
    ..Kind::PLAIN
};
