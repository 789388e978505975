//! Cloud Run, from the service to what a visitor sees.

use http::StatusCode;
use serde_json::{Value, json};

use crate::images::{prepare_repository, push_program, push_server, with_repository};
use crate::support::{Bench, settings};

const RUN: &str = "https://run.googleapis.com/v2";
const SERVICES: &str = "https://run.googleapis.com/v2/projects/demo-project/locations/europe-west1/services";

fn template(revision: &str, image: &str) -> Value {
    json!({
        "revision": revision,
        "scaling": {"maxInstanceCount": 5},
        "containers": [{
            "image": image,
            "ports": [{"containerPort": 8080}],
            "env": [{"name": "GREETING", "value": "hello"}],
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
            "startupProbe": {"httpGet": {"path": "/health"}, "periodSeconds": 1, "failureThreshold": 30},
        }],
    })
}

fn service(revision: &str, image: &str) -> Value {
    json!({"ingress": "INGRESS_TRAFFIC_ALL", "invokerIamDisabled": true, "labels": {"mikrocloud-project": "p1"}, "template": template(revision, image)})
}

fn to(revision: &str, tag: &str, percent: u64) -> Value {
    json!({"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": revision, "tag": tag, "percent": percent})
}

async fn patch(bench: &Bench, name: &str, mask: &str, mut body: Value) -> Value {
    let service = bench.get(&format!("{SERVICES}/{name}")).await.good();
    body["etag"] = service["etag"].clone();
    let operation = bench.call("PATCH", &format!("{SERVICES}/{name}?updateMask={mask}"), body).await.good();
    bench.response(RUN, operation).await
}

fn host(uri: &Value) -> String {
    uri.as_str().unwrap().trim_start_matches("https://").to_owned()
}

#[tokio::test]
async fn a_service_serves_switches_and_goes() {
    let bench = with_repository("run").await;
    let (one, two) = (push_server(&bench, "one").await, push_server(&bench, "two").await);
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &one)).await.good();
    let during = bench.get(&format!("{SERVICES}/web")).await.good();
    assert_eq!(during["reconciling"], json!(true));
    let ready = bench.response(RUN, operation).await;
    assert_eq!(ready["terminalCondition"]["state"], json!("CONDITION_SUCCEEDED"));
    let address = host(&ready["uri"]);
    let shown = bench.visit(&address, "/a?b=c").await;
    assert_eq!(shown.text(), "one /a?b=c hello");
    assert_eq!(shown.header("x-mikrocloud-simulated"), "gcp cloud-run");

    let traffic = json!({"traffic": [to("web-d1", "d1", 100)]});
    patch(&bench, "web", "traffic", traffic).await;
    let body = json!({"template": template("web-d2", &two), "traffic": [to("web-d1", "d1", 100), to("web-d2", "d2", 0)]});
    let after = patch(&bench, "web", "template,traffic", body).await;
    let tagged = after["trafficStatuses"].as_array().unwrap().iter().find(|status| status["tag"] == json!("d2")).unwrap();
    assert!(bench.visit(&host(&tagged["uri"]), "/").await.text().starts_with("two / "));
    assert!(bench.visit(&address, "/").await.text().starts_with("one / "));

    let traffic = json!({"traffic": [to("web-d1", "d1", 0), to("web-d2", "d2", 100)]});
    patch(&bench, "web", "traffic", traffic).await;
    assert!(bench.visit(&address, "/").await.text().starts_with("two / "));
    let log = bench
        .control("GET", "logs?key=run/projects/demo-project/locations/europe-west1/services/web/revisions/web-d2", Value::Null)
        .await;
    assert_eq!(log.status, StatusCode::OK);

    let refused = bench.call("DELETE", &format!("{SERVICES}/web/revisions/web-d1"), Value::Null).await;
    assert!(refused.error().1.contains("receive traffic"), "{}", refused.text());
    patch(&bench, "web", "traffic", json!({"traffic": [to("web-d2", "d2", 100)]})).await;
    let operation = bench.call("DELETE", &format!("{SERVICES}/web/revisions/web-d1"), Value::Null).await.good();
    bench.response(RUN, operation).await;
    let operation = bench.call("DELETE", &format!("{SERVICES}/web"), Value::Null).await.good();
    bench.response(RUN, operation).await;
    assert_eq!(bench.visit(&address, "/").await.status, StatusCode::NOT_FOUND);
    assert!(!bench.inventory("google").await.iter().any(|item| item.starts_with("run.")));
}

