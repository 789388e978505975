//! The REST API, as its clients meet it.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use testkit::wait_until;
use tokio::io::AsyncWriteExt;

use crate::support::harness::House;

impl House {
    /// A request of the owner to the REST API.
    pub fn rest(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(&format!("/api/v1{path}"))).bearer_auth(self.token())
    }

    /// The body of what the owner gets, which has to go well.
    pub async fn rest_get(&self, path: &str) -> Value {
        let (status, body) = read(self.rest(Method::GET, path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn rest_post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.rest(Method::POST, path).json(&body)).await
    }

    /// A new project; its id.
    pub async fn rest_project(&self, name: &str) -> String {
        let (status, project) = self.rest_post("/projects", json!({"name": name})).await;
        assert_eq!(status, 201, "{project}");
        project["id"].as_str().unwrap().to_owned()
    }

    /// Changes the one idempotency key there is behind the server's back.
    async fn change_key(&self, sql: &'static str) {
        let file = self.data().join("mikrocloud.db");
        let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        assert_eq!(sqlx::query(sql).execute(&mut database).await.unwrap().rows_affected(), 1, "{sql}");
        database.close().await.unwrap();
    }
}

async fn read(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn a_project_goes_through_its_life_and_nobody_overwrites_what_they_have_not_seen() {
    let house = House::start().await;
    let response = house.rest(Method::POST, "/projects").json(&json!({"name": "shop"})).send().await.unwrap();
    let location = header(&response, "location");
    assert_eq!(response.status(), 201);
    let path = location.strip_prefix("/api/v1").unwrap().to_owned();
    let get = async |tag: &str| house.rest(Method::GET, &path).header("if-none-match", tag).send().await.unwrap();
    let first = get("\"another\"").await;
    let tag = header(&first, "etag");
    assert_eq!((first.status().as_u16(), &*header(&first, "cache-control")), (200, "private, no-cache"));
    let again = get(&format!("\"x\", W/{tag}")).await;
    assert_eq!((again.status().as_u16(), header(&again, "etag")), (304, tag.clone()));
    assert_eq!(again.text().await.unwrap(), "");

    let change = async |tag: Option<&str>, body: Value| {
        let request = house.rest(Method::PATCH, &path).json(&body);
        read(tag.into_iter().fold(request, |request, tag| request.header("if-match", tag))).await
    };
    let (status, changed) = change(Some(&tag), json!({"repository": "https://example.org/shop.git", "reference": "main"})).await;
    assert_eq!((status, &changed["reference"]), (200, &json!("main")), "{changed}");
    let (status, refused) = change(Some(&tag), json!({"reference": "lost"})).await;
    assert_eq!((status, &refused["code"]), (412, &json!("PRECONDITION_FAILED")), "{refused}");
    // What is left out stays, what is null goes.
    let (status, changed) = change(None, json!({"reference": null})).await;
    assert_eq!(
        (status, &changed["reference"], &changed["repository"]),
        (200, &Value::Null, &json!("https://example.org/shop.git"))
    );
    let gone = read(house.rest(Method::DELETE, &path).header("if-match", &tag)).await;
    assert_eq!((gone.0, &gone.1["code"]), (412, &json!("PRECONDITION_FAILED")), "{gone:?}");
    let tag = header(&get("\"x\"").await, "etag");
    let (status, deleted) = read(house.rest(Method::DELETE, &path).header("if-match", &tag)).await;
    assert_eq!((status, &deleted["deleting"]), (202, &json!(true)), "{deleted}");
}

#[tokio::test]
async fn lists_have_pages_that_lead_to_each_other() {
    let house = House::start().await;
    for name in ["one", "two", "three"] {
        house.rest_project(name).await;
    }
    let (mut path, mut names, mut pages) = ("/projects?first=2".to_owned(), Vec::new(), 0);
    loop {
        let response = house.rest(Method::GET, &path).send().await.unwrap();
        let link = header(&response, "link");
        let page: Value = response.json().await.unwrap();
        names.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()));
        pages += 1;
        assert_eq!(page["pageInfo"]["hasNextPage"], !link.is_empty(), "{page} {link}");
        let Some(next) = link.strip_prefix("</api/v1").and_then(|link| link.strip_suffix(">; rel=\"next\"")) else { break };
        next.clone_into(&mut path);
    }
    assert_eq!((pages, names), (2, vec!["three".to_owned(), "two".to_owned(), "one".to_owned()]));
    let two = house.rest_get("/projects?name=two").await;
    assert_eq!((two["nodes"].as_array().unwrap().len(), &two["nodes"][0]["name"]), (1, &json!("two")), "{two}");
    assert_eq!(house.rest_get("/projects?name=none").await["nodes"], json!([]));
}

