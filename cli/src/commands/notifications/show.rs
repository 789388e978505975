//! Channels and deliveries as tables.

use serde_json::Value;

use crate::arguments::Output;
use crate::client::output::{self, moment, plain, text};

/// A channel, whole.
pub fn channel(channel: &Value, output: Output) {
    if output.json {
        output::json(channel);
        return;
    }
    let events = list(&channel["events"]);
    let templates: Vec<_> = channel["templates"].as_array().into_iter().flatten().map(|own| text(&own["event"])).collect();
    let project = if channel["projectId"].is_null() { "all the team has".to_owned() } else { text(&channel["projectId"]) };
    let rows = [
        ("name", text(&channel["name"])),
        ("id", text(&channel["id"])),
        ("kind", text(&channel["kind"]).to_lowercase()),
        ("address", text(&channel["address"])),
        ("project", project),
        ("told of", events),
        ("own texts", templates.join(", ")),
        ("state", state(channel)),
        ("failing since", moment(&channel["failingSince"])),
        ("paused until", moment(&channel["pausedUntil"])),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    output::table(&["", ""], rows.map(|(name, value)| vec![name.to_owned(), plain(&value)]).collect(), "");
}

/// Channels.
pub fn channels(channels: &Value, output: Output) {
    if output.json {
        output::json(channels);
        return;
    }
    let rows = channels.as_array().into_iter().flatten().map(|channel| {
        let project = if channel["projectId"].is_null() { "(all)".to_owned() } else { text(&channel["projectId"]) };
        let cells = [
            text(&channel["name"]),
            text(&channel["kind"]).to_lowercase(),
            text(&channel["address"]),
            project,
            state(channel),
            text(&channel["id"]),
        ];
        cells.map(|cell| plain(&cell)).into()
    });
    let empty = "No notification channels yet: add one with `mikrocloud notifications add webhook NAME https://...`, \
                 or slack, discord, email.";
    output::table(&["CHANNEL", "KIND", "ADDRESS", "PROJECT", "STATE", "ID"], rows.collect(), empty);
}

/// Deliveries.
pub fn deliveries(nodes: &Value, has_more: bool, output: Output) {
    if output.json {
        output::json(nodes);
        return;
    }
    let rows = nodes.as_array().into_iter().flatten().map(|delivery| {
        let next = moment(&delivery["nextAttemptAt"]);
        let state = text(&delivery["state"]).to_lowercase();
        let state = if next.is_empty() || delivery["attemptCount"] == 0 { state } else { format!("{state}, next {next}") };
        let cells = [
            text(&delivery["id"]),
            text(&delivery["event"]),
            moment(&delivery["eventAt"]),
            state,
            text(&delivery["attemptCount"]),
            text(&delivery["error"]),
        ];
        cells.map(|cell| plain(&cell)).into()
    });
    let empty = "Nothing was sent to it in the last 30 days: `mikrocloud notifications test` sends something.";
    output::table(&["NOTIFICATION", "EVENT", "AT (UTC)", "STATE", "ATTEMPTS", "ERROR"], rows.collect(), empty);
    if has_more {
        println!("There are more: --limit, --since, --state");
    }
}

/// A delivery with its attempts.
pub fn delivery(delivery: &Value, output: Output) {
    if output.json {
        output::json(delivery);
        return;
    }
    println!("{}: {} of {}", text(&delivery["id"]), text(&delivery["event"]), moment(&delivery["eventAt"]));
    println!("{}", delivery["data"]);
    let rows = delivery["attempts"].as_array().into_iter().flatten().map(|attempt| {
        let cells = [
            text(&attempt["number"]),
            moment(&attempt["at"]),
            format!("{} ms", text(&attempt["durationMs"])),
            text(&attempt["status"]),
            text(&attempt["error"]),
            text(&attempt["excerpt"]),
        ];
        cells.map(|cell| plain(&cell)).into()
    });
    let head = ["ATTEMPT", "AT (UTC)", "TOOK", "STATUS", "ERROR", "ANSWER"];
    output::table(&head, rows.collect(), "It was not tried yet.");
}

fn list(values: &Value) -> String {
    values.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ")
}

fn state(channel: &Value) -> String {
    match (channel["enabled"].as_bool(), channel["disabledReason"].as_str()) {
        (Some(true), _) if channel["failingSince"].is_null() => "enabled".to_owned(),
        (Some(true), _) => format!("failing since {}", moment(&channel["failingSince"])),
        (_, Some(reason)) => format!("disabled: {reason}"),
        _ => "disabled".to_owned(),
    }
}