#[tokio::test]
async fn an_old_etag_and_a_taken_name_are_refused() {
    let bench = with_repository("etags").await;
    let image = push_server(&bench, "one").await;
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &image)).await.good();
    assert_eq!(bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &image)).await.error().0, 409);
    bench.response(RUN, operation).await;
    let current = bench.get(&format!("{SERVICES}/web")).await.good();
    let body = json!({"etag": "\"old\"", "traffic": [to("web-d1", "", 100)]});
    let refused = bench.call("PATCH", &format!("{SERVICES}/web?updateMask=traffic"), body).await;
    assert_eq!((refused.error().0, &refused.json()["error"]["status"]), (409, &json!("ABORTED")));
    let mut other = template("web-d1", &image);
    other["timeout"] = json!("10s");
    let body = json!({"etag": current["etag"], "template": other});
    assert_eq!(bench.call("PATCH", &format!("{SERVICES}/web?updateMask=template"), body).await.error().0, 409);
    assert_eq!(bench.get(&format!("{SERVICES}/web")).await.good()["template"], current["template"]);
}

#[tokio::test]
async fn what_is_missing_is_said_in_plain_words() {
    let bench = with_repository("missing").await;
    let image = push_server(&bench, "one").await;
    let absent = "europe-west1-docker.pkg.dev/demo-project/apps/web@sha256:0000";
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=none"), service("none-d1", absent)).await.good();
    let failed = bench.done(RUN, operation).await;
    assert!(failed["error"]["message"].as_str().unwrap().contains("not found"), "{failed}");
    let mut closed = service("closed-d1", &image);
    closed["invokerIamDisabled"] = json!(false);
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=closed"), closed).await.good();
    let ready = bench.response(RUN, operation).await;
    let refused = bench.visit(&host(&ready["uri"]), "/").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text().contains("invokerIamDisabled"), "{}", refused.text());
    let mut secret = service("secret-d1", &image);
    secret["template"]["containers"][0]["env"] =
        json!([{"name": "DB", "valueSource": {"secretKeyRef": {"secret": "db", "version": "1"}}}]);
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=secret"), secret).await.good();
    let failed = bench.done(RUN, operation).await;
    assert!(failed["error"]["message"].as_str().unwrap().contains("not ready"), "{failed}");
    let address = bench.get(&format!("{SERVICES}/secret")).await.good();
    assert_eq!(bench.visit(&host(&address["uri"]), "/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(bench.visit("nothing-here-ew.a.run.app", "/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_secret_reaches_the_process_of_an_account_that_may_read_it() {
    let bench = with_repository("run-secrets").await;
    let image = push_server(&bench, "one").await;
    let accounts = "https://iam.googleapis.com/v1/projects/demo-project/serviceAccounts";
    let email =
        bench.call("POST", accounts, json!({"accountId": "mc-run-0011"})).await.good()["email"].as_str().unwrap().to_owned();
    let secrets = "https://secretmanager.googleapis.com/v1/projects/demo-project/secrets";
    bench.call("POST", &format!("{secrets}?secretId=greeting"), json!({"replication": {"automatic": {}}})).await.good();
    bench.call("POST", &format!("{secrets}/greeting:addVersion"), json!({"payload": {"data": "c2VjcmV0"}})).await.good();
    let binding = json!({"role": "roles/secretmanager.secretAccessor", "members": [format!("serviceAccount:{email}")]});
    bench.call("POST", &format!("{secrets}/greeting:setIamPolicy"), json!({"policy": {"bindings": [binding]}})).await.good();
    let mut wanted = service("web-d1", &image);
    wanted["template"]["serviceAccount"] = json!(email);
    let reference = json!({"secretKeyRef": {"secret": "greeting", "version": "1"}});
    wanted["template"]["containers"][0]["env"] = json!([{"name": "GREETING", "valueSource": reference}]);
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), wanted).await.good();
    let ready = bench.response(RUN, operation).await;
    assert_eq!(bench.visit(&host(&ready["uri"]), "/").await.text(), "one / secret");
}

#[tokio::test]
async fn an_operation_fails_or_is_forgotten_when_a_test_asks_for_it() {
    let bench = with_repository("endings").await;
    let image = push_server(&bench, "one").await;
    let failing =
        json!({"types": {"run.services": {"ending": {"fail": {"code": "8", "message": "Quota exceeded for total CPU."}}}}});
    bench.control("PUT", "behaviour", failing).await.good();
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &image)).await.good();
    assert_eq!(bench.done(RUN, operation).await["error"]["code"], json!(8));
    bench.control("PUT", "behaviour", json!({"types": {"run.services": {"ending": "forget"}}})).await.good();
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=other"), service("other-d1", &image)).await.good();
    assert_eq!(bench.get(&format!("{RUN}/{}", operation["name"].as_str().unwrap())).await.error().0, 404);
}

