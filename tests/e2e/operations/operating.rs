//! Commands and endpoints for operators.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::wait_until;
use tokio::time::Instant;

use crate::support::harness::{House, PATIENCE};
use crate::support::processes;

#[tokio::test]
async fn health_readiness_and_metrics_answer() {
    let house = House::start().await;
    house.deploy(house.site("page", "a page"), &[]).await;
    let get = async |path: &str| house.http.get(house.url(path)).send().await.unwrap();
    let alive = get("/healthz").await;
    assert_eq!(alive.status(), 200);
    assert!(alive.headers().contains_key("x-request-id"), "{:?}", alive.headers());
    assert_eq!(alive.text().await.unwrap(), "ok\n");
    let ready = get("/readyz").await;
    assert_eq!(ready.status(), 200);
    let ready = ready.json::<serde_json::Value>().await.unwrap();
    assert_eq!((ready["status"].as_str(), ready["database"].as_str()), (Some("ready"), Some("ok")), "{ready}");
    assert!(ready["databaseMilliseconds"].is_u64(), "{ready}");
    let metrics = get("/metrics").await.text().await.unwrap();
    for expected in ["mikrocloud_deployments{status=\"live\"} 1", "mikrocloud_jobs_total", "mikrocloud_job_seconds"] {
        assert!(metrics.contains(expected), "{expected} in\n{metrics}");
    }
    let named = house.http.get(house.url("/nothing")).header("x-request-id", "from-the-caller-1").send().await.unwrap();
    assert_eq!(named.status(), 404);
    let given = named.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert!(!given.is_empty());
    assert_eq!(named.json::<serde_json::Value>().await.unwrap()["code"], "NOT_FOUND");
    // Through a proxy, numbers are for those who sign in.
    let proxied = house.http.get(house.url("/metrics")).header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
    assert_eq!(proxied.status(), 401);
}

#[tokio::test]
async fn the_trace_of_a_request_runs_through_the_jobs_that_follow_from_it() {
    let house = House::start().await;
    let deployed = house.deploy(house.site("page", "a page"), &[]).await;
    let traces = async || -> Vec<(String, String)> {
        let jobs = house.json(&["jobs", "list"]).await["nodes"].take();
        let of = |job: &Value, key: &str| job[key].as_str().unwrap_or_default().to_owned();
        jobs.as_array().unwrap().iter().map(|job| (of(job, "kind"), of(job, "traceId"))).collect()
    };
    let first = traces().await;
    assert_eq!(first.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["release", "build"]);
    assert!(first[0].1.len() == 32 && first[0].1 == first[1].1, "{first:?}");

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let query = "mutation($input: PromoteDeploymentInput!) { promoteDeployment(input: $input) { deployment { id } } }";
    let input = json!({"deploymentId": deployed["deployment"], "environment": "preview"});
    let request = house.http.post(house.url("/graphql")).bearer_auth(house.token());
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer: Value =
        request.json(&json!({"query": query, "variables": {"input": input}})).send().await.unwrap().json().await.unwrap();
    house.ended(answer["data"]["promoteDeployment"]["deployment"]["id"].as_str().unwrap()).await;
    assert_eq!(traces().await[0], ("release".to_owned(), trace.to_owned()));
}

#[tokio::test]
async fn sigterm_ends_within_the_grace_and_a_build_under_way_goes_on_after_the_restart() {
    let mut house = House::start().await;
    let flag = house.scratch("flags").join("second");
    let code = format!(
        "const fs = require('node:fs');\n\
         if (!fs.existsSync({flag:?})) {{ fs.writeFileSync({flag:?}, ''); console.log('hanging'); setInterval(() => {{}}, 1000); }}\n\
         else {{ fs.mkdirSync('out'); fs.writeFileSync('out/index.html', 'at last'); }}"
    );
    let id = house.deploy_detached(house.build("patient", &code), &[]).await;
    house.logged(&id, "hanging").await;
    let started = Instant::now();
    assert!(house.terminate().await.success(), "exit status 0");
    // A grace of two seconds for jobs, and what it takes to put everything away.
    assert!(started.elapsed() < Duration::from_secs(15), "it took {:?}", started.elapsed());
    assert_eq!(processes::all_of(&house.data()), []);
    house.run().await;
    assert_eq!(house.ended(&id).await, "LIVE");
    assert_eq!(house.body("patient").await, "at last");
    assert!(house.log(&id).await.contains("interrupted and starts again"));
}

