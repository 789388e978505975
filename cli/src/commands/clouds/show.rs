//! Accounts and clouds, as people read them.

use serde_json::{Value, json};

use crate::arguments::Output;
use crate::client::output::{self, moment, plain, table, text};

/// A list of accounts.
pub fn accounts(accounts: &[Value], output: Output) {
    if output.json {
        return output::json(&json!(accounts));
    }
    let row = |account: &Value| {
        let default = if account["isDefault"] == true { " (default)" } else { "" };
        vec![
            format!("{}:{}{default}", text(&account["cloud"]), text(&account["name"])),
            plain(&text(&account["identity"])),
            text(&account["region"]),
            format!("{}{}", state(account), simulated(account)),
            plain(&text(&account["problem"])),
        ]
    };
    let empty = "Your team has no cloud accounts yet: `mikrocloud clouds connect gcp --key-file FILE` connects one.";
    table(&["ACCOUNT", "ID", "REGION", "STATE", "PROBLEM"], accounts.iter().map(row).collect(), empty);
}

/// An account with what is known of it.
pub fn account(account: &Value, output: Output) {
    if output.json {
        return output::json(account);
    }
    println!("{}:{}  {}{}", text(&account["cloud"]), text(&account["name"]), state(account), simulated(account));
    println!("id: {}  region: {}", plain(&text(&account["identity"])), text(&account["region"]));
    if let Some(principal) = account["principal"].as_str() {
        println!("signed in as {} (looked at {} UTC)", plain(principal), moment(&account["verifiedAt"]));
    }
    if let Some(problem) = account["problem"].as_str() {
        println!("problem: {}", plain(problem));
    }
    for check in list(&account["checks"]).iter().filter(|check| check["outcome"] != "GRANTED") {
        let outcome = text(&check["outcome"]).to_lowercase();
        println!("{outcome}: {}  {}", text(&check["permission"]), plain(&text(&check["remedy"])));
    }
    let granted = list(&account["checks"]).iter().filter(|check| check["outcome"] == "GRANTED").count();
    if granted > 0 {
        println!("{granted} of {} permissions are granted", list(&account["checks"]).len());
    }
    for base in list(&account["bases"]) {
        let state = text(&base["state"]).to_lowercase();
        println!("shared in {}: {} ({state}) {}", text(&base["region"]), text(&base["name"]), plain(&text(&base["problem"])));
    }
    let rows: Vec<_> = list(&account["resources"])
        .iter()
        .map(|thing| vec![text(&thing["kind"]), text(&thing["name"]), text(&thing["region"]), text(&thing["state"])])
        .collect();
    if !rows.is_empty() {
        println!();
        table(&["KIND", "NAME", "REGION", "STATE"], rows, "");
    }
}

/// The regions of each cloud.
pub fn regions(clouds: &Value, output: Output) {
    if output.json {
        return output::json(clouds);
    }
    let clouds = list(clouds);
    let mut names: Vec<String> = Vec::new();
    for region in clouds.iter().flat_map(|cloud| list(&cloud["regions"])) {
        let name = text(&region["neutral"]);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let head: Vec<String> =
        std::iter::once("REGION".to_owned()).chain(clouds.iter().map(|cloud| text(&cloud["name"]).to_uppercase())).collect();
    let vendors = |cloud: &Value, name: &str| {
        let found = list(&cloud["regions"]).iter().find(|region| region["neutral"] == name);
        found.map(|region| text(&region["vendor"])).unwrap_or_default()
    };
    let row = |name: String| {
        let of_clouds: Vec<_> = clouds.iter().map(|cloud| vendors(cloud, &name)).collect();
        std::iter::once(name).chain(of_clouds).collect()
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table(&head, names.into_iter().map(row).collect(), NO_CLOUDS);
}

/// Abilities of each cloud.
pub fn capabilities(clouds: &Value, output: Output) {
    if output.json {
        return output::json(clouds);
    }
    let mut rows = Vec::new();
    let mut proven = Vec::new();
    for cloud in list(clouds) {
        for capability in list(&cloud["capabilities"]) {
            let kind = [text(&cloud["title"]), text(&capability["name"])];
            if list(&capability["proven"]).is_empty() {
                proven.push(kind.iter().map(String::as_str).chain(["nothing yet", "", "", ""]).map(str::to_owned).collect());
            }
            for proof in list(&capability["proven"]) {
                let cells = ["group", "cases", "against", "day"].map(|field| text(&proof[field]));
                proven.push(kind.iter().cloned().chain(cells).collect());
            }
            let idle: Vec<_> = list(&capability["idle"])
                .iter()
                .map(|cost| format!("{} (per {})", text(&cost["item"]), text(&cost["per"]).replace('_', " and ")))
                .collect();
            let own = if capability["ownAddress"] == true { "yes" } else { "no" };
            let idle = if idle.is_empty() { "nothing".to_owned() } else { idle.join(", ") };
            let switch = text(&capability["switch"]).replace('_', " ");
            rows.push(kind.into_iter().chain([switch, own.to_owned(), idle]).collect());
        }
    }
    let is_empty = rows.is_empty();
    table(&["CLOUD", "KIND", "SWITCH", "ADDRESS PER DEPLOYMENT", "COSTS WHILE IDLE"], rows, NO_CLOUDS);
    if !is_empty {
        println!();
        table(&["CLOUD", "KIND", "PROVEN", "CASES", "AGAINST", "ON"], proven, NO_CLOUDS);
    }
}

const NO_CLOUDS: &str = "This server has no vendors' clouds: it was built without them.";

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn state(account: &Value) -> String {
    text(&account["state"]).to_lowercase()
}

/// Everything in a simulated cloud is marked wherever it is shown.
fn simulated(account: &Value) -> &'static str {
    if account["simulated"] == true { "  SIMULATED" } else { "" }
}