#[tokio::test]
async fn a_deployment_is_made_followed_promoted_and_rolled_back() {
    let house = House::start().await;
    let repository = house.repository("functions");
    repository.commit("main", &[("functions/hello.js", "export default () => new Response('hello')")]);
    let project = house.rest_project("functions").await;
    let body = json!({"projectId": project, "environment": "preview", "repository": repository.url()});
    let (status, deployment) = house.rest_post("/deployments", body).await;
    assert_eq!(
        (status, &deployment["status"], &deployment["source"]["kind"]),
        (201, &json!("QUEUED"), &json!("git")),
        "{deployment}"
    );
    let id = deployment["id"].as_str().unwrap();
    assert_eq!(house.ended(id).await, "LIVE");
    let live = house.rest_get(&format!("/deployments/{id}")).await;
    assert_eq!((&live["kind"], &live["approval"]), (&json!("functions"), &Value::Null), "{live}");
    assert!(live["url"].as_str().unwrap().contains("functions--"), "{live}");
    let events = house.rest_get(&format!("/deployments/{id}/events?first=100")).await;
    assert_eq!(events["nodes"].as_array().unwrap().last().unwrap()["status"], "LIVE", "{events}");
    let functions = house.rest_get(&format!("/functions?projectId={project}&environment=preview")).await;
    assert_eq!(functions["nodes"][0]["route"], "/hello", "{functions}");
    assert_eq!(functions["nodes"][0]["runtime"], "NODE", "{functions}");
    assert_eq!(
        house.rest_get(&format!("/functions?projectId={project}")).await["nodes"],
        json!([]),
        "production shows nothing yet"
    );

    let (status, promoted) = house.rest_post(&format!("/deployments/{id}/promote"), json!({})).await;
    assert_eq!((status, &promoted["trigger"], &promoted["originId"]), (201, &json!("PROMOTION"), &json!(id)), "{promoted}");
    assert_eq!(house.ended(promoted["id"].as_str().unwrap()).await, "LIVE");
    let environments = house.rest_get(&format!("/projects/{project}/environments")).await;
    assert_eq!(environments["nodes"][0]["liveDeploymentId"], promoted["id"], "{environments}");
    let (status, refused) = read(house.rest(Method::POST, &format!("/projects/{project}/rollback"))).await;
    assert_eq!((status, &refused["reason"]), (422, &json!("NOTHING_TO_ROLL_BACK_TO")), "{refused}");
    let (status, refused) = read(house.rest(Method::POST, &format!("/deployments/{id}/cancel"))).await;
    assert_eq!((status, &refused["field"], &refused["reason"]), (422, &json!("deploymentId"), &json!("TOO_LATE")), "{refused}");
    let listed = house.rest_get(&format!("/deployments?projectId={project}&environment=preview")).await;
    assert_eq!(listed["nodes"].as_array().unwrap().len(), 1, "{listed}");
    let job = house.rest_get("/jobs?first=1").await["nodes"][0].take();
    assert_eq!(house.rest_get(&format!("/jobs/{}", job["id"].as_str().unwrap())).await["id"], job["id"]);
}

