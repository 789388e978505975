//! The audit log.

mod export;
mod mutations;
mod rest;

use serde_json::{Value, json};
use testkit::wait_until;

use crate::support::harness::{House, PATIENCE};
use crate::world::first_message;

const ENTRY: &str = "sequence action outcome address requestId agent actor { userId email name answerable credential { kind id name } } \
                     target { kind id name } before after details hash";

impl House {
    /// The entries of the owner's log that a filter finds, the latest first.
    pub async fn audit(&self, filter: Value, first: usize) -> Vec<Value> {
        let query = format!(
            "query($filter: AuditFilter, $first: Int) {{ auditLog(filter: $filter, first: $first) {{ nodes {{ {ENTRY} }} }} }}"
        );
        let mut data = self.graphql(&query, json!({"filter": filter, "first": first})).await;
        serde_json::from_value(data["auditLog"]["nodes"].take()).unwrap()
    }

    /// The last entry of the owner's log.
    async fn last_entry(&self) -> Value {
        self.audit(Value::Null, 1).await.remove(0)
    }
}

#[tokio::test]
async fn an_entry_says_who_from_where_and_what_changed_without_any_secret() {
    let house = House::start().await;
    let project = house.json(&["projects", "create", "shop"]).await["id"].as_str().unwrap().to_owned();
    let made = house.last_entry().await;
    assert_eq!(
        (&made["action"], &made["outcome"], &made["address"]),
        (&json!("project.create"), &json!("DONE"), &json!("127.0.0.1"))
    );
    assert_eq!(made["target"], json!({"kind": "project", "id": project, "name": "shop"}));
    assert_eq!(made["actor"]["email"], "owner@localhost");
    let credential = &made["actor"]["credential"];
    assert_eq!((&credential["kind"], &credential["name"]), (&json!("api_key"), &json!("CLI on this machine")), "{made}");
    assert!(made["agent"].as_str().unwrap().starts_with("mikrocloud/"), "{made}");
    assert_eq!(
        (&made["before"], &made["after"]),
        (&Value::Null, &json!({"name": "shop", "reference": null, "repository": null}))
    );

    // The sender's id of the request is kept, and the address that a proxy on this machine tells of.
    let query = "mutation($input: UpdateProjectInput!) { updateProject(input: $input) { userErrors { code } } }";
    let variables = json!({"input": {"projectId": project, "reference": "main", "name": "shop"}});
    let request = self::request(&house).header("x-request-id", "from-the-test").header("x-forwarded-for", "203.0.113.9");
    request.json(&json!({"query": query, "variables": variables})).send().await.unwrap();
    let entry = house.last_entry().await;
    assert_eq!((&entry["requestId"], &entry["address"]), (&json!("from-the-test"), &json!("203.0.113.9")), "{entry}");
    assert_eq!((&entry["before"], &entry["after"]), (&json!({"reference": null}), &json!({"reference": "main"})), "what differs");
}

fn request(house: &House) -> reqwest::RequestBuilder {
    house.http.post(house.url("/graphql")).bearer_auth(house.token())
}

#[tokio::test]
async fn values_of_variables_stand_in_the_log_as_digests() {
    let house = House::start().await;
    house.json(&["projects", "create", "shop"]).await;
    let set = async |value: &str| {
        house.json(&["env", "set", "--project", "shop", &format!("PIN={value}")]).await;
        let entry = house.last_entry().await;
        assert_eq!((&entry["action"], &entry["details"]), (&json!("variable.set"), &json!({"environment": "production"})));
        (entry["before"]["PIN"].clone(), entry["after"]["PIN"].as_str().unwrap().to_owned())
    };
    let (first, second) = (set("very secret 1").await, set("very secret 2").await);
    assert_eq!((first.0, second.0), (Value::Null, json!(first.1)), "what was set before");
    assert!(first.1.starts_with("hmac-sha256:") && first.1 != second.1);
    assert_eq!(set("very secret 1").await.1, first.1, "the same value, the same digest");
    house.json(&["env", "unset", "--project", "shop", "PIN"]).await;
    let entry = house.last_entry().await;
    assert_eq!(
        (&entry["action"], &entry["before"]["PIN"], &entry["after"]),
        (&json!("variable.unset"), &json!(first.1), &Value::Null)
    );
    let key = house.json(&["keys", "create", "a key"]).await["secret"].as_str().unwrap().to_owned();
    let all = json!(house.audit(Value::Null, 100).await).to_string();
    assert!(!all.contains("very secret") && !all.contains(&key), "{all}");
}

