//! A stand-in for the APIs of GitHub and GitLab, which records what it is asked, and webhooks as they send them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method, StatusCode, Uri};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::wait_until;
use tokio::net::TcpListener;

use super::fixtures::Repository;
use super::harness::{House, PATIENCE};
use super::node::npm_package;

/// The token that the stand-in takes.
pub const TOKEN: &str = "ghp_stand-in";

/// A request that was made.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub authorization: String,
    pub body: Value,
}

#[derive(Default)]
struct Inner {
    asked: Vec<Asked>,
    comments: Vec<(i64, String)>,
    /// Status that the next requests which change something are answered with instead, and the number of those requests.
    refusals: Option<(u16, usize)>,
}

/// The stand-in.
pub struct GitHost {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl GitHost {
    pub async fn start() -> Self {
        let inner: Arc<Mutex<Inner>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// The variable that lets MikroCloud use it.
    pub fn allowed(&self) -> String {
        format!("github={0},gitlab={0}", self.url)
    }

    /// Requests to it, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.clone()
    }

    /// The states that it was told of a commit, in order, and the last message.
    pub fn statuses(&self, commit: &str) -> Vec<Value> {
        let about = |asked: &Asked| asked.method == Method::POST && asked.path.ends_with(&format!("/statuses/{commit}"));
        self.asked().into_iter().filter(about).map(|asked| asked.body).collect()
    }

    /// The comments that stand there.
    pub fn comments(&self) -> Vec<String> {
        self.inner.lock().unwrap().comments.iter().map(|(_, body)| body.clone()).collect()
    }

    /// Deletes the comments, as somebody may.
    pub fn delete_comments(&self) {
        self.inner.lock().unwrap().comments.clear();
    }

    /// Refuses so many of the next requests that change something.
    pub fn refuse(&self, status: u16, times: usize) {
        self.inner.lock().unwrap().refusals = (times > 0).then_some((status, times));
    }

    /// Waits until the last state that it was told of a commit is this.
    pub async fn told(&self, commit: &str, state: &str) {
        wait_until(PATIENCE, &format!("the status {state}"), async || {
            self.statuses(commit).last().is_some_and(|status| status["state"] == state)
        })
        .await;
    }

