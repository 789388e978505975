//! Payload of an event: `{type, timestamp, data}`, with ids, names and addresses.

use domain::id::{ChannelId, DeploymentId, EnvironmentId, ProjectId, TeamId, UserId};
use domain::notification::{Delivery, EventType};
use domain::time::Timestamp;
use serde_json::{Value, json};

/// Builds the payload of a test of a channel.
pub(super) fn of_ping(team: TeamId, channel: ChannelId, name: &str) -> Value {
    json!({
        "team": {"id": team},
        "channel": {"id": channel, "name": name},
        "message": "Somebody tries this channel. All is well when you can read this.",
    })
}

/// The payload of a delivery. Addresses follow from names, so they are the same however often it is sent.
pub(super) fn of_delivery(delivery: &Delivery, url: impl Fn(&Label<'_>) -> Option<String>) -> Value {
    whole(delivery.event, delivery.event_at, delivery.data.clone(), url)
}

/// Object that has an address of its own.
pub(super) enum Label<'v> {
    /// An environment of a project.
    Environment(&'v str, &'v str),
    /// A deployment of a project.
    Deployment(&'v str, &'v str),
}

fn whole(event: EventType, at: Timestamp, mut data: Value, url: impl Fn(&Label<'_>) -> Option<String>) -> Value {
    let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if let (Some(project), Some(environment), Some(deployment)) =
        (text("/project/name"), text("/environment/name"), text("/deployment/id"))
    {
        data["environment"]["url"] = url(&Label::Environment(&project, &environment)).into();
        data["deployment"]["url"] = url(&Label::Deployment(&project, &deployment)).into();
    }
    json!({"type": event, "timestamp": at, "data": data})
}

/// A payload to try templates with; a `sparse` one has nothing that may be absent.
pub(super) fn sample(event: EventType, at: Timestamp, sparse: bool) -> Value {
    let (team, project) = (TeamId::new(), ProjectId::new());
    let optional = |value: Value| if sparse { Value::Null } else { value };
    let failed = matches!(event, EventType::DeploymentFailed | EventType::DeploymentCancelled);
    let data = match event {
        EventType::Ping => of_ping(team, ChannelId::new(), "ops"),
        EventType::AlertRaised => json!({
            "team": {"id": team},
            "project": optional(json!({"id": project, "name": "shop"})),
            "alert": {
                "id": domain::id::AlertId::new(), "kind": "run_missed", "subject": "nightly", "message": "a run was missed", "raisedAt": at,
            },
            "message": "a run was missed",
        }),
        _ => json!({
            "team": {"id": team},
            "project": {"id": project, "name": "shop"},
            "environment": {"id": EnvironmentId::new(), "name": "production"},
            "deployment": {
                "id": DeploymentId::new(),
                "number": 42,
                "status": event.name().rsplit('.').next(),
                "trigger": "build",
                "commit": optional(json!("3dc196e0e4a4b1f2c5d6e7f8091a2b3c4d5e6f70")),
                "requestedBy": optional(json!({"id": UserId::new(), "name": "Ada Lovelace"})),
            },
            "failure": if failed { json!({"code": "BUILD_FAILED", "message": "the build ended with status 1"}) } else { Value::Null },
            "message": if failed { "the build ended with status 1" } else { "live at http://shop.localhost:8080" },
        }),
    };
    whole(event, at, data, |label| {
        Some(match label {
            Label::Environment(..) => "http://shop.localhost:8080".to_owned(),
            Label::Deployment(..) => "http://shop--1a2b3c4d5e6f.localhost:8080".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::now;

    #[test]
    fn a_payload_has_type_timestamp_and_data_and_says_where_to_look() {
        let payload = sample(EventType::DeploymentLive, now(), false);
        assert_eq!(payload["type"], "deployment.live");
        assert!(payload["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{payload}");
        assert_eq!(payload["data"]["environment"]["url"], "http://shop.localhost:8080");
        assert_eq!(payload["data"]["deployment"]["url"], "http://shop--1a2b3c4d5e6f.localhost:8080");
        assert!(payload.to_string().len() < 20_000);
        let alert = sample(EventType::AlertRaised, now(), true);
        assert!(alert["data"]["environment"].is_null() && alert["data"]["project"].is_null(), "{alert}");
    }
}
