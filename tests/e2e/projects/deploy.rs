//! From a directory or a repository to a live URL, and back.

use std::process::Stdio;

use serde_json::json;
use testkit::wait_until;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::fixtures::answering;
use crate::support::harness::{House, PATIENCE, fixture};
use crate::support::processes;

#[tokio::test]
async fn each_fixture_ends_live_and_answers_with_its_own_words() {
    let house = House::start().await;
    let table = [
        ("static", "/", "Hello from a static site"),
        ("node-server", "/", "Hello from a Node server"),
        ("python-server", "/", "Hello from a Python server"),
        ("function", "/hello", "Hello from a JavaScript function"),
        ("function", "/greet?name=Ada", "Hello from Ada"),
    ];
    for (name, path, words) in table {
        let document = house.deploy(fixture(name), &[]).await;
        let project = document["project"].as_str().unwrap();
        assert_eq!(document["url"], format!("http://{project}.localhost:{}", house.port));
        assert!(document["deployment"].as_str().unwrap().starts_with("dep_"), "{document}");
        let page = house.get(project, path).await;
        assert!(page.status == 200 && page.body.contains(words), "{name}: {page:?}");
        let own_label = document["deploymentUrl"].as_str().unwrap().trim_start_matches("http://").split('.').next().unwrap();
        assert!(house.get(own_label, path).await.body.contains(words), "{name} at its own address");
    }
}

#[tokio::test]
async fn a_vite_site_is_built_with_npm_and_served() {
    let house = House::start().await;
    let document = house.deploy(fixture("vite"), &[]).await;
    let index = house.body("vite").await;
    assert!(index.contains("Hello from a Vite site"), "{index}");
    let script = index.split('"').find(|part| part.starts_with("/assets/") && part.contains(".js")).expect("a built script");
    let script = house.get("vite", script).await;
    assert_eq!(script.status, 200);
    assert!(script.headers["cache-control"].to_str().unwrap().contains("immutable"), "{:?}", script.headers);
    assert!(house.log(document["deployment"].as_str().unwrap()).await.contains("npm ci"));
}

#[tokio::test]
async fn one_of_several_projects_is_deployed_and_started_as_its_procfile_says() {
    let house = House::start().await;
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("shops");
    let project = source.join("apps/shop");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("package.json"), "{}").unwrap();
    std::fs::write(project.join("Procfile"), "web: WORD=${WORD:-hello} node server.js\n").unwrap();
    let server =
        "require('http').createServer((_, response) => response.end(process.env.WORD + ' of the api')).listen(process.env.PORT)";
    std::fs::write(project.join("server.js"), server).unwrap();

    let (code, message) = house.deploy_in_vain(&source, &[]).await;
    assert!(
        code == "NOTHING_DETECTED"
            && message.contains("apps/shop has package.json; deploy one of them with --directory apps/shop"),
        "{message}"
    );
    house.deploy(&source, &["--directory", "apps/shop"]).await;
    assert_eq!(house.body("shop").await, "hello of the api");
    std::fs::write(source.join("mikrocloud.toml"), "[project]\nname = 'shops'\n[build]\ndirectory = 'apps/shop'\n").unwrap();
    house.deploy(&source, &[]).await;
    assert_eq!(house.body("shops").await, "hello of the api");
    let explained = house.json(&["deploy", source.to_str().unwrap(), "--explain"]).await;
    assert_eq!(explained["reason"], "in apps/shop: there is package.json, and Procfile says how it starts");
}

#[tokio::test]
async fn a_repository_is_deployed_at_a_branch_a_tag_and_a_commit() {
    let house = House::start().await;
    let repository = house.repository("shop");
    let first = repository.commit("main", &[("index.html", "first")]);
    repository.tag("v1");
    let second = repository.commit("main", &[("index.html", "second")]);
    repository.commit("next", &[("index.html", "on a branch")]);
    for (reference, body) in
        [(None, "second"), (Some("next"), "on a branch"), (Some("v1"), "first"), (Some(second.as_str()), "second")]
    {
        let options: Vec<&str> = reference.into_iter().flat_map(|reference| ["--ref", reference]).collect();
        house.deploy(repository.url(), &options).await;
        assert_eq!(house.body("shop").await, body, "{reference:?}");
    }
    let document = house.deploy(repository.url(), &["--ref", &first]).await;
    let deployment =
        house.deployment(document["deployment"].as_str().unwrap(), "commitSha source { kind repository reference }").await;
    assert_eq!(deployment["commitSha"], first);
    assert_eq!(deployment["source"], json!({"kind": "git", "repository": repository.url(), "reference": first}));
}