#[tokio::test]
async fn refusals_are_in_the_log_once_a_minute_and_nobody_but_its_readers_reads_it() {
    let house = House::start().await;
    let viewer = house.colleague("vic", "viewer").await;
    let dev = house.colleague("dev", "developer").await;
    for _ in 0..20 {
        let ran = house.cli_as(&viewer.token, &["projects", "create", "mine"]).await;
        assert_eq!(ran.error().0, "FORBIDDEN");
    }
    let denied = house.audit(json!({"outcome": "DENIED"}), 100).await;
    assert_eq!(denied.len(), 1, "{denied:?}");
    let entry = &denied[0];
    assert_eq!((&entry["action"], &entry["actor"]["userId"]), (&json!("project.create"), &json!(viewer.user)), "{entry}");
    assert_eq!(
        (&entry["details"]["permission"], &entry["actor"]["credential"]["kind"]),
        (&json!("project-write"), &json!("session"))
    );
    let shown = house.cli(&["audit", "--denied"]).await.stdout;
    assert!(shown.contains("project.create (denied)") && shown.contains("vic@example.org"), "{shown}");
    for token in [&viewer.token, &dev.token] {
        for arguments in [&["audit"][..], &["audit", "keys"], &["audit", "export", "-"]] {
            let ran = house.cli_as(token, arguments).await;
            assert_eq!(ran.error().0, "FORBIDDEN", "{arguments:?}");
        }
    }
    let denied = house.audit(json!({"action": "audit", "outcome": "DENIED"}), 100).await;
    assert_eq!(denied.len(), 2, "to try to export it is something: {denied:?}");
}

#[tokio::test]
async fn the_log_is_searched_page_by_page_and_survives_what_it_is_about() {
    let house = House::start().await;
    let ann = house.colleague("ann", "admin").await;
    let empty = house.cli(&["audit", "--action", "project"]).await;
    assert!(empty.exit == 0 && empty.stdout.starts_with("No such entries"), "{empty:?}");
    let unknown = house.cli(&["audit", "--action", "no-such", "--json"]).await.error();
    assert!(unknown.0 == "BAD_INPUT" && unknown.1.contains("project.create"), "{unknown:?}");
    let project = house.cli_as(&ann.token, &["projects", "create", "shop"]).await.json()["id"].as_str().unwrap().to_owned();
    let long = "\u{fc}".repeat(2000);
    for number in 0..120 {
        let value = if number == 0 { long.clone() } else { format!("{number}") };
        let input = json!({"projectId": project, "variables": [{"name": format!("N_{number}"), "value": value}]});
        house.mutate("setEnvironmentVariable", "SetEnvironmentVariableInput", input, "names").await;
    }
    let listed = house.json(&["audit", "--action", "variable.set", "--limit", "110"]).await;
    let numbers: Vec<i64> = listed.as_array().unwrap().iter().map(|entry| entry["sequence"].as_i64().unwrap()).collect();
    assert!(numbers.len() == 110 && numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");
    let said = house.cli(&["audit", "--limit", "2"]).await.stdout;
    assert!(said.lines().count() == 4 && said.contains("There are more, before"), "{said}");

    let key = house.cli_as(&ann.token, &["keys", "create", "ci", "--scope", "project-write"]).await.json();
    house.json(&["members", "remove", "ann@example.org"]).await;
    house.json(&["projects", "delete", "shop", "--yes"]).await;
    wait_until(PATIENCE, "the end of the project", async || {
        house.graphql("query($id: ID!) { project(id: $id) { id } }", json!({"id": project})).await["project"].is_null()
    })
    .await;
    for (arguments, expected) in [
        (["--actor", "ann@example.org"], 4),
        (["--actor", &ann.user], 4),
        (["--actor", key["apiKey"]["id"].as_str().unwrap_or("none")], 0),
        (["--target", "shop"], 122),
        (["--target", "ann@example.org"], 2),
        (["--until", "2026-01-01"], 0),
        (["--since", "2026-01-01"], 127),
    ] {
        let found = house.json(&[&["audit", "--limit", "1000"], &arguments[..]].concat()).await;
        let found = found.as_array().unwrap();
        assert_eq!(found.len(), expected, "{arguments:?}: {:?}", found.first());
    }
    let wrong = house.cli(&["audit", "--since", "yesterday"]).await;
    assert!(wrong.exit == 2 && wrong.stderr.contains("2026-11-25"), "{wrong:?}");
}

#[tokio::test]
async fn what_a_schedule_and_a_websocket_change_is_in_the_log() {
    let house = House::start().await;
    let repository = house.repository("nightly");
    repository.commit("main", &[("index.html", "from the schedule")]);
    house.json(&["projects", "create", "nightly", "--repository", &repository.url()]).await;
    let schedule = house.json(&["schedules", "create", "often", "* * * * * *", "-p", "nightly"]).await;
    let schedule = schedule[0]["id"].as_str().unwrap();
    wait_until(PATIENCE, "a deployment of the schedule", async || !house.audit(json!({"actor": schedule}), 1).await.is_empty())
        .await;
    let entry = house.audit(json!({"actor": schedule}), 1).await.remove(0);
    assert_eq!(entry["action"], "deployment.trigger");
    assert_eq!(entry["actor"]["credential"], json!({"kind": "schedule", "id": schedule, "name": null}));
    assert_eq!((&entry["actor"]["email"], &entry["address"]), (&json!("owner@localhost"), &Value::Null), "for whom it acts");
    house.json(&["schedules", "delete", "often", "-p", "nightly"]).await;

    let document = "mutation { createProject(input: {name: \"by-socket\"}) { userErrors { code } } }";
    first_message(&house, Some(&house.token()), document).await;
    let entry = house.audit(json!({"target": "by-socket"}), 1).await.remove(0);
    assert_eq!(entry["address"], "127.0.0.1");
    assert!(entry["requestId"].is_string(), "{entry}");
}