#[tokio::test]
async fn sigterm_ends_at_once_when_nothing_is_under_way() {
    let mut house = House::start_with(&[("MIKROCLOUD_SHUTDOWN_SECONDS", "50")]).await;
    house.deploy(house.site("page", "a page"), &[]).await;
    let started = Instant::now();
    assert!(house.terminate().await.success());
    assert!(started.elapsed() < Duration::from_secs(8), "it took {:?}", started.elapsed());
}

#[tokio::test]
async fn a_restart_on_another_port_takes_the_command_line_along() {
    let mut house = House::start().await;
    house.deploy(house.site("page", "a page"), &[]).await;
    assert!(house.terminate().await.success());
    let before = std::mem::take(&mut house.port);
    let taken = std::net::TcpListener::bind(("127.0.0.1", before)).unwrap();
    house.run().await;
    assert_ne!(house.port, before);
    let page = house.json(&["projects", "list"]).await;
    assert_eq!(page["nodes"][0]["environment"]["url"], format!("http://page.localhost:{}", house.port));
    assert_eq!(house.body("page").await, "a page");
    drop(taken);
}

#[tokio::test]
async fn the_doctor_finds_a_running_server_and_says_what_is_broken() {
    let house = House::start().await;
    let data = house.data();
    let address = format!("127.0.0.1:{}", house.port);
    let document = house.json(&["doctor", "--data", data.to_str().unwrap(), "--listen", &address]).await;
    let checks = document["checks"].as_array().unwrap();
    let verdict = |about: &str| {
        checks.iter().find(|check| check["check"] == about).unwrap_or_else(|| panic!("{about}: {document}"))["verdict"].clone()
    };
    for about in ["data directory", "disk", "database", "server", "credential", "git"] {
        assert_eq!(verdict(about), "ok", "{about}: {document}");
    }
    let mut elsewhere = house.command(&["doctor", "--data", data.to_str().unwrap()]);
    let elsewhere = elsewhere.env("MIKROCLOUD_URL", house.url("")).output().await.unwrap();
    let elsewhere = String::from_utf8(elsewhere.stdout).unwrap();
    assert!(elsewhere.contains(&format!("a MikroCloud answers at http://{address}")), "{elsewhere}");
    let broken = house.cli(&["doctor", "--data", "/proc/nowhere", "--listen", &address, "--json"]).await;
    assert_eq!(broken.exit, 1, "{broken:?}");
    assert!(broken.json()["checks"].as_array().unwrap().iter().any(|check| check["verdict"] == "broken"), "{broken:?}");
}

#[tokio::test]
async fn the_command_line_completes_itself_and_says_who_is_signed_in() {
    let house = House::start().await;
    for (shell, part) in [("bash", "complete -F"), ("zsh", "#compdef"), ("fish", "complete -c mikrocloud")] {
        let ran = house.cli(&["completion", shell]).await;
        assert!(ran.exit == 0 && ran.stdout.contains(part), "{shell}: {ran:?}");
    }
    let me = house.json(&["whoami"]).await;
    assert_eq!((&me["role"], &me["user"]["email"]), (&"OWNER".into(), &"owner@localhost".into()));
    let data = house.data();
    let link = house.json(&["login", "--link", "--data", data.to_str().unwrap(), "--url", &house.url("")]).await;
    let page = house.http.get(link["link"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let again = house.cli(&["login", "--token", &house.token(), "--url", &house.url(""), "--json"]).await;
    assert_eq!(again.exit, 0, "{again:?}");
}

#[tokio::test]
async fn the_log_of_a_server_can_be_followed() {
    let house = House::start().await;
    let code = crate::support::fixtures::answering("console.log('asked for ' + request.url) ?? 'hello'");
    let document = house.deploy(house.node("talker", &code), &[]).await;
    let id = document["deployment"].as_str().unwrap();
    let mut following = house.command(&["logs", "-f", id]);
    let mut child = following.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    let mut seen = String::new();
    house.get("talker", "/the-first").await;
    let all = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            seen += &line;
            if line.contains("asked for /the-first") {
                house.get("talker", "/the-second").await;
            }
            if line.contains("asked for /the-second") {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("both lines");
    assert!(seen.contains("listening"), "{seen}");
    processes::signal(i32::try_from(child.id().unwrap()).unwrap(), rustix::process::Signal::INT);
    let mut status = None;
    wait_until(PATIENCE, "the end on Ctrl-C", async || {
        status = child.try_wait().unwrap();
        status.is_some()
    })
    .await;
    assert!(status.unwrap().success());
}
