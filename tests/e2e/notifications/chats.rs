//! Messages to chat services.

use serde_json::json;

use super::{Receiver, house};

#[tokio::test]
async fn slack_and_discord_get_their_own_languages_and_nobody_is_mentioned() {
    let (house, receiver) = (house().await, Receiver::start().await);
    for kind in ["slack", "discord"] {
        let url = receiver.url(&format!("/{kind}"));
        house
            .json(&["notifications", "add", kind, kind, &url, "--event", "deployment.live", "--event", "deployment.cancelled"])
            .await;
    }
    let deployed = house.deploy(house.site("shop", "a page"), &[]).await;
    let url = deployed["url"].as_str().unwrap();
    let slack = receiver.wait_for("/slack", 1).await[0].json();
    assert_eq!(slack["text"], "shop: deployment 1 to production is live");
    assert_eq!(slack["blocks"][0]["text"], json!({"type": "plain_text", "text": slack["text"], "emoji": false}));
    assert!(slack["blocks"][1]["text"]["text"].as_str().unwrap().starts_with(url), "{slack}");
    assert_eq!(slack["blocks"][2]["text"]["text"], format!("<{url}/|Open>"));
    let discord = receiver.wait_for("/discord", 1).await[0].json();
    assert_eq!((&discord["embeds"][0]["title"], &discord["embeds"][0]["url"]), (&slack["text"], &deployed["url"]));
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));

    // A reason that somebody gives is a text of users.
    house.json(&["projects", "protect", "shop"]).await;
    let waiting = house.deploy_detached(house.site("shop", "another"), &[]).await;
    let ann = house.colleague("ann", "admin").await;
    house.cli_as(&ann.token, &["reject", &waiting, "--reason", "<!channel> @everyone <https://evil.example|safe>"]).await;
    let slack = receiver.wait_for("/slack", 2).await[1].json();
    let body = slack["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(
        body.contains("&lt;!channel&gt;") && !body.contains('<') && slack["blocks"][1]["text"]["verbatim"] == true,
        "{slack}"
    );
    let discord = receiver.wait_for("/discord", 2).await[1].json();
    assert!(discord["content"].is_null() && discord["allowed_mentions"] == json!({"parse": []}), "{discord}");
}

#[tokio::test]
async fn a_channel_has_texts_of_its_own_that_are_tried_before_they_are_kept() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.json(&["notifications", "add", "slack", "ops", &receiver.url("/hook"), "--event", "deployment.live"]).await;
    let preview = house.json(&["notifications", "preview", "deployment.live"]).await;
    assert_eq!(preview["title"], "shop: deployment 42 to production is live");
    let preview = house
        .json(&["notifications", "preview", "deployment.live", "--title", "{{ project.name | upper }}!", "--body", "{{ time }}"])
        .await;
    assert_eq!(preview["title"], "SHOP!");
    let bad =
        house.cli(&["notifications", "preview", "deployment.live", "--title", "x", "--body", "a\n{{ projekt }}", "--json"]).await;
    let (code, message) = bad.error();
    assert!(code == "BAD_INPUT" && message.contains("line 2"), "{code}: {message}");
    let bad = house.cli(&["notifications", "template", "ops", "deployment.live", "--title", "{{ project.nam }}", "--json"]).await;
    assert_eq!(bad.error().0, "INVALID_TEMPLATE");

    let title = "{{ project.name }} <is> live{% if deployment.commit %} at {{ deployment.commit }}{% endif %}";
    house
        .json(&["notifications", "template", "ops", "deployment.live", "--title", title, "--body", "{{ environment.url }}"])
        .await;
    house.deploy(house.site("shop", "a page"), &[]).await;
    let slack = receiver.wait_for("/hook", 1).await[0].json();
    assert_eq!((&slack["text"], &slack["blocks"][0]["text"]["text"]), (&json!("shop &lt;is&gt; live"), &json!("shop <is> live")));
    let changed = house.json(&["notifications", "template", "ops", "deployment.live", "--reset"]).await;
    assert_eq!(changed["templates"], json!([]));
}
