//! Refusals: addresses that lead inside, values that are none, people who may not.

use serde_json::{Value, json};
use testkit::wait_until;

use super::{Receiver, house};
use crate::support::harness::{House, PATIENCE};

const CREATE: (&str, &str) = ("createNotificationChannel", "CreateNotificationChannelInput");

/// The code and message of what is refused.
async fn refused(house: &House, input: Value) -> (String, String) {
    let payload = house.mutate(CREATE.0, CREATE.1, input.clone(), "channel { id }").await;
    let text = |key: &str| payload["userErrors"][0][key].as_str().unwrap_or_else(|| panic!("{input}: {payload}")).to_owned();
    assert!(payload["channel"].is_null());
    (text("code"), text("message"))
}

fn webhook(url: &str) -> Value {
    json!({"kind": "WEBHOOK", "name": "x", "url": url})
}

#[tokio::test]
async fn no_address_leads_inside_however_it_is_written() {
    let house = House::start().await;
    for url in [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://10.1.2.3/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://[64:ff9b::7f00:1]/",
        "https://224.0.0.1/",
    ] {
        let (code, message) = refused(&house, webhook(url)).await;
        assert!(code == "INVALID_URL" && message.contains("an address that MikroCloud does not connect to"), "{url}: {message}");
    }
    for url in [
        "http://example.org/",
        "http://127.0.0.1/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "nothing",
        "",
        "https://u:p@example.org/",
    ] {
        assert_eq!(refused(&house, webhook(url)).await.0, "INVALID_URL", "{url}");
    }
    assert_eq!(refused(&house, json!({"kind": "SLACK", "name": "x"})).await.0, "MISSING_URL");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_name_is_checked_each_time() {
    let (house, receiver) = (house().await, Receiver::start().await);
    for location in ["http://169.254.169.254/latest/meta-data/", &receiver.url("/inside")] {
        receiver.answer("/hook", 307, &[("location", location)]);
        let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &[]).await;
        let failure = house.cli(&["notifications", "test", &channel, "--json"]).await.error();
        assert!(failure.0 == "NOT_DELIVERED" && failure.1.contains("it answered 307, a redirect"), "{failure:?}");
        house.json(&["notifications", "delete", &channel]).await;
    }
    assert!(receiver.taken("/inside").is_empty());
    // What was allowed when it was saved and is not any more is not reached.
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &[]).await;
    let mut house = house;
    house.terminate().await;
    house.set_env(&[("MIKROCLOUD_ALLOW_NETWORKS", "10.0.0.0/8")]);
    house.run().await;
    let before = receiver.taken("/hook").len();
    let failure = house.cli(&["notifications", "test", &channel, "--json"]).await.error();
    assert!(failure.1.contains("an address that MikroCloud does not connect to"), "{failure:?}");
    assert_eq!(receiver.taken("/hook").len(), before);
}

#[tokio::test]
async fn values_that_are_none_are_refused_with_what_to_do() {
    let (house, receiver) = (house().await, Receiver::start().await);
    let url = receiver.url("/hook");
    let with = |changes: Value| {
        let mut input = json!({"kind": "SLACK", "name": "x", "url": url});
        input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        input
    };
    let template = |title: &str, body: &str| json!([{"event": "deployment.live", "title": title, "body": body}]);
    for (changes, code) in [
        (json!({"name": ""}), "INVALID_NAME"),
        (json!({"name": "x".repeat(61)}), "INVALID_NAME"),
        (json!({"name": "a\u{1b}[2J"}), "INVALID_NAME"),
        (json!({"name": "a\u{202e}b"}), "INVALID_NAME"),
        (json!({"events": []}), "NO_EVENTS"),
        (json!({"events": ["ping"]}), "NO_EVENTS"),
        (json!({"events": ["deployment.lives"]}), "UNKNOWN_EVENT"),
        (json!({"url": format!("{url}?{}", "x".repeat(2000))}), "INVALID_URL"),
        (json!({"addresses": ["owner@localhost"]}), "NOT_TAKEN"),
        (json!({"templates": template("{{ projekt.name }}", "x")}), "INVALID_TEMPLATE"),
        (json!({"templates": template("x", "{% include '/etc/passwd' %}")}), "INVALID_TEMPLATE"),
        (json!({"templates": template("x", "{{ 'a' * 100000000 }}")}), "INVALID_TEMPLATE"),
        (json!({"kind": "WEBHOOK", "templates": template("x", "x")}), "INVALID_TEMPLATE"),
        (json!({"kind": "EMAIL", "url": null, "addresses": ["owner@localhost"]}), "NO_MAIL"),
    ] {
        assert_eq!(refused(&house, with(changes.clone())).await.0, code, "{changes}");
    }
    let (_, message) = refused(&house, with(json!({"events": ["deployment.lives"]}))).await;
    assert!(message.contains("deployment.live, "), "{message}");
    for name in ["Łódź 🦀", &"x".repeat(60)] {
        house.json(&["notifications", "add", "slack", name, &url]).await;
    }
    let taken = house.cli(&["notifications", "add", "slack", "Łódź 🦀", &url, "--json"]).await;
    assert_eq!(taken.error().0, "TAKEN");
    for number in 2..30 {
        house.json(&["notifications", "add", "slack", &format!("channel {number}"), &url]).await;
    }
    let many = house.cli(&["notifications", "add", "slack", "one more", &url, "--json"]).await;
    assert_eq!(many.error().0, "TOO_MANY");
}

#[tokio::test]
async fn who_may_not_change_a_project_sees_no_channel_of_it() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.json(&["projects", "create", "shop"]).await;
    house.json(&["projects", "create", "blog"]).await;
    for (name, options) in [("of shop", &["-p", "shop"][..]), ("of blog", &["-p", "blog"]), ("of all", &[])] {
        house.webhook(name, &receiver.url("/hook"), options).await;
    }
    let names = |ran: crate::support::client::Ran| {
        let found = ran.json();
        found.as_array().unwrap().iter().map(|channel| channel["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    house.json(&["roles", "create", "guest"]).await;
    let guest = house.colleague("guest", "guest").await;
    house.json(&["members", "grant", "guest", "developer", "--project", "shop"]).await;
    let viewer = house.colleague("viewer", "viewer").await;
    let mut seen = Vec::new();
    wait_until(PATIENCE, "the grant counts", async || {
        let ran = house.cli_as(&guest.token, &["notifications"]).await;
        let counts = ran.exit == 0;
        seen = if counts { names(ran) } else { Vec::new() };
        counts
    })
    .await;
    assert_eq!(seen, ["of shop"]);
    assert_eq!(house.cli_as(&viewer.token, &["notifications"]).await.error().0, "FORBIDDEN");
    for (token, project) in [(&guest.token, "blog"), (&viewer.token, "shop")] {
        let arguments = ["notifications", "add", "webhook", "mine", &receiver.url("/mine"), "-p", project];
        let refused = house.cli_as(token, &arguments).await.error().0;
        assert!(["FORBIDDEN", "NOT_FOUND"].contains(&refused.as_str()), "{project}: {refused}");
    }
    let own =
        house.cli_as(&guest.token, &["notifications", "add", "webhook", "mine", &receiver.url("/mine"), "-p", "shop"]).await;
    assert_eq!(own.exit, 0, "{own:?}");
}