#[tokio::test]
async fn variables_reach_build_and_server_and_are_masked_in_the_log() {
    let house = House::start().await;
    house.json(&["projects", "create", "vars"]).await;
    house.json(&["env", "set", "API_KEY=open-sesame-42", "GREETING=hello there", "-p", "vars"]).await;
    let code = format!(
        "console.log('the key is ' + process.env.API_KEY);\n{}",
        answering("process.env.API_KEY + require('./built.json')")
    );
    let directory = house.project(
        "vars",
        &[
            ("mikrocloud.toml", "[build]\ncommand = \"node build.cjs\"\n"),
            ("package.json", r#"{"scripts": {"start": "node server.js"}}"#),
            ("build.cjs", "console.log('built with ' + process.env.API_KEY); require('fs').writeFileSync('built.json', JSON.stringify('/' + process.env.GREETING))"),
            ("server.js", &code),
        ],
    );
    let document = house.deploy(&directory, &[]).await;
    assert_eq!(house.body("vars").await, "open-sesame-42/hello there");
    let id = document["deployment"].as_str().unwrap();
    house.logged(id, "the key is ***").await;
    let log = house.log(id).await;
    assert!(log.contains("built with ***"), "{log}");
    assert!(!log.contains("open-sesame"), "{log}");
    let listed = house.cli(&["env", "list", "-p", "vars"]).await;
    assert!(listed.stdout.contains("API_KEY") && !listed.stdout.contains("sesame"), "{listed:?}");
}

#[tokio::test]
async fn what_is_public_is_not_masked() {
    let house = House::start().await;
    let code = format!("console.log(process.env.NODE_ENV, process.env.GREETING);\n{}", answering("'up'"));
    let directory = house.project(
        "public",
        &[
            ("mikrocloud.toml", "[env]\nGREETING = \"welcome\"\n"),
            ("package.json", r#"{"scripts": {"start": "node server.js"}}"#),
            ("server.js", &code),
        ],
    );
    let document = house.deploy(&directory, &[]).await;
    house.logged(document["deployment"].as_str().unwrap(), "production welcome").await;
}

#[tokio::test]
async fn deployments_are_named_by_their_number_too() {
    let house = House::start().await;
    for text in ["one", "two"] {
        house.deploy(house.site("shop", text), &[]).await;
    }
    let listed = house.cli(&["logs", "1", "-p", "shop"]).await;
    assert!(listed.exit == 0 && listed.stdout.contains("Built 1 files"), "{listed:?}");
    house.json(&["rollback", "1", "-p", "shop"]).await;
    assert_eq!(house.body("shop").await, "one");
    house.json(&["promote", "2", "-p", "shop", "-e", "preview"]).await;
    assert_eq!(house.body("shop--preview").await, "two");
    let missing = house.cli(&["logs", "99", "-p", "shop"]).await;
    assert!(missing.exit == 1 && missing.stderr.contains("no deployment number 99"), "{missing:?}");
    let unknown = house.cli(&["env", "set", "A=1", "-p", "absent"]).await;
    assert!(unknown.stderr.contains("mikrocloud projects create absent"), "{unknown:?}");
}

#[tokio::test]
async fn a_failure_is_told_once_and_steps_are_told_from_the_log() {
    let house = House::start().await;
    let directory = house.node("shop", "console.log('begun'); throw new Error('no database')");
    let ran = house.cli(&["deploy", directory.to_str().unwrap()]).await;
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert_eq!(ran.stdout.matches("Error: no database").count(), 1, "{}", ran.stdout);
    assert!(
        ran.stderr.ends_with("error: the server exited with status 1 before it answered: Error: no database\n"),
        "{}",
        ran.stderr
    );
    let steps: Vec<_> = ran.stderr.lines().filter_map(|line| line.split_once("s] ").map(|(_, step)| step)).collect();
    assert!(steps.contains(&"building") && steps.last() == Some(&"failed"), "{steps:?}");
    assert!(!ran.stdout.contains("building\n"), "{}", ran.stdout);
    let log = house.cli(&["logs", "1", "-p", "shop"]).await;
    assert_eq!(
        (log.stdout.matches("Error: no database").count(), log.stderr.matches("Error: no database").count()),
        (1, 1),
        "{log:?}"
    );
}

#[tokio::test]
async fn promotion_takes_the_same_artifact_to_production() {
    let house = House::start().await;
    let site = house.site("promoted", "as previewed");
    let preview = house.deploy(&site, &["-e", "preview"]).await;
    assert_eq!(house.get("promoted", "/").await.status, 404, "production shows nothing yet");
    assert_eq!(house.body("promoted--preview").await, "as previewed");
    let promoted = house.json(&["promote", preview["deployment"].as_str().unwrap()]).await;
    assert_eq!(house.body("promoted").await, "as previewed");
    let digest = async |document: &serde_json::Value| {
        house.deployment(document["deployment"].as_str().unwrap(), "artifactDigest trigger").await
    };
    let (before, after) = (digest(&preview).await, digest(&promoted).await);
    assert_eq!(before["artifactDigest"], after["artifactDigest"]);
    assert_eq!((&before["trigger"], &after["trigger"]), (&json!("BUILD"), &json!("PROMOTION")));
}

#[tokio::test]
async fn a_rollback_brings_body_and_variables_back_and_the_new_one_is_a_promotion_away() {
    let house = House::start().await;
    let write = |version: &str| house.node("shop", &answering(&format!("'{version} ' + process.env.PRICE")));
    house.json(&["projects", "create", "shop"]).await;
    house.json(&["env", "set", "PRICE=10", "-p", "shop"]).await;
    house.deploy(write("old"), &[]).await;
    house.json(&["env", "set", "PRICE=20", "-p", "shop"]).await;
    let new = house.deploy(write("new"), &[]).await;
    assert_eq!(house.body("shop").await, "new 20");
    house.json(&["rollback", "-p", "shop"]).await;
    assert_eq!(house.body("shop").await, "old 10");
    house.json(&["promote", new["deployment"].as_str().unwrap()]).await;
    assert_eq!(house.body("shop").await, "new 20");
}

#[tokio::test]
async fn cancelling_kills_a_build_that_hangs_with_all_its_processes() {
    let house = House::start().await;
    // A child in a session of its own, too: it left the process group.
    let code = "const { spawn } = require('node:child_process');\n\
        spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env: {} });\n\
        console.log('hanging'); setInterval(() => {}, 1000);";
    let id = house.deploy_detached(house.build("hang", code), &[]).await;
    house.logged(&id, "hanging").await;
    let document = house.json(&["cancel", &id]).await;
    assert_eq!(document["status"], "cancelled");
    wait_until(PATIENCE, "the build's processes to be gone", async || processes::all_of(&house.data()).is_empty()).await;
    wait_until(PATIENCE, "the build's files to be gone", async || {
        std::fs::read_dir(house.data().join("builds")).unwrap().next().is_none()
    })
    .await;
    // Cancelling again is no error, and the project is none the worse.
    assert_eq!(house.json(&["cancel", &id]).await["status"], "cancelled");
    house.deploy(house.site("hang-not", "fine"), &["-p", "hang"]).await;
    assert_eq!(house.body("hang").await, "fine");
}

#[tokio::test]
async fn a_newer_queued_deployment_supersedes_an_older_queued_one() {
    let house = House::start_with(&[("MIKROCLOUD_BUILDS", "1")]).await;
    let blocker = house.deploy_detached(house.build("blocker", "console.log('hanging'); setInterval(() => {}, 1000)"), &[]).await;
    house.logged(&blocker, "hanging").await;
    let older = house.deploy_detached(house.site("page", "older"), &[]).await;
    let newer = house.deploy_detached(house.site("page", "newer"), &[]).await;
    assert_eq!(house.ended(&older).await, "CANCELLED");
    assert_eq!(house.deployment(&older, "failure { code }").await["failure"]["code"], "SUPERSEDED");
    house.json(&["cancel", &blocker]).await;
    assert_eq!(house.ended(&newer).await, "LIVE");
    assert_eq!(house.body("page").await, "newer");
}

#[tokio::test]
async fn deleting_a_project_leaves_nothing_of_it() {
    let house = House::start().await;
    let directory = house.node("gone", &answering("'here'"));
    house.deploy(&directory, &[]).await;
    house.deploy(&directory, &["-e", "preview"]).await;
    assert!(!processes::all_of(&house.data()).is_empty(), "its servers run");
    let shown = house.json(&["projects", "show", "gone"]).await;
    assert!(shown["resources"].as_array().unwrap().len() >= 4, "{shown}");
    let deleted = house.json(&["projects", "delete", "gone", "--yes"]).await;
    assert_eq!(deleted["deleted"], true);
    assert_eq!(house.get("gone", "/").await.status, 404);
    assert_eq!(house.get("gone--preview", "/").await.status, 404);
    wait_until(PATIENCE, "its processes to be gone", async || processes::all_of(&house.data()).is_empty()).await;
    wait_until(PATIENCE, "its artifacts to be gone", async || house.artifacts().is_empty()).await;
    let (code, message) = house.cli(&["projects", "show", "gone", "--json"]).await.error();
    assert!(code == "NOT_FOUND" && message.contains("gone"), "{code}: {message}");
    // The name is free again.
    house.deploy(house.site("gone-again", "back"), &["-p", "gone"]).await;
    assert_eq!(house.body("gone").await, "back");
}

#[tokio::test]
async fn all_that_was_live_is_live_after_a_restart_and_after_a_crash() {
    let mut house = House::start().await;
    house.deploy(house.site("page", "a page"), &[]).await;
    house.deploy(house.node("server", &answering("'a server'")), &[]).await;
    house.deploy(fixture("function"), &[]).await;
    let live = async |house: &House| {
        wait_until(PATIENCE, "the server", async || house.get("server", "/").await.body == "a server").await;
        assert_eq!(house.body("page").await, "a page");
        assert_eq!(house.get("function", "/hello").await.body, "Hello from a JavaScript function\n");
    };
    assert!(house.terminate().await.success());
    assert_eq!(processes::all_of(&house.data()), [], "it takes its processes along");
    house.run().await;
    live(&house).await;
    house.crash_and_restart().await;
    live(&house).await;
}

#[tokio::test]
async fn ctrl_c_leaves_the_deployment_running_and_says_how_to_follow_it() {
    let house = House::start().await;
    let code = "console.log('begun'); const fs = require('node:fs');\n\
        setTimeout(() => { fs.mkdirSync('out'); fs.writeFileSync('out/index.html', 'finished alone'); }, 1500);";
    let directory = house.build("alone", code);
    let mut command = house.command(&["deploy", directory.to_str().unwrap()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().expect("the build's first line").contains("begun") {}
    processes::signal(i32::try_from(child.id().unwrap()).unwrap(), rustix::process::Signal::INT);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let id = said.split("mikrocloud logs -f ").nth(1).and_then(|rest| rest.split('`').next()).unwrap_or_else(|| panic!("{said}"));
    assert_eq!(house.ended(id).await, "LIVE");
    assert_eq!(house.body("alone").await, "finished alone");
}

#[tokio::test]
async fn deployments_and_projects_are_listed_page_by_page_newest_first() {
    let house = House::start().await;
    let site = house.site("pages", "a page");
    let mut deployed = Vec::new();
    for _ in 0..5 {
        deployed.insert(0, house.deploy(&site, &[]).await["deployment"].clone());
    }
    let (mut listed, mut after) = (Vec::new(), String::new());
    loop {
        let page: &[&str] = if after.is_empty() { &[] } else { &["--after", &after] };
        let document = house.json(&[&["deployments", "-p", "pages", "--limit", "2"], page].concat()).await;
        listed.extend(document["nodes"].as_array().unwrap().iter().map(|node| node["id"].clone()));
        assert_eq!(document["totalCount"], 5, "{document}");
        if document["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = document["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    }
    assert_eq!(listed, deployed);
    let projects = house.json(&["projects", "list"]).await;
    assert_eq!(projects["nodes"][0]["environment"]["liveDeployment"]["number"], 5, "{projects}");
    let table = house.cli(&["deployments", "-p", "pages"]).await;
    assert_eq!(table.stdout.matches("superseded").count(), 4, "{table:?}");
}
