//! The pages on which a team sees what it was told of, and sends it once more.

use chrono::TimeDelta;
use domain::id::{ChannelId, TeamId};
use domain::notification::{Attempt, Channel, Delivery, DeliveryState};
use domain::project::Project;
use domain::team::Team;
use domain::time::now;
use maud::{Markup, html};

use super::{Page, page, time};

/// Time before its due time from which a delivery counts as about to be sent.
const SOON: TimeDelta = TimeDelta::seconds(10);

/// Filters of deliveries, with their labels.
const FILTERS: [(Option<DeliveryState>, &str); 4] = [
    (None, "All"),
    (Some(DeliveryState::Failed), "Failed"),
    (Some(DeliveryState::Pending), "Waiting"),
    (Some(DeliveryState::Delivered), "Delivered"),
];

/// Of when all that failed may be sent once more: hours, and words for them. What was sent is kept for 30 days.
pub(crate) const SPANS: [(u32, &str); 4] =
    [(1, "the last hour"), (24, "the last day"), (168, "the last week"), (720, "the last 30 days")];

/// The path of the pages of a team.
pub(crate) fn of_team(team: TeamId) -> String {
    format!("/teams/{team}/notifications")
}

/// The path of the page of a channel.
pub(crate) fn of_channel(team: TeamId, channel: ChannelId) -> String {
    format!("{}/{channel}", of_team(team))
}

/// The path of the page of a delivery.
pub(crate) fn of_delivery(delivery: &Delivery) -> String {
    format!("{}/{}", of_channel(delivery.team_id, delivery.channel_id), delivery.id)
}

/// Renders the selection of a team.
pub(crate) fn teams(teams: &[Team]) -> Page {
    let body = html! {
        @if teams.is_empty() {
            p { "You are in no team. Whoever runs one adds you with " code { "mikrocloud members add" } "." }
        }
        ul { @for team in teams { li { a href=(of_team(team.id)) { (team.name) } } } }
    };
    page("Notifications", body)
}

/// The channels of a team.
pub(crate) fn channels(channels: &[Channel], projects: &[Project]) -> Page {
    let project = |channel: &Channel| match channel.project_id {
        None => "(all)".to_owned(),
        Some(id) => {
            projects.iter().find(|project| project.id == id).map_or_else(|| id.to_string(), |project| project.name.to_string())
        }
    };
    let body = html! {
        @if channels.is_empty() {
            p { "No notification channels yet. Add one from a terminal, or " code { "slack" } ", " code { "discord" } ", " code { "email" } ":" }
            p { code { "mikrocloud notifications add webhook NAME https://..." } }
        } @else {
            table {
                tr { th { "Channel" } th { "Kind" } th { "Address" } th { "Project" } th { "State" } }
                @for channel in channels {
                    tr {
                        td.text { a href=(of_channel(channel.team_id, channel.id)) { (channel.name) } }
                        td { (channel.kind.name()) } td.text { (channel.shown) } td.text { (project(channel)) } td.text { (channel_state(channel)) }
                    }
                }
            }
        }
        nav { a href="/notifications" { "Your teams" } }
    };
    page("Notifications", body)
}

/// Result of a failed request to resend all deliveries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replayed {
    pub count: u32,
    pub has_more: bool,
}

/// Content of a channel's page.
pub(crate) struct ChannelPage {
    pub channel: Channel,
    pub deliveries: services::Page<Delivery>,
    pub state: Option<DeliveryState>,
    pub replayed: Option<Replayed>,
}

/// A channel with what was sent to it.
pub(crate) fn channel(shown: &ChannelPage) -> Page {
    let ChannelPage { channel, deliveries, state, replayed } = shown;
    let path = of_channel(channel.team_id, channel.id);
    let older = deliveries.items.last().filter(|_| deliveries.has_more);
    let body = html! {
        @if let Some(replayed) = replayed { p role="status" { (replayed_text(*replayed)) } }
        p.text { (channel.kind.name()) ", " (channel.shown) ": " (channel_state(channel)) "." }
        @if channel.enabled {
            form method="post" action={ (path) "/replay" } {
                "Send all once more that failed of " select name="hours" aria-label="Of when" {
                    @for (hours, text) in SPANS { option value=(hours) selected[hours == 24] { (text) } }
                } " " button { "Replay" }
            }
        } @else {
            form method="post" action={ (path) "/enable" } {
                button { "Enable it" } " " span.quiet { "Nothing is sent to it, and nothing is kept for it, until then." }
            }
        }
        nav {
            @for (offered, text) in FILTERS {
                @if offered == *state { strong { (text) } } @else { a href={ (path) "?" (query_of(offered)) } { (text) } } " "
            }
        }
        @if deliveries.items.is_empty() {
            p { "Nothing of that kind was sent to it in the last 30 days. " code { "mikrocloud notifications test" } " sends something." }
        } @else {
            table {
                tr { th { "Event" } th { "At" } th { "State" } th { "Attempts" } th { "What went wrong last" } th {} }
                @for delivery in &deliveries.items {
                    tr {
                        td { a href=(of_delivery(delivery)) { (delivery.event.name()) } }
                        td { (time(delivery.event_at)) } td { (delivery_state(delivery)) } td { (delivery.attempts) }
                        td.text { (delivery.error.as_deref().unwrap_or_default()) }
                        td { @if channel.enabled && delivery.state == DeliveryState::Failed { (replay(delivery)) } }
                    }
                }
            }
        }
        nav {
            @if let Some(last) = older { a href={ (path) "?after=" (last.id) "&" (query_of(*state)) } { "Older ones" } " " }
            a href=(of_team(channel.team_id)) { "All channels" }
        }
    };
    let looks_again = replayed.is_some() && deliveries.items.iter().any(is_about_to_be_sent);
    page(channel.name.clone(), body).looking_again(looks_again)
}

