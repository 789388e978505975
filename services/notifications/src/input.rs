//! Validation of a channel's input.

use domain::notification::{ChannelKind, EventType, EventTypes, Template, Templates};
use domain::secret::Secret;
use services_core::{Result, ServiceError};

use super::{TemplateInput, template};

pub(super) fn refuse_url(url: Option<&Secret>) -> Result<()> {
    let message = "an e-mail channel has no address of its own: give the addresses of members";
    url.map_or(Ok(()), |_| Err(ServiceError::invalid("url", "NOT_TAKEN", message)))
}

pub(super) fn refuse_addresses(addresses: &[String]) -> Result<()> {
    let message = "only e-mail channels write to addresses of members: give the url";
    if addresses.is_empty() { Ok(()) } else { Err(ServiceError::invalid("addresses", "NOT_TAKEN", message)) }
}

pub(super) fn parse_name(name: &str) -> Result<String> {
    let name = name.trim();
    let fits = (1..=60).contains(&name.chars().count())
        && !name.contains(|c: char| c.is_control() || services_core::outbound::is_direction(c));
    let message = "give a name of 1 to 60 characters on one line";
    if fits { Ok(name.to_owned()) } else { Err(ServiceError::invalid("name", "INVALID_NAME", message)) }
}

pub(super) fn parse_events(names: &[String]) -> Result<EventTypes> {
    let events = names.iter().map(|name| template::parse_event("events", name)).collect::<Result<Vec<_>>>()?;
    // A ping always comes.
    let events = EventTypes::new(&events.into_iter().filter(|event| *event != EventType::Ping).collect::<Vec<_>>());
    if events.is_empty() {
        let known: Vec<_> = EventType::chosen().map(EventType::name).collect();
        let message = format!("choose at least one event of {}", known.join(", "));
        return Err(ServiceError::invalid("events", "NO_EVENTS", message));
    }
    Ok(events)
}

pub(super) fn parse_templates(kind: ChannelKind, inputs: &[TemplateInput]) -> Result<Templates> {
    let invalid = |message: String| Err(ServiceError::invalid("templates", "INVALID_TEMPLATE", message));
    if kind == ChannelKind::Webhook && !inputs.is_empty() {
        return invalid("webhooks carry the same payload for everybody: templates are for slack, discord and email".to_owned());
    }
    let mut templates = Templates::new();
    for input in inputs {
        let event = template::parse_event("templates", &input.event)?;
        let own = Template { title: input.title.clone(), body: input.body.clone() };
        template::check(event, &own)?;
        if templates.insert(event.name().to_owned(), own).is_some() {
            return invalid(format!("there are two templates for `{}`: give one", event.name()));
        }
    }
    Ok(templates)
}
