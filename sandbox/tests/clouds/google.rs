//! Google Cloud without Cloud Run.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::Bench;

async fn bench(test: &str, apis: &[&str]) -> Bench {
    let mut bench = Bench::start(test).await;
    bench.google("demo-project").await;
    bench.enable("demo-project", apis).await;
    bench
}

#[tokio::test]
async fn an_api_has_to_be_enabled_first() {
    let mut bench = Bench::start("apis").await;
    bench.google("demo-project").await;
    let services = "https://run.googleapis.com/v2/projects/demo-project/locations/europe-west1/services";
    let refused = bench.get(services).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["error"]["details"][0]["reason"], json!("SERVICE_DISABLED"));
    let one = "https://serviceusage.googleapis.com/v1/projects/demo-project/services/run.googleapis.com";
    assert_eq!(bench.get(one).await.good()["state"], json!("DISABLED"));
    bench.enable("demo-project", &["run", "storage"]).await;
    assert_eq!(bench.get(one).await.good()["state"], json!("ENABLED"));
    assert_eq!(bench.get(services).await.good(), json!({}));
}

#[tokio::test]
async fn a_secret_has_versions_that_can_be_read_and_destroyed() {
    let bench = bench("secrets", &["secretmanager"]).await;
    let secrets = "https://secretmanager.googleapis.com/v1/projects/demo-project/secrets";
    let body = json!({"replication": {"automatic": {}}, "labels": {"mikrocloud-environment": "e1"}});
    bench.call("POST", &format!("{secrets}?secretId=db"), body.clone()).await.good();
    assert_eq!(bench.call("POST", &format!("{secrets}?secretId=db"), body).await.error().0, 409);
    let version = bench.call("POST", &format!("{secrets}/db:addVersion"), json!({"payload": {"data": "czNjcmV0"}})).await.good();
    assert!(version["name"].as_str().unwrap().ends_with("/secrets/db/versions/1"), "{version}");
    let read = bench.get(&format!("{secrets}/db/versions/latest:access")).await.good();
    assert_eq!(read["payload"]["data"], json!("czNjcmV0"));
    let listed = bench.get(&format!("{secrets}?filter=labels.mikrocloud-environment%3De1")).await.good();
    assert_eq!(listed["totalSize"], json!(1));
    let binding = json!({"role": "roles/secretmanager.secretAccessor", "members": ["serviceAccount:no@demo-project.iam.gserviceaccount.com"]});
    let refused = bench.call("POST", &format!("{secrets}/db:setIamPolicy"), json!({"policy": {"bindings": [binding]}})).await;
    assert!(refused.error().1.contains("does not exist"), "{}", refused.text());
    bench.call("POST", &format!("{secrets}/db/versions/1:destroy"), json!({})).await.good();
    assert_eq!(bench.get(&format!("{secrets}/db/versions/1:access")).await.error().0, 400);
    bench.call("DELETE", &format!("{secrets}/db"), Value::Null).await.good();
    assert_eq!(bench.get(&format!("{secrets}/db")).await.error().0, 404);
    assert_eq!(bench.inventory("google").await.len(), 0);
}

#[tokio::test]
async fn a_service_account_is_made_once_and_deleted() {
    let bench = bench("accounts", &["iam"]).await;
    let accounts = "https://iam.googleapis.com/v1/projects/demo-project/serviceAccounts";
    let body = json!({"accountId": "mc-run-0011", "serviceAccount": {"displayName": "MikroCloud"}});
    let account = bench.call("POST", accounts, body.clone()).await.good();
    assert_eq!(account["email"], json!("mc-run-0011@demo-project.iam.gserviceaccount.com"));
    assert_eq!(bench.call("POST", accounts, body).await.error().0, 409);
    assert_eq!(bench.call("POST", accounts, json!({"accountId": "short"})).await.error().0, 400);
    let email = account["email"].as_str().unwrap();
    assert_eq!(bench.get(&format!("{accounts}/{email}")).await.good()["displayName"], json!("MikroCloud"));
    bench.call("DELETE", &format!("{accounts}/{email}"), Value::Null).await.good();
    assert_eq!(bench.get(&format!("{accounts}/{email}")).await.error().0, 404);
}

