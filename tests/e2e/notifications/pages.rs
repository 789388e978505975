//! The pages on which people look at what was sent, and send it once more.

use testkit::wait_until;

use super::{House, Receiver, house};
use crate::support::browser::{Browser, Page};
use crate::support::harness::PATIENCE;

const OWNER: &str = "owner@localhost";

/// Looks at a page, as it does by itself, until it says this.
async fn until_it_says(browser: &mut Browser, page: &Page, text: &str) -> Page {
    let url = page.url.to_string();
    let mut found = None;
    wait_until(PATIENCE, &format!("{url} says {text}"), async || {
        let page = browser.get(&url).await;
        let says = page.text.contains(text);
        found = Some(page);
        says
    })
    .await;
    found.unwrap()
}

/// The path of the page of the team's channels.
async fn path(house: &House) -> String {
    format!("/teams/{}/notifications", house.owner().await.0)
}

#[tokio::test]
async fn what_failed_is_seen_and_sent_once_more() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.owner_session().await;
    let (mut browser, page) = Browser::signed_in(&house, OWNER, "/notifications").await;
    assert_eq!(page.url.path(), path(&house).await, "who is in one team is not asked which");
    assert!(page.text.contains("No notification channels yet"), "{page:?}");
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    let list = browser.get(page.url.as_str()).await;
    assert!(list.text.contains(">ops</a>") && list.text.contains("enabled") && list.text.contains("(all)"), "{list:?}");
    let of_channel = house.url(&format!("{}/{channel}", path(&house).await));
    let empty = browser.get(&of_channel).await;
    assert!(empty.text.contains("notifications test"), "{empty:?}");

    for _ in 0..2 {
        receiver.answer("/hook", 500, &[]);
        let test = house.cli(&["notifications", "test", "ops"]).await;
        assert_ne!(test.exit, 0, "a ping is tried once: {test:?}");
    }
    let failed = browser.get(&format!("{of_channel}?state=failed")).await;
    assert_eq!(failed.text.matches("it answered 500").count(), 2, "{failed:?}");
    assert_eq!(failed.text.matches("aria-label=\"Replay msg_").count(), 2, "{failed:?}");
    assert!(browser.get(&format!("{of_channel}?state=delivered")).await.text.contains("Nothing of that kind"));

    // One, with what came of it.
    let sent = house.sent(&channel).await;
    let of_delivery = format!("{of_channel}/{}", sent[0]["id"].as_str().unwrap());
    let detail = browser.get(&of_delivery).await;
    assert!(detail.text.contains("an &lt;answer&gt;") && !detail.text.contains("<answer>"), "{detail:?}");
    assert!(detail.text.contains("&quot;channel&quot;"), "{detail:?}");
    let replayed = browser.submit(&detail, &[]).await;
    assert_eq!((replayed.status, replayed.url.as_str()), (200, of_delivery.as_str()), "{replayed:?}");
    let arrived = until_it_says(&mut browser, &replayed, ": delivered.").await;
    assert!(!arrived.text.contains("http-equiv"), "it does not look again once there is nothing to wait for: {arrived:?}");
    assert_eq!(receiver.taken("/hook").len(), 3);

    // All that is left.
    let page = browser.get(&of_channel).await;
    let form = page.url.path().to_owned() + "/replay";
    let all = browser.submit_to(&page, &form, &[("hours", "1")]).await;
    assert!(all.text.contains("1 notification is on its way again."), "{all:?}");
    house.all_are(&channel, "DELIVERED").await;
    let page = browser.get(&of_channel).await;
    let none = browser.submit_to(&page, &form, &[("hours", "720")]).await;
    assert!(none.text.contains("Nothing failed since then"), "{none:?}");
    for hours in ["0", "721", "4294967296", "-1", "soon"] {
        let refused = browser.submit_to(&page, &form, &[("hours", hours)]).await;
        assert!(refused.status == 422 && !refused.text.contains("on its way"), "{hours}: {refused:?}");
    }
    let entries = house.json(&["audit", "--action", "notification-channel.replay"]).await;
    assert_eq!(entries[0]["actor"]["email"], OWNER, "{entries}");
    assert_eq!(entries.as_array().unwrap().len(), 3, "{entries}");
}

