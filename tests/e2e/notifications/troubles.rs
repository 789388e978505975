//! Receivers that fail, and servers that die.

use serde_json::{Value, json};
use testkit::wait_until;

use super::{Receiver, house, verified};
use crate::support::harness::{House, PATIENCE};

/// The team's alert that a channel was disabled, while it lasts.
async fn out_of_use(house: &House) -> Option<String> {
    let alerts = house.graphql("{ alerts { nodes { kind message resolvedAt } } }", json!({})).await;
    let alerts = alerts["alerts"]["nodes"].as_array().unwrap().clone();
    let lasting = alerts.iter().find(|alert| alert["kind"] == "channel_disabled" && alert["resolvedAt"].is_null());
    lasting.map(|alert| alert["message"].as_str().unwrap().to_owned())
}

/// Waits until the one delivery of a channel has had so many attempts.
async fn attempted(house: &House, channel: &str, count: i64) -> Value {
    let mut found = Value::Null;
    wait_until(PATIENCE, &format!("attempt {count} in {channel}"), async || {
        found = house.sent(channel).await.swap_remove(0);
        found["attemptCount"] == count
    })
    .await;
    found
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_by_the_schedule_with_the_same_id_and_replayed() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let (channel, secret) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    for _ in 0..10 {
        receiver.answer("/hook", 500, &[]);
    }
    house.deploy(house.site("page", "a page"), &[]).await;
    for tries in 1..=10 {
        let delivery = attempted(&house, &channel, tries).await;
        if tries == 1 {
            let next: chrono::DateTime<chrono::Utc> = serde_json::from_value(delivery["nextAttemptAt"].clone()).unwrap();
            let at: chrono::DateTime<chrono::Utc> = serde_json::from_value(delivery["eventAt"].clone()).unwrap();
            assert!((next - at).num_seconds() >= 5, "{delivery}");
            assert!(house.channel("ops").await["failingSince"].is_string());
        }
        house.hurry().await;
    }
    let given_up = attempted(&house, &channel, 10).await;
    assert_eq!((&given_up["state"], &given_up["error"]), (&json!("FAILED"), &json!("it answered 500")));
    let replayed = house.json(&["notifications", "replay", "ops", "--since", "2020-01-01"]).await;
    assert_eq!(replayed["count"], 1);
    house.all_are(&channel, "DELIVERED").await;
    let taken = receiver.wait_for("/hook", 11).await;
    assert!(taken.iter().all(|message| message.id() == taken[0].id() && verified(message, &secret)), "one id, each signed");
    assert!(house.channel("ops").await["failingSince"].is_null());
    house.json(&["notifications", "replay", taken[0].id()]).await;
    let again = receiver.wait_for("/hook", 12).await;
    assert_eq!((again[11].id(), &again[11].body), (taken[0].id(), &taken[0].body));
    let shown = house.cli(&["notifications", "delivery", taken[0].id()]).await.stdout;
    assert!(shown.contains("it answered 500") && shown.contains("an <answer>"), "{shown}");
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_gets_it() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    receiver.answer("/hook", 429, &[("retry-after", "3600")]);
    house.deploy(house.site("page", "one"), &[]).await;
    let first = attempted(&house, &channel, 1).await;
    let pause = house.channel("ops").await["pausedUntil"].clone();
    assert!(pause.is_string() && first["nextAttemptAt"].as_str() > first["eventAt"].as_str(), "{first}");
    house.deploy(house.site("page", "two"), &[]).await;
    wait_until(PATIENCE, "the second is put off", async || house.sent(&channel).await[0]["nextAttemptAt"] == pause).await;
    assert_eq!(receiver.taken("/hook").len(), 1, "it is left alone");
    house.sql("UPDATE notification_channels SET paused_until = '2020-01-01T00:00:00+00:00'").await;
    house.hurry().await;
    house.all_are(&channel, "DELIVERED").await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_until_somebody_enables_it() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    house.webhook("watch", &receiver.url("/watch"), &["--event", "alert.raised"]).await;
    receiver.answer("/hook", 410, &[]);
    house.deploy(house.site("page", "one"), &[]).await;
    let alert = receiver.wait_for_event("/watch", "alert.raised").await.json();
    assert_eq!(alert["data"]["alert"]["subject"], json!(channel), "{alert}");
    let shown = house.channel("ops").await;
    assert_eq!((&shown["enabled"], &shown["disabledReason"]), (&json!(false), &json!("the receiver answered 410 Gone")));
    assert!(out_of_use(&house).await.unwrap().contains("mikrocloud notifications enable"));
    house.deploy(house.site("page", "two"), &[]).await;
    assert_eq!(house.sent(&channel).await.len(), 1, "nothing is written for it");
    house.json(&["notifications", "enable", "ops"]).await;
    assert_eq!(out_of_use(&house).await, None);
    house.json(&["notifications", "replay", "ops", "--since", "2020-01-01"]).await;
    house.all_are(&channel, "DELIVERED").await;
}