#[tokio::test]
async fn objects_are_uploaded_in_three_ways_listed_copied_and_deleted() {
    let bench = bench("storage", &["storage"]).await;
    let storage = "https://storage.googleapis.com";
    let body = json!({
        "name": "mc-demo-0011", "location": "EUROPE-WEST1", "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}},
        "labels": {"mikrocloud-installation": "0011"},
    });
    bench.call("POST", &format!("{storage}/storage/v1/b?project=demo-project"), body).await.good();
    let upload = format!("{storage}/upload/storage/v1/b/mc-demo-0011/o");
    let headers = [("content-type", "text/html")];
    let object =
        bench.bytes("POST", &format!("{upload}?uploadType=media&name=a/index.html"), &headers, "<h1>").await.unwrap().good();
    assert_eq!((&object["contentType"], &object["size"]), (&json!("text/html"), &json!("4")));
    let multipart = "--b\r\ncontent-type: application/json\r\n\r\n{\"name\":\"a/x.css\",\"cacheControl\":\"no-cache\"}\r\n--b\r\n\
                     content-type: text/css\r\n\r\nbody{}\r\n--b--";
    let headers = [("content-type", "multipart/related; boundary=b")];
    let object = bench.bytes("POST", &format!("{upload}?uploadType=multipart"), &headers, multipart).await.unwrap().good();
    assert_eq!((&object["contentType"], &object["cacheControl"]), (&json!("text/css"), &json!("no-cache")));
    let begun = bench.call("POST", &format!("{upload}?uploadType=resumable&name=b/big"), json!({})).await;
    let session = begun.header("location").to_owned();
    assert!(session.starts_with("https://storage.googleapis.com/"), "{session}");
    bench.bytes("PUT", &session, &[], "0123456789").await.unwrap().good();
    let objects = format!("{storage}/storage/v1/b/mc-demo-0011/o");
    let listed = bench.get(&format!("{objects}?delimiter=/")).await.good();
    assert_eq!(listed["prefixes"], json!(["a/", "b/"]));
    let read = bench.get(&format!("{objects}/b%2Fbig?alt=media")).await;
    assert_eq!(read.text(), "0123456789");
    let copied =
        bench.call("POST", &format!("{objects}/a%2Findex.html/copyTo/b/mc-demo-0011/o/c%2Findex.html"), json!({})).await.good();
    assert_eq!(copied["contentType"], json!("text/html"));
    assert_eq!(bench.call("DELETE", &format!("{storage}/storage/v1/b/mc-demo-0011"), Value::Null).await.error().0, 409);
    for name in ["a%2Findex.html", "a%2Fx.css", "b%2Fbig", "c%2Findex.html"] {
        bench.call("DELETE", &format!("{objects}/{name}"), Value::Null).await.good();
    }
    bench.call("DELETE", &format!("{storage}/storage/v1/b/mc-demo-0011"), Value::Null).await.good();
    assert_eq!(bench.inventory("google").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_host_is_reached_in_three_ways() {
    let bench = bench("hosts", &["secretmanager"]).await;
    let path = "/v1/projects/demo-project/secrets";
    let by_path = format!("{}/_host/secretmanager.googleapis.com{path}", bench.sandbox.url());
    let by_host = format!("{}{path}", bench.sandbox.url());
    let host = format!("secretmanager.googleapis.com.localhost:{}", bench.address().port());
    for (url, header) in [(by_path, None), (by_host, Some(host))] {
        let mut request = http::Request::get(url).header("authorization", format!("Bearer {}", bench.token));
        if let Some(host) = header {
            request = request.header("host", host);
        }
        let got = bench.send(request.body(http_body_util::Full::default()).unwrap()).await.unwrap();
        assert_eq!(got.good()["totalSize"], json!(0));
    }
}
