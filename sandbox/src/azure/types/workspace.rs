//! Workspaces of Log Analytics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{guid, need_name};
use crate::azure::kind::{Change, Kind};
use crate::http::Answer;
use crate::world::digest_of;

/// Workspaces: `Microsoft.OperationalInsights/workspaces`.
pub(in crate::azure) const WORKSPACE: Kind = Kind {
    name: "Microsoft.OperationalInsights/workspaces",
    create: Change::location(201, true),
    delete: Change::location(202, false),
    busy: "Creating",
    check: |_, id, _, _| need_name(id.name(), 4..=63, b"-"),
    outputs: |_, id, object| {
        let made = object.hidden["made"].clone();
        let properties = &mut object.body["properties"];
        properties["customerId"] = json!(guid(&id.key()));
        properties["createdDate"] = made;
        for (name, usual) in [("retentionInDays", json!(30)), ("sku", json!({"name": "PerGB2018"}))] {
            if properties[name].is_null() {
                properties[name] = usual;
            }
        }
    },
    action: |_, id, _| {
        let key = |which: &str| STANDARD.encode(digest_of(format!("{which} {}", id.key()).as_bytes()));
        let keys = json!({"primarySharedKey": key("primary"), "secondarySharedKey": key("secondary")});
        (id.action.eq_ignore_ascii_case("sharedKeys")).then(|| Ok(Answer::ok(&keys)))
    },
    ..Kind::PLAIN
};
