//! A sandbox to test, and a client that writes for the vendors' hosts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::{Digest as _, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use url::Url;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// Directory for recordings of all tests, to be judged by whoever sets it.
const RECORD: &str = "SANDBOX_RECORD";

pub struct Bench {
    pub sandbox: Sandbox,
    client: Client<HttpConnector, Full<Bytes>>,
    /// Bearer token of the calls, and the cloud that it is for.
    pub token: String,
}

#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Got {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The document of an answer that has to be a success.
    #[track_caller]
    pub fn good(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that the answer is a success.
    #[track_caller]
    pub fn good_text(self) {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
    }

    /// Status and message of an error.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        assert!(!self.status.is_success(), "{} {}", self.status, self.text());
        let body = self.json();
        let message = body.pointer("/error/message").or(body.pointer("/errors/0/message")).or(body.get("error"));
        (self.status.as_u16(), message.and_then(Value::as_str).unwrap_or_default().to_owned())
    }
}

/// Settings of a sandbox that records where whoever runs the tests wants it. Tests that send what no API describes are called `bad-..`
/// and are left out.
pub fn settings(test: &str) -> Settings {
    let record = std::env::var_os(RECORD).filter(|_| !test.starts_with("bad-"));
    Settings { record: record.map(|directory| PathBuf::from(directory).join(test)), ..Settings::default() }
}

impl Bench {
    pub async fn start(test: &str) -> Self {
        Self::with(settings(test)).await
    }

    pub async fn with(settings: Settings) -> Self {
        let sandbox = Sandbox::start(settings).await.unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { sandbox, client, token: String::new() }
    }

    pub fn address(&self) -> SocketAddr {
        self.sandbox.address()
    }