#[tokio::test]
async fn a_receiver_that_fails_for_five_days_is_put_out_of_use() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    for _ in 0..3 {
        receiver.answer("/hook", 503, &[]);
    }
    house.deploy(house.site("page", "one"), &[]).await;
    attempted(&house, &channel, 1).await;
    house.sql("UPDATE notification_channels SET failing_since = '2020-01-01T00:00:00+00:00'").await;
    house.hurry().await;
    attempted(&house, &channel, 2).await;
    assert_eq!(house.channel("ops").await["enabled"], true, "the first attempts may fall into an outage");
    house.hurry().await;
    wait_until(PATIENCE, "it is disabled", async || house.channel("ops").await["enabled"] == false).await;
    assert!(out_of_use(&house).await.unwrap().contains("every attempt failed for 5 days"));
    assert_eq!(house.sent(&channel).await[0]["state"], "FAILED");
}

#[tokio::test]
async fn one_that_does_not_answer_holds_up_nobody_else() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let (slow, _) = house.webhook("slow", &receiver.url("/slow"), &["--event", "deployment.live"]).await;
    let (quick, _) = house.webhook("quick", &receiver.url("/quick"), &["--event", "deployment.live"]).await;
    for text in ["one", "two", "three"] {
        house.deploy(house.site("page", text), &[]).await;
    }
    receiver.wait_for("/quick", 3).await;
    house.all_are(&quick, "DELIVERED").await;
    assert_eq!(receiver.wait_for("/slow", 1).await.len(), 1, "one at a time");
    assert!(house.sent(&slow).await.iter().all(|delivery| delivery["state"] == "PENDING"));
    receiver.open();
    house.all_are(&slow, "DELIVERED").await;
}

#[tokio::test]
async fn a_server_that_is_killed_delivers_when_it_is_back() {
    let (mut house, receiver) = (house().await, Receiver::start().await);
    let (channel, secret) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    // Between the commit and the delivery: nobody takes the job.
    house.json(&["jobs", "pause", "notify"]).await;
    house.deploy(house.site("page", "one"), &[]).await;
    assert_eq!(house.sent(&channel).await[0]["attemptCount"], 0);
    house.crash_and_restart().await;
    house.json(&["jobs", "resume", "notify"]).await;
    house.all_are(&channel, "DELIVERED").await;
    assert_eq!(receiver.taken("/hook").len(), 1, "once");

    // In the middle of a delivery: the receiver has it, and nobody knows.
    house.json(&["notifications", "update", "ops", "--url", &receiver.url("/slow")]).await;
    house.deploy(house.site("page", "two"), &[]).await;
    let first = receiver.wait_for("/slow", 1).await.swap_remove(0);
    house.kill().await;
    receiver.open();
    house.run().await;
    let again = receiver.wait_for("/slow", 2).await.swap_remove(1);
    assert_eq!((again.id(), &again.body), (first.id(), &first.body), "at least once, with one id");
    assert!(verified(&again, &secret));
    house.all_are(&channel, "DELIVERED").await;
}

#[tokio::test]
async fn a_job_that_is_discarded_leaves_nothing_waiting_for_ever() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    house.json(&["jobs", "pause", "notify"]).await;
    house.deploy(house.site("page", "one"), &[]).await;
    let waiting = house.json(&["jobs", "list", "--queue", "notify", "--state", "pending"]).await;
    house.json(&["jobs", "discard", waiting["nodes"][0]["id"].as_str().unwrap()]).await;
    house.hurry().await;
    house.all_are(&channel, "FAILED").await;
    assert!(house.sent(&channel).await[0]["error"].as_str().unwrap().contains("its job was discarded"));
    house.json(&["jobs", "resume", "notify"]).await;
    house.json(&["notifications", "replay", "ops", "--since", "2020-01-01"]).await;
    house.all_are(&channel, "DELIVERED").await;
}

#[tokio::test]
async fn a_deleted_project_takes_its_channels_and_their_alerts_with_it() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.deploy(house.site("page", "one"), &[]).await;
    house.webhook("ops", &receiver.url("/hook"), &["-p", "page"]).await;
    receiver.answer("/hook", 410, &[]);
    let refused = house.cli(&["notifications", "test", "ops", "--json"]).await.error();
    assert!(refused.0 == "NOT_DELIVERED" && refused.1.contains("410 Gone"), "{refused:?}");
    assert!(out_of_use(&house).await.is_some());
    house.json(&["projects", "delete", "page", "--yes"]).await;
    wait_until(PATIENCE, "the channel is gone", async || house.json(&["notifications"]).await == json!([])).await;
    assert_eq!(out_of_use(&house).await, None);
}
