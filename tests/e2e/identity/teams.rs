//! Several teams in one installation.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::access::PASSWORD;
use crate::support::browser::Browser;
use crate::support::client::Ran;
use crate::support::harness::House;

const OWNER: &str = "owner@localhost";

/// A command line that signed in with a password; its directory holds the credential.
async fn signed_in(house: &House, email: &str, team: Option<&str>) -> (tempfile::TempDir, Ran) {
    let config = tempfile::tempdir().unwrap();
    let url = house.url("");
    let mut arguments = vec!["login", "--url", &*url, "--email", email, "--json"];
    arguments.extend(team.into_iter().flat_map(|team| ["--team", team]));
    let mut login = house.command(&arguments);
    login.env("MIKROCLOUD_CONFIG_DIR", config.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut login = login.spawn().unwrap();
    login.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).await.unwrap();
    (config, login.wait_with_output().await.unwrap().into())
}

impl House {
    /// Runs a command with the credential of that directory.
    async fn cli_in(&self, config: &tempfile::TempDir, arguments: &[&str]) -> Ran {
        let mut command = self.command(&[arguments, &["--json"]].concat());
        command.env("MIKROCLOUD_CONFIG_DIR", config.path()).output().await.unwrap().into()
    }
}

fn names(teams: &Value) -> Vec<&str> {
    teams.as_array().unwrap().iter().map(|team| team["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_runs_the_installation_makes_teams_that_share_nothing() {
    let house = House::start().await;
    house.owner_session().await;
    assert_eq!(names(&house.json(&["teams"]).await), ["Home"]);
    house.json(&["projects", "create", "shop"]).await;
    let made = house.json(&["teams", "create", " Entwürfe "]).await;
    assert_eq!(made["name"], "Entwürfe");
    assert_eq!(names(&house.json(&["teams"]).await), ["Home"], "a key is good for one team");
    assert_eq!(names(&house.json(&["teams", "list", "--all"]).await), ["Home", "Entwürfe"]);
    let shown = house.cli(&["teams"]).await.stdout;
    assert!(shown.contains("* ") && shown.contains("Home"), "{shown}");

    // Another team, with projects, secrets and a log of its own.
    let (config, ran) = signed_in(&house, OWNER, Some("Entwürfe")).await;
    assert_eq!(ran.json()["team"], json!({"id": made["id"], "name": "Entwürfe"}), "{ran:?}");
    let projects = house.cli_in(&config, &["projects"]).await;
    assert_eq!(projects.json()["nodes"], json!([]), "nothing of the other team: {projects:?}");
    let created = house.cli_in(&config, &["projects", "create", "blog"]).await;
    assert_eq!(created.exit, 0, "{created:?}");
    let set = house.cli_in(&config, &["env", "set", "TOKEN=of-the-other-team", "-p", "blog"]).await;
    assert_eq!(set.exit, 0, "the team has a key for its secrets: {set:?}");
    assert_eq!(house.cli(&["projects", "show", "blog"]).await.exit, 1, "nor the other way round");
    let log = house.cli_in(&config, &["audit"]).await.json();
    let first = log.as_array().unwrap().last().unwrap();
    assert_eq!((&first["action"], &first["actor"]["email"]), (&json!("team.create"), &json!(OWNER)), "{log}");
    let here = house.json(&["audit", "--action", "team.create"]).await;
    assert_eq!(here[0]["target"]["name"], "Entwürfe", "{here}");

    // The id does as well; without a choice it is the first team; one that is none is said.
    let (_, ran) = signed_in(&house, OWNER, made["id"].as_str()).await;
    assert_eq!(ran.json()["team"]["name"], "Entwürfe", "{ran:?}");
    let (_, ran) = signed_in(&house, OWNER, None).await;
    assert_eq!(ran.json()["team"]["name"], "Home", "{ran:?}");
    let (_, ran) = signed_in(&house, OWNER, Some("nowhere")).await;
    assert!(ran.error().1.contains("there are Home, Entwürfe"), "{ran:?}");

    // A browser is asked which.
    let (mut browser, page) = Browser::signed_in(&house, OWNER, "/notifications").await;
    assert!(page.text.contains(">Home</a>") && page.text.contains(">Entwürfe</a>"), "{page:?}");
    let page = browser.get(&house.url(&format!("/teams/{}/notifications", made["id"].as_str().unwrap()))).await;
    assert!(page.status == 200 && page.text.contains("No notification channels yet"), "{page:?}");
    let (tokens, mine) = (house.sign_in(OWNER, PASSWORD).await.1, "{ me { teams { name } } }");
    let mine = house.graphql_as(tokens["access_token"].as_str().unwrap(), mine, json!({})).await;
    assert_eq!(names(&mine["data"]["me"]["teams"]), ["Home", "Entwürfe"], "a session reaches all");
}

#[tokio::test]
async fn an_owner_who_does_not_run_the_installation_names_their_own_team_only() {
    let house = House::start().await;
    house.owner_session().await;
    house.json(&["teams", "create", "Design"]).await;
    let (design, _) = signed_in(&house, OWNER, Some("Design")).await;
    let added = house.cli_in(&design, &["members", "add", "dora@example.org", "--role", "owner"]).await.json();
    let link = added["signInLink"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned();
    let (status, _) = house.post("/auth/link", json!({"token": link, "password": PASSWORD})).await;
    assert_eq!(status, 200);
    let (dora, ran) = signed_in(&house, "dora@example.org", None).await;
    assert_eq!(ran.json()["team"]["name"], "Design", "{ran:?}");
    for denied in [&["teams", "create", "More"][..], &["teams", "list", "--all"]] {
        assert_eq!(house.cli_in(&dora, denied).await.error().0, "FORBIDDEN", "{denied:?}");
    }
    for (name, code) in [("home", "TAKEN"), ("", "INVALID_NAME"), ("a\nb", "INVALID_NAME"), (&*"x".repeat(61), "INVALID_NAME")] {
        assert_eq!(house.cli_in(&dora, &["teams", "rename", name]).await.error().0, code, "{name:?}");
    }
    assert_eq!(house.cli_in(&dora, &["teams", "rename", "DESIGN"]).await.json()["name"], "DESIGN", "its own name is free");
    let renamed = house.cli_in(&dora, &["teams", "rename", "Studio"]).await;
    assert_eq!(renamed.json()["name"], "Studio", "{renamed:?}");
    assert_eq!(house.json(&["whoami"]).await["team"]["name"], "Home");
    let entry = house.cli_in(&dora, &["audit", "--action", "team.update"]).await.json();
    assert_eq!((&entry[0]["before"]["name"], &entry[0]["after"]["name"]), (&json!("DESIGN"), &json!("Studio")), "{entry}");
}

#[tokio::test]
async fn of_several_who_take_a_name_at_once_one_gets_it() {
    let house = House::start().await;
    let tries = (0..8).map(|_| house.cli(&["teams", "create", "Design", "--json"]));
    let ran = futures::future::join_all(tries).await;
    assert_eq!(ran.iter().filter(|ran| ran.exit == 0).count(), 1, "{ran:?}");
    assert!(ran.iter().filter(|ran| ran.exit != 0).all(|ran| ran.error().0 == "TAKEN"), "{ran:?}");
    assert_eq!(names(&house.json(&["teams", "list", "--all"]).await), ["Home", "Design"]);
}