    /// Waits until the one comment there is says this.
    pub async fn says(&self, text: &str) {
        wait_until(
            PATIENCE,
            &format!("a comment with `{text}`"),
            async || matches!(self.comments().as_slice(), [comment] if comment.contains(text)),
        )
        .await;
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = inner.lock().unwrap();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let authorization = [header("authorization"), header("private-token")].concat();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().to_owned();
    inner.asked.push(Asked {
        method: method.clone(),
        path: path.clone(),
        authorization: authorization.clone(),
        body: body.clone(),
    });
    let refuse =
        |status: u16, message: &str| (StatusCode::from_u16(status).unwrap(), Json(json!({"message": message}))).into_response();
    if path.ends_with("/access_tokens") {
        let token = json!({"token": TOKEN, "expires_at": "2099-01-01T00:00:00Z", "permissions": {}});
        return (StatusCode::CREATED, Json(token)).into_response();
    }
    if !authorization.contains(TOKEN) {
        return refuse(401, "Bad credentials");
    }
    if method != Method::GET
        && let Some((status, times)) = inner.refusals
    {
        inner.refusals = (times > 1).then_some((status, times - 1));
        return refuse(status, "not now");
    }
    if path.ends_with("/comments") || path.ends_with("/notes") {
        if method == Method::GET {
            let all: Vec<Value> = inner.comments.iter().map(|(id, body)| json!({"id": id, "body": body})).collect();
            return Json(all).into_response();
        }
        let id = 1000 + i64::try_from(inner.asked.len()).unwrap();
        inner.comments.push((id, body["body"].as_str().unwrap().to_owned()));
        return (StatusCode::CREATED, Json(json!({"id": id, "body": body["body"]}))).into_response();
    }
    if path.contains("/comments/") || path.contains("/notes/") {
        let id: i64 = path.rsplit('/').next().unwrap().parse().unwrap();
        return match inner.comments.iter_mut().find(|(found, _)| *found == id) {
            Some((_, text)) => {
                body["body"].as_str().unwrap().clone_into(text);
                Json(json!({"id": id, "body": text})).into_response()
            }
            None => refuse(404, "Not Found"),
        };
    }
    if method == Method::GET {
        return Json(json!({"id": 1, "full_name": "Codertocat/Hello-World"})).into_response();
    }
    (StatusCode::CREATED, Json(json!({"id": 1}))).into_response()
}

/// A webhook that GitHub really sent, the first one for which the test holds.
pub async fn recorded(event: &str, test: impl Fn(&Value) -> bool) -> Value {
    let directory = npm_package("git-payloads", &[]).await;
    let file = directory.join("node_modules/@octokit/webhooks-examples/api.github.com/index.json");
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let kind = all.into_iter().find(|kind| kind["name"] == event).unwrap();
    kind["examples"].as_array().unwrap().iter().find(|example| test(example)).unwrap().clone()
}

/// A recorded pull request with this action, as if it were about this commit, now.
pub async fn pull_request(action: &str, commit: &str) -> Value {
    let mut payload = recorded("pull_request", |example| example["action"] == action).await;
    payload["pull_request"]["head"]["sha"] = json!(commit);
    payload["pull_request"]["updated_at"] = json!(domain::time::now());
    payload
}

/// A recorded push, as if it were of this commit to this branch, now.
pub async fn push(branch: &str, commit: &str) -> Value {
    let mut payload = recorded("push", |example| example["ref"] == "refs/heads/master").await;
    payload["ref"] = json!(format!("refs/heads/{branch}"));
    payload["after"] = json!(commit);
    payload["repository"]["pushed_at"] = json!(domain::time::now().timestamp());
    payload
}

/// A connected repository: where its webhooks go, and what they are signed with.
pub struct Hook {
    pub url: String,
    pub secret: String,
}

/// A message of a host on its way.
pub struct Message<'a> {
    pub event: &'a str,
    pub delivery: &'a str,
    pub body: String,
}

pub fn signature(secret: &str, body: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

impl Hook {
    /// The request that GitHub makes for this message.
    pub fn request(&self, http: &reqwest::Client, message: &Message<'_>) -> RequestBuilder {
        http.post(&self.url)
            .header("x-github-event", message.event)
            .header("x-github-delivery", message.delivery)
            .header("x-hub-signature-256", signature(&self.secret, &message.body))
            .header("content-type", "application/json")
            .timeout(Duration::from_secs(10))
            .body(message.body.clone())
    }

    /// Sends a message as GitHub does; status and answer.
    pub async fn send(&self, house: &House, event: &str, delivery: &str, payload: &Value) -> (u16, Value) {
        answered(self.request(&house.http, &Message { event, delivery, body: payload.to_string() })).await
    }

    /// Sends a message as GitLab does; status and answer.
    pub async fn send_gitlab(&self, house: &House, event: &str, delivery: &str, payload: &Value) -> (u16, Value) {
        let request = house.http.post(&self.url).header("x-gitlab-event", event).header("x-gitlab-event-uuid", delivery);
        answered(request.header("x-gitlab-token", &self.secret).json(payload)).await
    }
}

pub async fn answered(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

/// A house whose project `shop` is connected to a repository at the stand-in, with one commit on its main branch.
pub async fn connected(host: &GitHost, options: &[&str]) -> (House, Repository, Hook) {
    let house = House::start_with(&[("MIKROCLOUD_GIT_HOSTS", &host.allowed())]).await;
    let repository = house.repository("shop");
    repository.commit("main", &[("index.html", "from main")]);
    house.json(&["projects", "create", "shop", "--repository", &repository.url(), "--ref", "main"]).await;
    let hook = connect(&house, host, options).await;
    (house, repository, hook)
}

/// Connects `shop` to the stand-in with its token.
pub async fn connect(house: &House, host: &GitHost, options: &[&str]) -> Hook {
    let api = host.url.as_str();
    let mut arguments = vec!["git", "connect", "-p", "shop", "--api-url", api, "--token-stdin", "--json"];
    if !options.contains(&"--host") {
        arguments.extend(["--host", "github"]);
    }
    if !options.contains(&"--repository") {
        arguments.extend(["--repository", "Codertocat/Hello-World"]);
    }
    arguments.extend(options);
    let ran = house.cli_with_input(&arguments, TOKEN).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    let made = ran.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    Hook { url: text("webhookUrl"), secret: text("webhookSecret") }
}

impl House {
    /// Deliveries of the host to `shop`, the latest first.
    pub async fn deliveries(&self) -> Vec<Value> {
        self.json(&["git", "deliveries", "-p", "shop"]).await.as_array().unwrap().clone()
    }

    /// Waits until the latest delivery stands like this, and returns its outcome.
    pub async fn delivered(&self, state: &str) -> String {
        wait_until(PATIENCE, &format!("a delivery that is {state}"), async || {
            self.deliveries().await.first().is_some_and(|delivery| delivery["state"] == state)
        })
        .await;
        self.deliveries().await[0]["outcome"].as_str().unwrap_or_default().to_owned()
    }

    /// The names of the environments of `shop`.
    pub async fn environments(&self) -> Vec<String> {
        let found = self.json(&["environments", "list", "-p", "shop"]).await;
        found.as_array().unwrap().iter().map(|environment| environment["name"].as_str().unwrap().to_owned()).collect()
    }
}
