//! Notifications, as receivers and their owners meet them.

mod chats;
mod mail;
mod pages;
mod refusals;
mod troubles;

use base64::Engine;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use standardwebhooks::Webhook;
use testkit::wait_until;

use crate::support::harness::{House, PATIENCE};
use crate::support::receiver::{Receiver, Taken};

/// A house that may send to this machine.
async fn house() -> House {
    House::start_with(&[("MIKROCLOUD_ALLOW_NETWORKS", "127.0.0.0/8")]).await
}

impl House {
    /// Adds a webhook and returns its channel and secret.
    async fn webhook(&self, name: &str, url: &str, options: &[&str]) -> (String, String) {
        let made = self.json(&[&["notifications", "add", "webhook", name, url], options].concat()).await;
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        (text(&made["channel"]["id"]), text(&made["secret"]))
    }

    /// Deliveries to a channel.
    async fn sent(&self, channel: &str) -> Vec<Value> {
        let sent = self.json(&["notifications", "deliveries", channel, "--limit", "100"]).await;
        sent.as_array().unwrap().clone()
    }

    /// Waits until all that was sent to a channel is in this state.
    async fn all_are(&self, channel: &str, state: &str) {
        wait_until(PATIENCE, &format!("all {state} in {channel}"), async || {
            let sent = self.sent(channel).await;
            !sent.is_empty() && sent.iter().all(|delivery| delivery["state"] == state)
        })
        .await;
    }

    async fn channel(&self, name: &str) -> Value {
        self.json(&["notifications", "show", name]).await
    }

    /// Number of rows that a query counts.
    async fn count(&self, sql: &'static str) -> i64 {
        let file = self.data().join("mikrocloud.db");
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    }

    /// The time for the next attempts has come.
    async fn hurry(&self) {
        self.sql("UPDATE notification_deliveries SET next_attempt_at = '2020-01-01T00:00:00+00:00' WHERE state = 'pending'")
            .await;
        self.sql("UPDATE jobs SET run_at = '2020-01-01T00:00:00+00:00' WHERE kind = 'notify' AND state = 'pending'").await;
    }
}

/// Verifies a message with a library that is not ours.
fn verified(taken: &Taken, secret: &str) -> bool {
    Webhook::new(secret).unwrap().verify(&taken.body, &taken.headers).is_ok()
}

#[tokio::test]
async fn what_happens_to_a_deployment_arrives_signed_and_another_library_verifies_it() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.json(&["projects", "create", "shop"]).await;
    let all = ["--event", "deployment.queued", "--event", "deployment.live", "--event", "deployment.failed"];
    let (channel, secret) = house.webhook("ops", &receiver.url("/hook"), &all).await;
    house.webhook("quiet", &receiver.url("/quiet"), &["--event", "deployment.failed", "-p", "shop"]).await;
    house.json(&["projects", "create", "other"]).await;
    house.webhook("elsewhere", &receiver.url("/elsewhere"), &["-p", "other"]).await;

    let deployed = house.deploy(house.site("shop", "a page"), &[]).await;
    let queued = receiver.wait_for_event("/hook", "deployment.queued").await;
    let live = receiver.wait_for_event("/hook", "deployment.live").await;
    for taken in [&queued, &live] {
        assert!(verified(taken, &secret), "{taken:?}");
        let other = format!("whsec_{}", base64::prelude::BASE64_STANDARD.encode([7; 32]));
        assert!(!verified(taken, &other));
        assert_eq!(taken.headers["content-type"], "application/json");
    }
    let (id, payload) = (deployed["deployment"].clone(), live.json());
    let fields: std::collections::BTreeSet<_> = payload.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["data", "timestamp", "type"].into());
    let data = &payload["data"];
    assert_eq!((&data["deployment"]["id"], &data["deployment"]["number"]), (&id, &json!(1)));
    assert_eq!((&data["project"]["name"], &data["environment"]["name"]), (&json!("shop"), &json!("production")));
    assert_eq!(data["environment"]["url"], deployed["url"]);
    assert_eq!(data["deployment"]["requestedBy"]["name"], "Owner");

    house.build("broken", "process.exit(3)");
    house.deploy_in_vain(house.scratch("broken"), &["-p", "shop"]).await;
    let failed = receiver.wait_for_event("/quiet", "deployment.failed").await.json();
    assert_eq!(failed["data"]["failure"]["code"], "BUILD_FAILED", "{failed}");
    house.all_are(&channel, "DELIVERED").await;
    assert_eq!(receiver.taken("/quiet").len(), 1, "only what it wants");
    assert!(receiver.taken("/elsewhere").is_empty(), "only its project");
    let attempts = house.json(&["notifications", "delivery", live.id()]).await["attempts"].take();
    assert_eq!(
        (&attempts[0]["status"], &attempts[0]["excerpt"], attempts.as_array().unwrap().len()),
        (&json!(204), &Value::Null, 1)
    );
}