#[tokio::test]
async fn a_channel_that_is_out_of_use_is_put_in_use_first() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.owner_session().await;
    let (channel, _) = house.webhook("ops", &receiver.url("/hook"), &["--event", "deployment.live"]).await;
    receiver.answer("/hook", 410, &[]);
    house.cli(&["notifications", "test", "ops"]).await;
    wait_until(PATIENCE, "it is disabled", async || house.channel("ops").await["enabled"] == false).await;
    let of_channel = format!("{}/{channel}", path(&house).await);
    let (mut browser, page) = Browser::signed_in(&house, OWNER, &of_channel).await;
    assert!(page.text.contains("disabled: the receiver answered 410 Gone"), "{page:?}");
    assert!(!page.text.contains("/replay"), "there is nothing to press that does not work: {page:?}");
    let of_delivery = house.url(&format!("{of_channel}/{}", house.sent(&channel).await[0]["id"].as_str().unwrap()));
    assert!(browser.get(&of_delivery).await.text.contains("Enable it to send this once more"));
    let enabled = browser.submit_to(&page, &format!("{of_channel}/enable"), &[]).await;
    assert!(enabled.text.contains(": enabled."), "{enabled:?}");
    let detail = browser.get(&of_delivery).await;
    let replayed = browser.submit(&detail, &[]).await;
    until_it_says(&mut browser, &replayed, ": delivered.").await;
    // A page that was open since before.
    house.json(&["notifications", "disable", "ops"]).await;
    let late = browser.submit(&detail, &[]).await;
    assert!(late.status == 422 && late.text.contains("Nothing is sent to this channel"), "{late:?}");
}

#[tokio::test]
async fn who_may_not_change_channels_sees_none_of_them() {
    let (house, receiver) = (house().await, Receiver::start().await);
    house.owner_session().await;
    for project in ["shop", "blog"] {
        house.json(&["projects", "create", project]).await;
    }
    let (everywhere, _) = house.webhook("everywhere", &receiver.url("/team"), &[]).await;
    let (of_shop, _) = house.webhook("of-shop", &receiver.url("/shop"), &["-p", "shop"]).await;
    let (of_blog, _) = house.webhook("of-blog", &receiver.url("/blog"), &["-p", "blog"]).await;
    house.json(&["notifications", "test", "everywhere"]).await;
    let sent = house.sent(&everywhere).await[0]["id"].as_str().unwrap().to_owned();
    let path = path(&house).await;

    house.colleague("vera", "viewer").await;
    let (mut vera, page) = Browser::signed_in(&house, "vera@example.org", &path).await;
    assert!(page.status == 403 && page.text.contains("project-write"), "{page:?}");
    for denied in [format!("{path}/{everywhere}"), format!("{path}/{everywhere}/{sent}")] {
        let page = vera.get(&house.url(&denied)).await;
        assert!(page.status == 403 && !page.text.contains("everywhere"), "{denied}: {page:?}");
    }

    // Who writes one project sees its channels, and what was sent to them.
    house.colleague("paul", "viewer").await;
    house.json(&["members", "grant", "paul", "developer", "--project", "shop"]).await;
    let (mut paul, page) = Browser::signed_in(&house, "paul@example.org", &path).await;
    assert!(page.text.contains(">of-shop</a>") && page.text.contains(">shop</td>"), "{page:?}");
    assert!(!page.text.contains("everywhere") && !page.text.contains("of-blog"), "{page:?}");
    assert_eq!(paul.get(&house.url(&format!("{path}/{of_shop}"))).await.status, 200);
    for (hidden, status) in [
        (format!("{path}/{everywhere}"), 403),
        (format!("{path}/{everywhere}/{sent}"), 403),
        (format!("{path}/{of_blog}"), 403),
        (format!("{path}/{of_shop}/{sent}"), 404),
    ] {
        let page = paul.get(&house.url(&hidden)).await;
        assert!(page.status == status && !page.text.contains("ping"), "{hidden}: {page:?}");
    }

    // The owner sees all of their team, and nothing of another.
    let (mut owner, page) = Browser::signed_in(&house, OWNER, &path).await;
    assert!(["everywhere", "of-shop", "of-blog"].iter().all(|name| page.text.contains(name)), "{page:?}");
    let elsewhere = domain::id::TeamId::new();
    for (address, status) in [
        (format!("/teams/{elsewhere}/notifications"), 404),
        (format!("/teams/{elsewhere}/notifications/{everywhere}"), 404),
        (format!("/teams/nonsense/notifications/{everywhere}"), 404),
        (format!("{path}/nonsense"), 422),
        (format!("{path}/{everywhere}?state=lost"), 422),
        (format!("{path}/{everywhere}/{}", domain::id::DeliveryId::new()), 404),
    ] {
        let page = owner.get(&house.url(&address)).await;
        assert!(page.status == status && page.text.contains("<h1>"), "{address}: {page:?}");
    }
    // Another site presses the button in the owner's name.
    let cookie = format!("mikrocloud={}", owner.cookie(&house.url("/"), "mikrocloud").unwrap());
    let press = async |site: &str| {
        let request = house.http.post(house.url(&format!("{path}/{everywhere}/replay"))).body("hours=1");
        let request = request.header("content-type", "application/x-www-form-urlencoded").header("cookie", &cookie);
        request.header("sec-fetch-site", site).send().await.unwrap().status().as_u16()
    };
    assert_eq!((press("cross-site").await, press("same-site").await, press("same-origin").await), (403, 403, 303));
}
