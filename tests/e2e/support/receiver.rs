//! A server that keeps what is sent to it, and answers as a test wants.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use testkit::wait_until;

use super::harness::PATIENCE;

/// Something that arrived.
#[derive(Debug, Clone)]
pub struct Taken {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Taken {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Id of the message.
    pub fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    /// Type of the event.
    pub fn event(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }
}

/// A status, and headers.
type Answer = (StatusCode, Vec<(&'static str, String)>);

#[derive(Default)]
struct Inner {
    taken: Mutex<Vec<Taken>>,
    /// The next answers of a path; 204 when there is none.
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
}

/// A receiver that runs.
pub struct Receiver {
    port: u16,
    inner: Arc<Inner>,
    /// Without permits, requests to `/slow` are answered by nobody.
    gate: Arc<Semaphore>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (inner, gate) = (Arc::<Inner>::default(), Arc::new(Semaphore::new(0)));
        let router = Router::new().fallback(take).with_state((Arc::clone(&inner), Arc::clone(&gate)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, inner, gate }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers the next request to a path with this.
    pub fn answer(&self, path: &str, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let mut answers = self.inner.answers.lock().unwrap();
        answers.entry(path.to_owned()).or_default().push_back((StatusCode::from_u16(status).unwrap(), headers));
    }

    /// Lets requests to `/slow` be answered.
    pub fn open(&self) {
        self.gate.add_permits(1000);
    }

    /// Messages that arrived at a path so far.
    pub fn taken(&self, path: &str) -> Vec<Taken> {
        self.inner.taken.lock().unwrap().iter().filter(|taken| taken.path == path).cloned().collect()
    }

    /// Waits until so much arrived at a path.
    pub async fn wait_for(&self, path: &str, count: usize) -> Vec<Taken> {
        wait_until(PATIENCE, &format!("{count} messages at {path}"), async || self.taken(path).len() >= count).await;
        self.taken(path)
    }

    /// Waits until an event arrived at a path.
    pub async fn wait_for_event(&self, path: &str, event: &str) -> Taken {
        let mut found = None;
        wait_until(PATIENCE, &format!("{event} at {path}"), async || {
            found = self.taken(path).into_iter().find(|taken| taken.event() == event);
            found.is_some()
        })
        .await;
        found.unwrap()
    }
}

async fn take(State((inner, gate)): State<(Arc<Inner>, Arc<Semaphore>)>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    inner.taken.lock().unwrap().push(Taken { path: path.clone(), headers, body });
    if path == "/slow" {
        gate.acquire().await.unwrap().forget();
    }
    let next = inner.answers.lock().unwrap().get_mut(&path).and_then(VecDeque::pop_front);
    let (status, headers) = next.unwrap_or((StatusCode::NO_CONTENT, Vec::new()));
    let mut response = (status, "an <answer>").into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
