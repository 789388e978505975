//! A message as people read it.

use domain::notification::{EventType, Templates};
use serde_json::Value;
use services_core::text::cut;

use super::template;

/// The longest title and body, characters.
const TITLE: usize = 250;
const BODY: usize = 4000;

/// Message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Type of the event.
    pub event: EventType,
    /// One line.
    pub title: String,
    /// The text below it.
    pub body: String,
    /// Link to the event's subject, if there is a page about it.
    pub link: Option<String>,
}

impl Message {
    /// The message of a payload, by the channel's own template where that works and by ours otherwise: a text that fails is no reason to
    /// say nothing.
    pub fn of(event: EventType, payload: &Value, templates: &Templates) -> Self {
        let own = templates.get(event.name()).and_then(|own| template::render(own, payload).ok());
        let rendered = own.or_else(|| template::render(&template::default_for(event), payload).ok());
        let (title, body) = rendered.unwrap_or_else(|| (event.name().to_owned(), String::new()));
        let seen = event == EventType::DeploymentLive;
        let link = payload.pointer("/data/environment/url").and_then(Value::as_str).filter(|_| seen).map(str::to_owned);
        Self { event, title: one_line(&title), body: cut(lines(&body).trim(), BODY), link }
    }
}

/// A text on one line, cut to what a title may have.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    cut(&words.join(" "), TITLE)
}

/// A text of lines without other control characters.
fn lines(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::notification::Template;
    use domain::time::now;
    use proptest::prelude::*;

    use super::*;
    use crate::payload;

    #[test]
    fn every_event_has_a_text_of_ours_with_all_and_with_little_known() {
        for event in EventType::ALL {
            for sparse in [false, true] {
                let message = Message::of(*event, &payload::sample(*event, now(), sparse), &Templates::new());
                assert!(message.title != event.name() && !message.title.is_empty() && !message.body.is_empty(), "{message:?}");
                assert!(!message.body.contains("none") && !message.title.contains("none"), "{message:?}");
            }
        }
    }

    #[test]
    fn a_text_of_ones_own_is_taken_and_one_that_fails_is_replaced() {
        let payload = payload::sample(EventType::DeploymentLive, now(), false);
        let with = |title: &str| {
            let template = Template { title: title.to_owned(), body: "{{ environment.url }}".to_owned() };
            Message::of(EventType::DeploymentLive, &payload, &BTreeMap::from([("deployment.live".to_owned(), template)]))
        };
        let own = with("{{ project.name | upper }}\r\nBcc: x@example.org");
        assert_eq!((own.title.as_str(), own.body.as_str()), ("SHOP Bcc: x@example.org", "http://shop.localhost:8080"));
        assert_eq!(own.link.as_deref(), Some("http://shop.localhost:8080"));
        assert!(with("{{ nothing.there }}").title.contains("is live"));
    }

    proptest! {
        #[test]
        fn titles_stay_on_one_line_and_texts_within_their_lengths(text in "(.|\\n|\\r|\u{0})*", chars in 1_usize..50) {
            prop_assert!(cut(&text, chars).chars().count() <= chars);
            let title = one_line(&text.repeat(20));
            prop_assert!(title.chars().count() <= TITLE && !title.contains(char::is_control));
            prop_assert!(lines(&text).chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
