//! Teams.

use serde_json::{Value, json};

use crate::arguments::{Output, TeamsCommand, TeamsOptions};
use crate::client::api::Api;
use crate::client::output::{self, moment, plain, text};
use server::Failure;

/// Number of teams per request.
const AT_ONCE: u32 = 100;
const TEAM: &str = "id name createdAt";

/// Lists, makes and names teams.
pub async fn run(options: TeamsOptions) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let output = options.output;
    match options.command.unwrap_or(TeamsCommand::List { all: false }) {
        TeamsCommand::List { all: false } => {
            let query = format!("{{ me {{ team {{ id }} teams {{ {TEAM} }} }} }}");
            let me = api.run(&query, json!({})).await?["me"].take();
            show(&me["teams"], &me["team"]["id"], output);
        }
        TeamsCommand::List { all: true } => {
            let here = api.run("{ me { team { id } } }", json!({})).await?["me"]["team"]["id"].take();
            show(&all(&api).await?, &here, output);
        }
        TeamsCommand::Create { name } => {
            let made = api.mutate("createTeam", "CreateTeamInput", json!({"name": name}), &format!("team {{ {TEAM} }}")).await?;
            let team = &made["team"];
            let said = format!(
                "Made {} ({}); you own it.\nNext: `mikrocloud login` and choose it in the browser, or `mikrocloud login --email YOU --team {}`",
                plain(&text(&team["name"])),
                text(&team["id"]),
                text(&team["id"]),
            );
            output::say(team, &said, output);
        }
        TeamsCommand::Rename { name } => {
            let done = api.mutate("updateTeam", "UpdateTeamInput", json!({"name": name}), &format!("team {{ {TEAM} }}")).await?;
            output::say(&done["team"], &format!("The team is {} now.", plain(&text(&done["team"]["name"]))), output);
        }
    }
    Ok(())
}

async fn all(api: &Api) -> Result<Value, Failure> {
    let query = format!(
        "query($after: ID) {{ teams(first: {AT_ONCE}, after: $after) {{ nodes {{ {TEAM} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let mut page = api.run(&query, json!({"after": after})).await?["teams"].take();
        if let Value::Array(nodes) = page["nodes"].take() {
            found.extend(nodes);
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(Value::Array(found));
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

fn show(teams: &Value, here: &Value, output: Output) {
    if output.json {
        output::json(teams);
        return;
    }
    let rows = teams.as_array().into_iter().flatten().map(|team| {
        let mark = if team["id"] == *here { "*" } else { "" };
        vec![mark.to_owned(), plain(&text(&team["name"])), text(&team["id"]), moment(&team["createdAt"])]
    });
    output::table(&["", "TEAM", "ID", "MADE (UTC)"], rows.collect(), "You are in no team: whoever runs one adds you.");
}

/// The id of the team of that name, or with that id, among those that a session reaches.
pub async fn find(api: &Api, given: &str) -> Result<String, Failure> {
    let teams = api.run("{ me { teams { id name } } }", json!({})).await?["me"]["teams"].take();
    let teams = teams.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_it = |team: &&Value| team["id"] == given || team["name"] == given;
    teams.iter().find(is_it).map(|team| text(&team["id"])).ok_or_else(|| {
        let known: Vec<_> = teams.iter().map(|team| plain(&text(&team["name"]))).collect();
        let message = format!("you are in no team `{}`: there are {}", plain(given), known.join(", "));
        Failure::failed("NOT_FOUND", message)
    })
}