#[tokio::test]
async fn variables_are_set_and_unset_and_never_shown() {
    let house = House::start().await;
    let path = format!("/projects/{}/env", house.rest_project("shop").await);
    let body = json!({"variables": [{"name": "TOKEN", "value": "secret value"}, {"name": "MODE", "value": "a"}]});
    let (status, set) = read(house.rest(Method::PATCH, &path).json(&body)).await;
    assert_eq!(status, 200, "{set}");
    let listed = house.rest_get(&path).await;
    assert_eq!((&listed["nodes"][0]["name"], &listed["nodes"][1]["name"]), (&json!("MODE"), &json!("TOKEN")));
    assert!(!format!("{set}{listed}").contains("secret value"));
    let unset = async |name: &str| read(house.rest(Method::DELETE, &format!("{path}/{name}"))).await;
    assert_eq!(unset("TOKEN").await.0, 204);
    let (status, refused) = unset("TOKEN").await;
    assert_eq!((status, &refused["reason"]), (422, &json!("NOT_SET")), "{refused}");
    assert_eq!(house.rest_get(&path).await["nodes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once_whoever_dies() {
    let mut house = House::start().await;
    let project = house.rest_project("shop").await;
    let body = json!({"projectId": project, "repository": "https://127.0.0.1:1/none.git"});
    let send = async |house: &House, token: &str, body: &Value| {
        let request =
            house.http.post(house.url("/api/v1/deployments")).bearer_auth(token).header("idempotency-key", "\"deploy-1\"");
        let response = request.json(body).send().await.unwrap();
        let replayed = header(&response, "idempotency-replayed") == "true";
        (response.status().as_u16(), replayed, response.json::<Value>().await.unwrap())
    };
    let count = async |house: &House| {
        house.rest_get(&format!("/deployments?projectId={project}")).await["nodes"].as_array().unwrap().len()
    };
    let token = house.token();
    let at_once = futures::future::join_all((0..8).map(|_| send(&house, &token, &body))).await;
    let mut made: Vec<_> = at_once.iter().filter(|(status, ..)| *status == 201).map(|(.., body)| body["id"].clone()).collect();
    made.dedup();
    assert_eq!(made.len(), 1, "{at_once:?}");
    assert!(at_once.iter().all(|(status, _, body)| *status == 201 || body["code"] == "IDEMPOTENCY_KEY_IN_USE"), "{at_once:?}");
    let (status, replayed, answer) = send(&house, &token, &body).await;
    assert_eq!((status, replayed, &answer["id"], count(&house).await), (201, true, &made[0], 1), "{answer}");
    let other = json!({"projectId": project, "repository": "https://127.0.0.1:1/other.git"});
    let (status, _, answer) = send(&house, &token, &other).await;
    assert_eq!((status, &answer["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")), "{answer}");
    // Another credential of the same user may be allowed less: it is not told what this one was answered.
    let narrow = json!({"name": "narrow", "scopes": ["project-read"]});
    let narrow = house.mutate("createApiKey", "CreateApiKeyInput", narrow, "secret").await["secret"].take();
    let (status, _, answer) = send(&house, narrow.as_str().unwrap(), &body).await;
    assert_eq!((status, &answer["code"]), (422, &json!("IDEMPOTENCY_KEY_REUSED")), "{answer}");

    // The answer is kept over a restart, sealed.
    house.crash_and_restart().await;
    assert_eq!(send(&house, &token, &body).await.2["id"], made[0]);
    let database = std::fs::read(house.data().join("mikrocloud.db")).unwrap();
    assert!(!String::from_utf8_lossy(&database).contains("idempotency-replayed"));
    // A process that is at it keeps the others away, until its lease runs out.
    house.change_key("UPDATE idempotency_keys SET answer = NULL, lease_until = '2100-01-01 00:00:00+00:00'").await;
    let (status, _, answer) = send(&house, &token, &body).await;
    assert_eq!((status, &answer["code"]), (409, &json!("IDEMPOTENCY_KEY_IN_USE")), "{answer}");
    // It was done by a process that died before it answered: what it made is shown.
    house.change_key("UPDATE idempotency_keys SET lease_until = '2000-01-01 00:00:00+00:00'").await;
    let (status, replayed, answer) = send(&house, &token, &body).await;
    assert_eq!((status, replayed, &answer["id"], count(&house).await), (201, true, &made[0], 1), "{answer}");
    house.change_key("UPDATE idempotency_keys SET made = NULL").await;
    let (status, _, answer) = send(&house, &token, &body).await;
    assert_eq!((status, &answer["code"], count(&house).await), (409, &json!("IDEMPOTENCY_ANSWER_LOST"), 1), "{answer}");
    // Nothing was done yet: it is done now.
    house.change_key("UPDATE idempotency_keys SET carried_out = FALSE").await;
    let (status, replayed, answer) = send(&house, &token, &body).await;
    assert_eq!((status, replayed, count(&house).await), (201, false, 2), "{answer}");
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let house = House::start().await;
    let send = async |name: &str| {
        let request = house.rest(Method::POST, "/projects").header("idempotency-key", "k-1").json(&json!({"name": name}));
        read(request).await
    };
    let (status, refused) = send("Not A Name").await;
    assert_eq!((status, &refused["reason"]), (422, &json!("INVALID_NAME")), "{refused}");
    assert_eq!(send("a-name").await.0, 201);
    assert_eq!(send("another-name").await.1["code"], "IDEMPOTENCY_KEY_REUSED");
    for key in ["", "with space", &"x".repeat(256)] {
        let request = house.rest(Method::POST, "/projects").header("idempotency-key", key).json(&json!({"name": "x"}));
        let (status, refused) = read(request).await;
        assert_eq!((status, &refused["code"]), (400, &json!("INVALID_IDEMPOTENCY_KEY")), "{key}: {refused}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_is_a_problem_with_a_code() {
    let house = House::start().await;
    let application_json = "application/json";
    let large = "x".repeat(3 << 20);
    let deep = "[".repeat(10_000);
    for (method, path, kind, body, status, code, field) in [
        ("GET", "/nothing", "", "", 404, "NOT_FOUND", ""),
        ("PUT", "/projects", application_json, "{}", 405, "METHOD_NOT_ALLOWED", ""),
        ("GET", "/projects?colour=red", "", "", 422, "BAD_INPUT", "query"),
        ("GET", "/projects?first=1&first=2", "", "", 422, "BAD_INPUT", "query"),
        ("GET", "/projects?first=0", "", "", 422, "BAD_INPUT", "first"),
        ("GET", "/projects?first=101", "", "", 422, "BAD_INPUT", "first"),
        ("GET", "/projects?after=dep_0", "", "", 422, "BAD_INPUT", "query"),
        ("GET", "/projects?name=%00", "", "", 422, "BAD_INPUT", "path"),
        ("GET", "/projects/prj_1", "", "", 422, "BAD_INPUT", "path"),
        ("GET", "/projects/%ff", "", "", 422, "BAD_INPUT", "path"),
        ("GET", "/projects/prj_00000000000070008000000000000000", "", "", 404, "NOT_FOUND", ""),
        ("GET", "/deployments", "", "", 422, "BAD_INPUT", "query"),
        ("GET", "/jobs?queue=%00", "", "", 422, "BAD_INPUT", "path"),
        ("POST", "/projects", "text/plain", "{}", 415, "UNSUPPORTED_MEDIA_TYPE", ""),
        ("POST", "/projects", "", "{}", 415, "UNSUPPORTED_MEDIA_TYPE", ""),
        ("POST", "/projects", application_json, "{", 422, "BAD_INPUT", "body"),
        ("POST", "/projects", application_json, &deep, 422, "BAD_INPUT", "body"),
        ("POST", "/projects", application_json, "{\"name\": \"a\", \"colour\": \"red\"}", 422, "BAD_INPUT", "body"),
        ("POST", "/projects", application_json, "[\"a\", null, null]", 422, "BAD_INPUT", "body"),
        (
            "PATCH",
            "/projects/prj_00000000000070008000000000000000/env",
            application_json,
            "{\"variables\": [[\"A\", \"b\"]]}",
            422,
            "BAD_INPUT",
            "body",
        ),
        ("POST", "/projects", application_json, "{\"name\": \"a\\u0000\"}", 422, "BAD_INPUT", "name"),
        ("POST", "/projects", application_json, &large, 413, "PAYLOAD_TOO_LARGE", ""),
        ("POST", "/uploads", "", "", 422, "BAD_INPUT", "body"),
    ] {
        let mut request = house.rest(Method::from_bytes(method.as_bytes()).unwrap(), path).body(body.to_owned());
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "content-type"), "application/problem+json", "{method} {path}");
        assert_eq!(header(&response, "allow").is_empty(), status != 405, "{method} {path}");
        let found = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        assert_eq!((found, &problem["code"]), (status, &json!(code)), "{method} {path}: {problem}");
        assert_eq!(problem["field"].as_str().unwrap_or_default(), field, "{method} {path}: {problem}");
        assert_eq!(problem["status"], status, "{problem}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_and_asks_again_gets_one() {
    let house = House::start().await;
    let project = house.rest_project("shop").await;
    let body = json!({"projectId": project, "repository": "https://127.0.0.1:1/none.git"}).to_string();
    for number in 0..20 {
        let head = format!(
            "POST /api/v1/deployments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: k-{number}\r\nContent-Length: {}\r\n\r\n{body}",
            house.token(),
            body.len()
        );
        let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        drop(socket);
        let again = async || {
            let request = house.rest(Method::POST, "/deployments").header("idempotency-key", format!("k-{number}"));
            read(request.header("content-type", "application/json").body(body.clone())).await
        };
        // Far sooner than its lease ends.
        wait_until(Duration::from_secs(20), "an answer", async || again().await.0 == 201).await;
    }
    let made = house.rest_get(&format!("/deployments?first=100&projectId={project}")).await;
    assert_eq!(made["nodes"].as_array().unwrap().len(), 20);
}
