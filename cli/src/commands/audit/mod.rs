//! The audit log.

mod export;
mod verify;

use serde_json::{Value, json};

use crate::arguments::{AuditCommand, AuditOptions, Output};
use crate::client::api::Api;
use crate::client::output::{self, moment, plain, text};
use server::Failure;

/// Number of entries per request.
const PAGE: usize = 100;

const ENTRY: &str = "sequence at action outcome actor { userId email name answerable credential { kind id name } } \
                     address requestId agent target { kind id name } before after details hash";

/// Shows the log, exports it, or checks an export.
pub async fn run(options: AuditOptions) -> Result<(), Failure> {
    let output = options.output;
    match options.command {
        None => list(options).await,
        Some(AuditCommand::Export { file, format, time }) => export::run(&file, format, time, output).await,
        Some(AuditCommand::Verify { file, public_keys, earlier }) => verify::run(&file, public_keys, earlier.as_deref(), output),
        Some(AuditCommand::Keys) => keys(output).await,
    }
}

async fn list(options: AuditOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let filter = json!({
        "since": options.time.since,
        "until": options.time.until,
        "actor": options.actor,
        "action": options.action,
        "target": options.target,
        "outcome": options.denied.then_some("DENIED"),
    });
    let query = format!(
        "query($filter: AuditFilter, $first: Int, $after: ID) {{ auditLog(filter: $filter, first: $first, after: $after) {{
            nodes {{ {ENTRY} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    let (mut entries, mut after) = (Vec::new(), Value::Null);
    loop {
        let first = PAGE.min(limit - entries.len());
        let mut data = api.run(&query, json!({"filter": filter, "first": first, "after": after})).await?;
        let page = &mut data["auditLog"];
        if let Value::Array(nodes) = page["nodes"].take() {
            entries.extend(nodes);
        }
        after = page["pageInfo"]["endCursor"].take();
        let has_more = page["pageInfo"]["hasNextPage"] == true;
        if !has_more || entries.len() >= limit {
            show(entries, has_more, options.output);
            return Ok(());
        }
    }
}

fn show(entries: Vec<Value>, has_more: bool, output: Output) {
    if output.json {
        output::json(&Value::Array(entries));
        return;
    }
    let last = entries.last().map(|entry| moment(&entry["at"]));
    let rows = entries.iter().map(row).collect();
    output::table(&["ENTRY", "AT (UTC)", "WHO", "WHAT", "ON", "FROM"], rows, "No such entries: other filters, or another time?");
    if let Some(last) = last.filter(|_| has_more) {
        println!("There are more, before {last}: --limit, --until");
    }
}

fn row(entry: &Value) -> Vec<String> {
    let either = |one: &Value, other: &Value| if one.is_null() { text(other) } else { text(one) };
    let actor = &entry["actor"];
    let mut who = either(&actor["email"], &actor["name"]);
    if who.is_empty() {
        who = if actor["userId"].is_null() { "MikroCloud".to_owned() } else { text(&actor["userId"]) };
    }
    let by = match actor["credential"]["kind"].as_str() {
        Some("api_key") => format!(" by key {}", either(&actor["credential"]["name"], &actor["credential"]["id"])),
        Some("schedule") => format!(" by schedule {}", text(&actor["credential"]["id"])),
        _ => String::new(),
    };
    let refused = if entry["outcome"] == "DENIED" { " (denied)" } else { "" };
    let target = &entry["target"];
    let on = format!("{} {}", text(&target["kind"]), either(&target["name"], &target["id"]));
    [
        text(&entry["sequence"]),
        moment(&entry["at"]),
        who + &by,
        text(&entry["action"]) + refused,
        on.trim().to_owned(),
        text(&entry["address"]),
    ]
    .map(|cell| plain(&cell))
    .into()
}

async fn keys(output: Output) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let data = api.run("{ auditKeys { publicKey createdAt current } }", json!({})).await?;
    let keys = &data["auditKeys"];
    if output.json {
        output::json(keys);
        return Ok(());
    }
    let rows = keys.as_array().into_iter().flatten().map(|key| {
        let signs = if key["current"] == true { "signs at present" } else { "signed before" };
        vec![text(&key["publicKey"]), signs.to_owned(), moment(&key["createdAt"])]
    });
    output::table(&["PUBLIC KEY", "", "SINCE (UTC)"], rows.collect(), "There are no keys.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_who_did_it_by_what() {
        let entry = json!({"sequence": 7, "at": "2026-11-25T10:00:00.5Z", "action": "project.create", "outcome": "DENIED", "address": null,
            "actor": {"email": "ada@example.org", "credential": {"kind": "api_key", "id": "key_1", "name": "ci"}},
            "target": {"kind": "project", "id": "prj_1", "name": null}});
        let expected = ["7", "2026-11-25 10:00:00", "ada@example.org by key ci", "project.create (denied)", "project prj_1", ""];
        assert_eq!(row(&entry), expected);
        assert_eq!(row(&json!({"action": "audit.expire"}))[2], "MikroCloud");
    }
}