    /// Sends a request as it is to the sandbox; `None` if the connection was closed.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Option<Got> {
        let answer = self.client.request(request).await.ok()?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Got { status: parts.status, headers: parts.headers, body })
    }

    /// Sends a request that is written for a vendor, with its host in a header.
    pub async fn bytes(&self, method: &str, url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Option<Got> {
        let url: Url = url.parse().unwrap();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let there = format!("http://{}{}{query}", self.address(), url.path());
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(there);
        request = request.header("x-original-host", url.host_str().unwrap());
        if !self.token.is_empty() && !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    /// A call to an API with a JSON body, or none.
    pub async fn call(&self, method: &str, url: &str, body: Value) -> Got {
        self.try_call(method, url, body).await.expect("an answer")
    }

    pub async fn try_call(&self, method: &str, url: &str, body: Value) -> Option<Got> {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.bytes(method, url, &[("content-type", "application/json")], bytes).await
    }

    pub async fn get(&self, url: &str) -> Got {
        self.call("GET", url, Value::Null).await
    }

    /// A call to the sandbox's own API.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Got {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = Request::builder().method(method).uri(format!("{}/_sandbox/{path}", self.sandbox.url()));
        self.send(request.body(Full::new(bytes)).unwrap()).await.unwrap()
    }

    /// A visitor's request, by the `Host` header.
    pub async fn visit(&self, host: &str, path: &str) -> Got {
        let request = Request::get(format!("http://{}{path}", self.address()));
        let request = request.header("host", format!("{host}.localhost:{}", self.address().port()));
        self.send(request.body(Full::default()).unwrap()).await.unwrap()
    }

    /// Everything that exists of a cloud, as `type name`.
    pub async fn inventory(&self, cloud: &str) -> Vec<String> {
        let items = self.control("GET", &format!("inventory?cloud={cloud}"), Value::Null).await.good();
        let items = items["items"].as_array().unwrap().iter();
        items.map(|item| format!("{} {}", item["type"].as_str().unwrap(), item["name"].as_str().unwrap())).collect()
    }

    /// Signs in as a new service account of this project, and returns its address.
    pub async fn google(&mut self, project: &str) -> String {
        let principal = self.control("POST", "principals", json!({"cloud": "google", "project": project})).await.good();
        let claims =
            json!({"scope": "https://www.googleapis.com/auth/cloud-platform", "aud": "https://oauth2.googleapis.com/token"});
        let got = self.exchange(&assertion(&principal["key"], &claims)).await.good();
        got["access_token"].as_str().unwrap().clone_into(&mut self.token);
        principal["id"].as_str().unwrap().to_owned()
    }

    /// Signs in as a new application, for the resource manager, and returns the principal.
    pub async fn azure(&mut self) -> Value {
        let principal = self.control("POST", "principals", json!({"cloud": "azure"})).await.good();
        self.token = self.azure_token(&principal, "https://management.azure.com").await;
        principal
    }

    /// A token of an application for an audience.
    pub async fn azure_token(&self, principal: &Value, audience: &str) -> String {
        let text = |name: &str| principal[name].as_str().unwrap().to_owned();
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={audience}/.default",
            text("client"),
            text("secret")
        );
        let url = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", text("tenant"));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let got = self.bytes("POST", &url, &headers, body).await.unwrap().good();
        got["access_token"].as_str().unwrap().to_owned()
    }

    /// Follows a change of the resource manager until it is over; the state that it ended in.
    pub async fn settled(&self, got: Got) -> String {
        assert!(got.status.is_success(), "{} {}", got.status, got.text());
        let (status, location) = (got.header("azure-asyncoperation").to_owned(), got.header("location").to_owned());
        let ask = async {
            loop {
                let polled = self.get(if status.is_empty() { &location } else { &status }).await;
                if status.is_empty() {
                    if polled.status != StatusCode::ACCEPTED {
                        return if polled.status.is_success() { "Succeeded".to_owned() } else { polled.error().1 };
                    }
                } else if polled.json()["status"] != json!("InProgress") {
                    let body = polled.json();
                    return body.pointer("/error/message").unwrap_or(&body["status"]).as_str().unwrap().to_owned();
                }
                tokio::task::yield_now().await;
            }
        };
        if status.is_empty() && location.is_empty() {
            return "Succeeded".to_owned();
        }
        tokio::time::timeout(PATIENCE, ask).await.expect("the change ends")
    }

    /// Registers providers of Azure in a subscription.
    pub async fn register(&self, subscription: &str, providers: &[&str]) {
        for provider in providers {
            let base = format!("https://management.azure.com/subscriptions/{subscription}/providers/{provider}");
            self.call("POST", &format!("{base}/register?api-version=2025-04-01"), Value::Null).await.good();
            let ask = async {
                while self.get(&format!("{base}?api-version=2025-04-01")).await.good()["registrationState"] != json!("Registered")
                {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(PATIENCE, ask).await.expect("the provider is registered");
        }
    }

    /// Exchanges an assertion for an access token of Google.
    pub async fn exchange(&self, assertion: &str) -> Got {
        let body = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.bytes("POST", "https://oauth2.googleapis.com/token", &headers, body).await.unwrap()
    }

    /// Enables APIs of a project.
    pub async fn enable(&self, project: &str, apis: &[&str]) {
        let ids: Vec<_> = apis.iter().map(|api| format!("{api}.googleapis.com")).collect();
        let url = format!("https://serviceusage.googleapis.com/v1/projects/{project}/services:batchEnable");
        let operation = self.call("POST", &url, json!({"serviceIds": ids})).await.good();
        self.done("https://serviceusage.googleapis.com/v1", operation).await;
    }

    /// Asks for an operation until it is done, and returns it.
    pub async fn done(&self, base: &str, operation: Value) -> Value {
        let name = operation["name"].as_str().unwrap().to_owned();
        let ask = async {
            loop {
                let operation = self.get(&format!("{base}/{name}")).await.good();
                if operation["done"] == json!(true) {
                    return operation;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, ask).await.expect("the operation ends")
    }

    /// The response of an operation that has to succeed.
    pub async fn response(&self, base: &str, operation: Value) -> Value {
        let operation = self.done(base, operation).await;
        assert!(operation.get("error").is_none(), "{operation}");
        operation["response"].clone()
    }
}

/// A JWT signed with the key of a key file; the claims are added to the usual ones.
pub fn assertion(key: &Value, claims: &Value) -> String {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
    let email = key["client_email"].as_str().unwrap();
    let mut body = json!({"iss": email, "sub": email, "iat": now, "exp": now + 3600});
    body.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]});
    let unsigned = format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(body.to_string()));
    let private = RsaPrivateKey::from_pkcs8_pem(key["private_key"].as_str().unwrap()).unwrap();
    let signature = private.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(unsigned.as_bytes())).unwrap();
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}