#[tokio::test]
async fn a_program_that_ends_fails_its_revision_and_not_the_one_before() {
    let bench = with_repository("crash").await;
    let (one, crash) = (push_server(&bench, "one").await, push_program(&bench, "process.exit(3)").await);
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &one)).await.good();
    let address = host(&bench.response(RUN, operation).await["uri"]);
    patch(&bench, "web", "traffic", json!({"traffic": [to("web-d1", "", 100)]})).await;
    let body = json!({"template": template("web-d2", &crash), "traffic": [to("web-d1", "", 100), to("web-d2", "d2", 0)]});
    let operation = bench.call("PATCH", &format!("{SERVICES}/web?updateMask=template,traffic"), body).await.good();
    let failed = bench.done(RUN, operation).await;
    assert!(failed["error"]["message"].as_str().unwrap().contains("failed to start and listen"), "{failed}");
    let revision = bench.get(&format!("{SERVICES}/web/revisions/web-d2")).await.good();
    assert_eq!(revision["conditions"][0]["state"], json!("CONDITION_FAILED"));
    assert!(bench.visit(&address, "/").await.text().starts_with("one / "));
}

#[tokio::test]
async fn no_request_is_lost_while_traffic_is_switched() {
    let bench = with_repository("switches").await;
    let (one, two) = (push_server(&bench, "one").await, push_server(&bench, "two").await);
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &one)).await.good();
    let address = host(&bench.response(RUN, operation).await["uri"]);
    patch(&bench, "web", "traffic", json!({"traffic": [to("web-d1", "d1", 100)]})).await;
    let body = json!({"template": template("web-d2", &two), "traffic": [to("web-d1", "d1", 100), to("web-d2", "d2", 0)]});
    patch(&bench, "web", "template,traffic", body).await;
    let switches = async {
        for (first, second) in [(0, 100), (100, 0), (0, 100), (100, 0), (0, 100)] {
            patch(&bench, "web", "traffic", json!({"traffic": [to("web-d1", "d1", first), to("web-d2", "d2", second)]})).await;
        }
    };
    let visits = async {
        loop {
            let got = bench.visit(&address, "/").await;
            assert!(got.text().starts_with("one / ") || got.text().starts_with("two / "), "{} {}", got.status, got.text());
        }
    };
    let (mut switches, mut visits) = (std::pin::pin!(switches), std::pin::pin!(visits));
    tokio::select! {
        () = &mut switches => {}
        () = &mut visits => {}
    }
    assert!(bench.visit(&address, "/").await.text().starts_with("two / "));
}

#[tokio::test]
async fn a_service_is_served_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let settings = sandbox::Settings { data: Some(directory.path().to_owned()), ..settings("restart-run") };
    let mut bench = Bench::with(settings.clone()).await;
    prepare_repository(&mut bench).await;
    let image = push_server(&bench, "one").await;
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web"), service("web-d1", &image)).await.good();
    let address = host(&bench.response(RUN, operation).await["uri"]);
    bench.sandbox.stop().await.unwrap();
    let bench = Bench::with(settings).await;
    assert_eq!(bench.visit(&address, "/").await.text(), "one / hello");
}

#[tokio::test]
async fn enums_are_numbers_for_clients_that_ask_for_them() {
    let bench = with_repository("enums").await;
    let image = push_server(&bench, "one").await;
    let mut wanted = service("web-d1", &image);
    wanted["ingress"] = json!(1);
    wanted["traffic"] = json!([{"type": 1, "percent": 100}]);
    let coding = "$alt=json%3Benum-encoding%3Dint";
    let operation = bench.call("POST", &format!("{SERVICES}?serviceId=web&{coding}"), wanted).await.good();
    bench.response(RUN, operation).await;
    let numbers = bench.get(&format!("{SERVICES}/web?{coding}")).await.good();
    assert_eq!(
        (&numbers["ingress"], &numbers["terminalCondition"]["state"], &numbers["traffic"][0]["type"]),
        (&json!(1), &json!(4), &json!(1))
    );
    let names = bench.get(&format!("{SERVICES}/web")).await.good();
    assert_eq!(
        (&names["ingress"], &names["terminalCondition"]["state"]),
        (&json!("INGRESS_TRAFFIC_ALL"), &json!("CONDITION_SUCCEEDED"))
    );
}
