//! The sandbox's own API.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Bench, assertion, settings};

const PROJECT: &str = "https://cloudresourcemanager.googleapis.com/v3/projects/demo-project";
const SECRETS: &str = "https://secretmanager.googleapis.com/v1/projects/demo-project/secrets";

#[tokio::test]
async fn it_says_what_it_has_and_what_it_never_simulates() {
    let bench = Bench::start("about").await;
    let about = bench.control("GET", "", Value::Null).await.good();
    assert_eq!(about["not_simulated"].as_array().unwrap().len(), sandbox::NOT_SIMULATED.len());
    assert_eq!(bench.control("GET", "nonsense", Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.control("POST", "principals", json!({"cloud": "mars"})).await.status, StatusCode::BAD_REQUEST);
    let page = http::Request::post(format!("{}/_sandbox/reset", bench.sandbox.url())).header("origin", "https://example.com");
    let refused = bench.send(page.body(http_body_util::Full::default()).unwrap()).await.unwrap();
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_the_key_that_was_given_out_signs_in() {
    let mut bench = Bench::start("keys").await;
    let body = json!({"cloud": "google", "project": "demo-project", "name": "deployer"});
    let principal = bench.control("POST", "principals", body).await.good();
    assert_eq!(principal["id"], json!("deployer@demo-project.iam.gserviceaccount.com"));
    let good = assertion(&principal["key"], &json!({"aud": "https://oauth2.googleapis.com/token"}));
    assert!(bench.exchange(&good).await.good()["access_token"].is_string());
    let (unsigned, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{unsigned}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(bench.exchange(&forged).await.status, StatusCode::BAD_REQUEST);
    let stranger = json!({"iss": "x@y.iam.gserviceaccount.com"});
    assert_eq!(bench.exchange(&assertion(&principal["key"], &stranger)).await.status, StatusCode::BAD_REQUEST);
    // A token that the account signed itself is as good as one from the endpoint.
    bench.token = assertion(&principal["key"], &json!({"scope": "https://www.googleapis.com/auth/cloud-platform"}));
    bench.enable("demo-project", &["secretmanager"]).await;
    assert_eq!(bench.get(SECRETS).await.status, StatusCode::OK);
    bench.control("POST", "clock", json!({"advance_seconds": 4000})).await.good();
    assert_eq!(bench.get(SECRETS).await.status, StatusCode::UNAUTHORIZED);
    bench.control("DELETE", "principals/google/deployer@demo-project.iam.gserviceaccount.com", Value::Null).await.good();
    let listed = bench.control("GET", "principals", Value::Null).await;
    assert_eq!(listed.json()["principals"], json!([]));
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_missed_everywhere() {
    let mut bench = Bench::start("permissions").await;
    let id = bench.google("demo-project").await;
    bench.enable("demo-project", &["cloudresourcemanager", "secretmanager"]).await;
    let wanted = json!({"permissions": ["run.services.create", "secretmanager.secrets.create"]});
    let granted = bench.call("POST", &format!("{PROJECT}:testIamPermissions"), wanted.clone()).await.good();
    assert_eq!(granted, wanted);
    bench.control("PATCH", &format!("principals/google/{id}"), json!({"denied": ["secretmanager.secrets.*"]})).await.good();
    let granted = bench.call("POST", &format!("{PROJECT}:testIamPermissions"), wanted).await.good();
    assert_eq!(granted, json!({"permissions": ["run.services.create"]}));
    let refused = bench.call("POST", &format!("{SECRETS}?secretId=a"), json!({"replication": {"automatic": {}}})).await;
    assert_eq!(refused.json()["error"]["details"][0]["metadata"]["permission"], json!("secretmanager.secrets.create"));
}

#[tokio::test]
async fn faults_are_what_a_client_has_to_live_with() {
    let mut bench = Bench::start("faults").await;
    bench.google("demo-project").await;
    bench.enable("demo-project", &["secretmanager"]).await;
    let create = |name: &str| format!("{SECRETS}?secretId={name}");
    let secret = json!({"replication": {"automatic": {}}});
    let fault = |action: Value| json!({"service": "secretmanager", "operation": "POST *", "action": action});
    bench.control("POST", "faults", fault(json!({"throttle": {"retry_after": 2}}))).await.good();
    let throttled = bench.call("POST", &create("a"), secret.clone()).await;
    assert_eq!((throttled.status.as_u16(), throttled.header("retry-after")), (429, "2"));
    bench.control("DELETE", "faults", Value::Null).await.good();
    bench.control("POST", "faults", fault(json!("reset"))).await.good();
    assert!(bench.try_call("POST", &create("a"), secret.clone()).await.is_none());
    assert_eq!(bench.get(&format!("{SECRETS}/a")).await.status, StatusCode::NOT_FOUND);
    bench.control("DELETE", "faults", Value::Null).await.good();
    bench.control("POST", "faults", fault(json!("lost_response"))).await.good();
    assert!(bench.try_call("POST", &create("a"), secret.clone()).await.is_none());
    assert_eq!(bench.get(&format!("{SECRETS}/a")).await.status, StatusCode::OK);
    assert_eq!(bench.call("POST", &create("a"), secret.clone()).await.status, StatusCode::CONFLICT);
    let listed = bench.control("GET", "faults", Value::Null).await.good();
    assert_eq!(listed["faults"][0]["seen"], json!(2));
    bench.control("DELETE", "faults", Value::Null).await.good();
    let rewrite = json!({"operation": "GET *", "action": {"rewrite": {"pointer": "/etag", "value": "other"}}});
    bench.control("POST", "faults", rewrite).await.good();
    assert_eq!(bench.get(&format!("{SECRETS}/a")).await.good()["etag"], json!("other"));
    bench.control("POST", "faults", json!({"service": "secretmanager", "count": 0, "action": "expired"})).await.good();
    assert_eq!(bench.get(&format!("{SECRETS}/a")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn calls_are_counted_logged_and_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let mut bench = Bench::with(sandbox::Settings { record: Some(directory.path().to_owned()), ..settings("counts") }).await;
    bench.google("demo-project").await;
    bench.enable("demo-project", &["secretmanager"]).await;
    bench.control("DELETE", "requests", Value::Null).await.good();
    bench.get(SECRETS).await.good();
    bench.get(&format!("{SECRETS}/none")).await;
    let counts = bench.control("GET", "requests", Value::Null).await.good();
    assert_eq!(counts["google"], json!({"total": 2, "services": {"secretmanager": 2}}));
    assert_eq!(counts["azure"], json!({"total": 0, "services": {}}));
    let calls = bench.control("GET", "calls", Value::Null).await.good();
    assert_eq!(calls["calls"].as_array().unwrap().last().unwrap()["status"], json!(404));
    let recorded = std::fs::read_to_string(directory.path().join("google.jsonl")).unwrap();
    let last: Value = serde_json::from_str(recorded.lines().last().unwrap()).unwrap();
    assert_eq!((&last["method"], &last["url"], &last["status"]), (&json!("GET"), &json!(format!("{SECRETS}/none")), &json!(404)));
    assert!(!recorded.contains("oauth2.googleapis.com"));
}

#[tokio::test]
async fn the_world_is_the_same_after_a_restart_until_it_is_reset() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sandbox::Settings { data: Some(directory.path().to_owned()), ..settings("restart") };
    let mut bench = Bench::with(settings.clone()).await;
    bench.google("demo-project").await;
    bench.enable("demo-project", &["secretmanager"]).await;
    bench.call("POST", &format!("{SECRETS}?secretId=a"), json!({"replication": {"automatic": {}}})).await.good();
    let token = bench.token.clone();
    bench.sandbox.stop().await.unwrap();
    let mut bench = Bench::with(settings).await;
    bench.token = token;
    assert_eq!(bench.get(&format!("{SECRETS}/a")).await.status, StatusCode::OK);
    assert_eq!(bench.inventory("google").await.len(), 1);
    bench.control("POST", "reset", Value::Null).await.good();
    assert_eq!(bench.inventory("google").await.len(), 0);
}

#[tokio::test]
async fn a_program_runs_a_sandbox_until_it_is_cancelled() {
    let cancel = tokio_util::sync::CancellationToken::new();
    let (told, url) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(sandbox::run(settings("program"), cancel.clone(), |started| {
        told.send(started.url()).unwrap();
    }));
    let url = url.await.unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    cancel.cancel();
    running.await.unwrap().unwrap();
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
}