#[tokio::test]
async fn an_approval_is_asked_for_and_an_alert_is_told() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.json(&["projects", "create", "shop"]).await;
    let (channel, secret) = house.webhook("ops", &receiver.url("/hook"), &["-p", "shop"]).await;
    house.json(&["projects", "protect", "shop"]).await;
    let waiting = house.deploy_detached(house.site("shop", "a page"), &[]).await;
    let asked = receiver.wait_for_event("/hook", "deployment.waiting_for_approval").await;
    assert!(asked.json()["data"]["message"].as_str().unwrap().contains(&format!("mikrocloud approve {waiting}")));
    let ann = house.colleague("ann", "admin").await;
    assert_eq!(house.cli_as(&ann.token, &["reject", &waiting, "--reason", "not <today>"]).await.exit, 0);
    let rejected = receiver.wait_for_event("/hook", "deployment.cancelled").await.json();
    assert_eq!(rejected["data"]["failure"]["code"], "REJECTED");
    // Nothing is live, so its run fails.
    house.json(&["schedules", "create", "tick", "* * * * * *", "--path", "/", "-p", "shop"]).await;
    let alert = receiver.wait_for_event("/hook", "alert.raised").await;
    assert!(verified(&alert, &secret));
    let data = alert.json()["data"].take();
    assert_eq!((&data["alert"]["kind"], &data["project"]["name"]), (&json!("run_failed"), &json!("shop")), "{data}");
    house.json(&["schedules", "delete", "tick", "-p", "shop"]).await;
    house.all_are(&channel, "DELIVERED").await;
}

#[tokio::test]
async fn a_channel_is_made_shown_tried_changed_and_deleted() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let empty = house.cli(&["notifications"]).await;
    assert!(empty.stdout.contains("mikrocloud notifications add webhook"), "{empty:?}");
    let ran =
        house.cli_with_input(&["notifications", "add", "webhook", "ops", "-", "--json"], &receiver.url("/a?token=hush")).await;
    let (channel, secret) = (ran.json()["channel"].clone(), ran.json()["secret"].as_str().unwrap().to_owned());
    assert_eq!(channel["address"], receiver.url("/…"), "the rest of the address is a secret");
    assert!(!channel["events"].as_array().unwrap().contains(&json!("deployment.queued")), "{channel}");
    let listed = house.cli(&["notifications", "list"]).await.stdout;
    assert!(listed.contains("ops") && listed.contains("enabled") && !listed.contains("hush"), "{listed}");

    assert_eq!(house.json(&["notifications", "test", "ops"]).await[0]["state"], "DELIVERED");
    let ping = receiver.wait_for_event("/a", "ping").await;
    assert!(verified(&ping, &secret));
    let rotated = house.json(&["notifications", "rotate-secret", "ops"]).await["secret"].as_str().unwrap().to_owned();
    house
        .json(&["notifications", "update", "ops", "--name", "ops 2", "--event", "alert.raised", "--url", &receiver.url("/b")])
        .await;
    house.json(&["notifications", "test", "ops 2"]).await;
    let ping = receiver.wait_for_event("/b", "ping").await;
    assert!(verified(&ping, &secret) && verified(&ping, &rotated), "both for a day");
    assert_eq!(house.channel("ops 2").await["events"], json!(["alert.raised"]));

    house.json(&["notifications", "disable", "ops 2"]).await;
    let refused = house.cli(&["notifications", "test", "ops 2", "--json"]).await.error();
    assert!(refused.0 == "DISABLED" && refused.1.contains("mikrocloud notifications enable"), "{refused:?}");
    house.json(&["notifications", "enable", "ops 2"]).await;
    house.json(&["notifications", "delete", "ops 2"]).await;
    assert_eq!(house.json(&["notifications"]).await, json!([]));
    assert_eq!(house.cli(&["notifications", "show", "ops 2", "--json"]).await.error().0, "NOT_FOUND");
}
