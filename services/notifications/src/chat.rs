//! Messages in the languages of chat services. What users wrote can mention nobody and link nowhere.

use domain::notification::EventType;
use domain::time::Timestamp;
use serde_json::{Value, json};
use services_core::text::cut;

use super::message::Message;

/// Limits of Slack's blocks (<https://docs.slack.dev/reference/block-kit/blocks>), characters.
const SLACK_HEADER: usize = 150;
const SLACK_SECTION: usize = 3000;
/// Limits of Discord's embeds (<https://docs.discord.com/developers/resources/message#embed-object-embed-limits>), UTF-16 units.
const DISCORD_TITLE: usize = 256;
const DISCORD_DESCRIPTION: usize = 4000;

/// The body of a request to an incoming webhook of Slack.
pub(super) fn slack(message: &Message) -> Value {
    let mut blocks = vec![json!({
        "type": "header",
        // Nothing in it is formatted, so nothing is escaped.
        "text": {"type": "plain_text", "text": cut(&message.title, SLACK_HEADER), "emoji": false},
    })];
    if !message.body.is_empty() {
        blocks.push(section(&escaped(&message.body, SLACK_SECTION)));
    }
    if let Some(link) = message.link.as_deref().and_then(address) {
        blocks.push(section(&format!("<{link}|Open>")));
    }
    json!({
        "text": escaped(&message.title, SLACK_SECTION),
        "blocks": blocks,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// `verbatim` keeps Slack from finding names and addresses in the text.
fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

/// A text with the three characters escaped that mean something to Slack, of so many characters: no mention (`<!channel>`) and no link is left
/// in it (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escaped(text: &str, chars: usize) -> String {
    let (mut escaped, mut count) = (String::with_capacity(text.len()), 0);
    for c in text.chars() {
        let mut single = [0; 4];
        let shown = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            c => c.encode_utf8(&mut single),
        };
        count += shown.chars().count();
        // Never in the middle of an escape.
        if count >= chars {
            escaped.push('…');
            break;
        }
        escaped.push_str(shown);
    }
    escaped
}

/// An address that ends no link of Slack's.
fn address(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.as_str().replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;"))
}

/// The body of a request to a webhook of Discord.
pub(super) fn discord(message: &Message, at: Timestamp) -> Value {
    let mut embed = json!({
        "title": fitted(&message.title, DISCORD_TITLE),
        "description": fitted(&message.body, DISCORD_DESCRIPTION),
        "color": colour(message.event),
        "timestamp": at,
        "footer": {"text": message.event.name()},
    });
    if let Some(link) = &message.link {
        embed["url"] = link.as_str().into();
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

/// A text of so many UTF-16 units.
fn fitted(text: &str, units: usize) -> String {
    let mut left = units.saturating_sub(1);
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    let shown: String = text.chars().take_while(fits).collect();
    if shown.len() == text.len() { shown } else { shown + "…" }
}

fn colour(event: EventType) -> u32 {
    match event {
        EventType::DeploymentLive => 0x002e_7d32,
        EventType::DeploymentFailed | EventType::AlertRaised => 0x00c6_2828,
        EventType::DeploymentWaitingForApproval => 0x00f9_a825,
        EventType::DeploymentQueued | EventType::DeploymentCancelled | EventType::Ping => 0x0060_7d8b,
    }
}

#[cfg(test)]
mod tests {
    use domain::time::now;
    use proptest::prelude::*;

    use super::*;

    fn message(title: &str, body: &str) -> Message {
        let link = Some("https://shop.example.org/?a=1&b=|<>".to_owned());
        Message { event: EventType::DeploymentLive, title: title.to_owned(), body: body.to_owned(), link }
    }

    #[test]
    fn nobody_is_mentioned_in_slack_and_only_our_link_is_one() {
        let sent = slack(&message("<!channel> & co", "<!here> <@U123> <https://evil.example|safe> @everyone"));
        assert_eq!(sent["text"], "&lt;!channel&gt; &amp; co");
        assert_eq!(sent["blocks"][0]["text"]["type"], "plain_text");
        let body = &sent["blocks"][1]["text"];
        assert_eq!(body["text"], "&lt;!here&gt; &lt;@U123&gt; &lt;https://evil.example|safe&gt; @everyone");
        assert_eq!((&body["verbatim"], &sent["link_names"], &sent["parse"]), (&json!(true), &json!(false), &json!("none")));
        assert_eq!(sent["blocks"][2]["text"]["text"], "<https://shop.example.org/?a=1&amp;b=%7C%3C%3E|Open>");
    }

    #[test]
    fn nobody_is_mentioned_in_discord() {
        let sent = discord(&message("@everyone", "@here <@&1>"), now());
        assert_eq!(sent["allowed_mentions"], json!({"parse": []}));
        assert!(sent["content"].is_null(), "only embeds, which mention nobody: {sent}");
    }

    proptest! {
        #[test]
        fn texts_stay_within_the_limits_and_without_what_means_something(title in ".{0,400}", body in "(.|<|&|>){0,5000}") {
            let sent = slack(&message(&title, &body));
            prop_assert!(sent["blocks"][0]["text"]["text"].as_str().unwrap().chars().count() <= SLACK_HEADER);
            let text = escaped(&body, SLACK_SECTION);
            prop_assert!(text.chars().count() <= SLACK_SECTION && !text.contains(['<', '>']));
            let bare = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            prop_assert!(!bare.contains('&'), "an escape was cut");
            let sent = discord(&message(&title, &body), now());
            let units = |field: &str| sent["embeds"][0][field].as_str().unwrap().encode_utf16().count();
            prop_assert!(units("title") <= DISCORD_TITLE && units("description") <= DISCORD_DESCRIPTION);
        }
    }
}