/// Content of a delivery's page.
pub(crate) struct DeliveryPage {
    pub channel: Channel,
    pub delivery: Delivery,
    pub attempts: Vec<Attempt>,
}

/// A delivery with each attempt at it.
pub(crate) fn delivery(shown: &DeliveryPage) -> Page {
    let DeliveryPage { channel, delivery, attempts } = shown;
    let body = html! {
        p.text { (delivery.id) " to " a href=(of_channel(channel.team_id, channel.id)) { (channel.name) } ", of " (time(delivery.event_at)) ": " (delivery_state(delivery)) "." }
        @if channel.enabled && delivery.state != DeliveryState::Pending { (replay(delivery)) }
        @if !channel.enabled { p { "The channel is disabled. Enable it to send this once more." } }
        h2 { "Attempts" }
        @if attempts.is_empty() {
            p { "It was not tried yet." }
        } @else {
            table {
                tr { th { "Attempt" } th { "At" } th { "Took" } th { "Status" } th { "What went wrong" } th { "Answer" } }
                @for attempt in attempts {
                    tr {
                        td { (attempt.number) } td { (time(attempt.at)) } td { (attempt.duration_ms) " ms" }
                        td { @if let Some(status) = attempt.status { (status) } }
                        td.text { (attempt.error.as_deref().unwrap_or_default()) }
                        td.text { (attempt.excerpt.as_deref().unwrap_or_default()) }
                    }
                }
            }
        }
        h2 { "What there was to say" }
        pre { (serde_json::to_string_pretty(&delivery.data).unwrap_or_default()) }
    };
    page(delivery.event.name(), body).looking_again(is_about_to_be_sent(delivery))
}

/// The button that sends something once more.
fn replay(delivery: &Delivery) -> Markup {
    html! {
        form method="post" action={ (of_delivery(delivery)) "/replay" } { button aria-label={ "Replay " (delivery.id) } { "Replay" } }
    }
}

/// Returns the query string of a filter in a page's address.
fn query_of(state: Option<DeliveryState>) -> &'static str {
    match state {
        None => "",
        Some(DeliveryState::Pending) => "state=pending",
        Some(DeliveryState::Delivered) => "state=delivered",
        Some(DeliveryState::Failed) => "state=failed",
    }
}

fn channel_state(channel: &Channel) -> String {
    match (channel.enabled, &channel.disabled_reason, channel.failing_since) {
        (true, _, None) => "enabled".to_owned(),
        (true, _, Some(since)) => format!("failing since {}", time(since)),
        (false, Some(reason), _) => format!("disabled: {reason}"),
        (false, None, _) => "disabled".to_owned(),
    }
}

fn delivery_state(delivery: &Delivery) -> String {
    match (delivery.state, delivery.next_attempt_at) {
        (DeliveryState::Delivered, _) => "delivered".to_owned(),
        (DeliveryState::Failed, _) => "failed".to_owned(),
        (DeliveryState::Pending, _) if is_about_to_be_sent(delivery) => "on its way".to_owned(),
        (DeliveryState::Pending, Some(at)) => format!("waits until {}", time(at)),
        (DeliveryState::Pending, None) => "waits".to_owned(),
    }
}

/// Returns true if an attempt is due.
fn is_about_to_be_sent(delivery: &Delivery) -> bool {
    delivery.state == DeliveryState::Pending && delivery.next_attempt_at.is_none_or(|at| at < now() + SOON)
}

fn replayed_text(Replayed { count, has_more }: Replayed) -> String {
    match (count, has_more) {
        (0, _) => "Nothing failed since then: there is nothing to send again.".to_owned(),
        (1, _) => "1 notification is on its way again.".to_owned(),
        (count, false) => format!("{count} notifications are on their way again."),
        (count, true) => format!("{count} notifications are on their way again. There are more: ask again."),
    }
}
