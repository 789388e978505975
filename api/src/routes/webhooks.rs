//! Webhooks of Git hosts: verified, stored and answered at once; jobs act on them.

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{IntoResponse, Response};
use domain::git_host::GitHost;
use domain::id::GitConnectionId;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderMap, StatusCode};
use serde_json::json;
use services::git_hosts::{Received, Webhook};
use services::{ErrorCode, ServiceError, Services};

use crate::client;
use crate::limit::limited;
use crate::problem::{Problem, Refusal};
use crate::state::ApiState;

/// The largest message that is read: GitHub sends none that is larger.
pub(super) const MAX_BODY: usize = 25 * 1024 * 1024;

/// A webhook of a repository that is connected by a token, or without one.
pub async fn github(State(state): State<ApiState>, Path(id): Path<String>, request: Request) -> Response {
    of_connection(state, GitHost::GitHub, &id, request).await
}

/// The same of GitLab.
pub async fn gitlab(State(state): State<ApiState>, Path(id): Path<String>, request: Request) -> Response {
    of_connection(state, GitHost::GitLab, &id, request).await
}

/// A webhook of the GitHub App.
pub async fn github_app(State(state): State<ApiState>, request: Request) -> Response {
    if let Err(error) = state.machine.services.git().expects_app_webhooks() {
        return answer(&state, &Head::of(&request), Err(error));
    }
    let (head, body) = match read(request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let received =
        state.machine.services.git().receive_app_webhook(head.webhook(GitHost::GitHub, &body, &payload(&head, &body))).await;
    answer(&state, &head, received)
}

async fn of_connection(state: ApiState, host: GitHost, id: &str, request: Request) -> Response {
    let services: &Services = &state.machine.services;
    let head = Head::of(&request);
    // What is sent to nobody is not read.
    let unknown = || {
        ServiceError::Unauthenticated(
            "there is no such webhook: see the address that was shown when the repository was connected",
        )
    };
    let id: GitConnectionId = match id.parse() {
        Ok(id) => id,
        Err(_) => return answer(&state, &head, Err(unknown())),
    };
    if let Err(error) = services.git().expects_webhooks(host, id).await {
        return answer(&state, &head, Err(error));
    }
    let (head, body) = match read(request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let received = services.git().receive_webhook(host, id, head.webhook(host, &body, &payload(&head, &body))).await;
    answer(&state, &head, received)
}

struct Head {
    headers: HeaderMap,
    extensions: Extensions,
}

impl Head {
    fn of(request: &Request) -> Self {
        Self { headers: request.headers().clone(), extensions: request.extensions().clone() }
    }

    fn text(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn webhook<'a>(&'a self, host: GitHost, body: &'a [u8], payload: &'a [u8]) -> Webhook<'a> {
        match host {
            GitHost::GitHub => Webhook {
                event: self.text("x-github-event"),
                delivery: self.text("x-github-delivery"),
                proof: self.text("x-hub-signature-256"),
                body,
                payload,
            },
            GitHost::GitLab => {
                // Older versions know the second only.
                let delivery = Some(self.text("idempotency-key")).filter(|id| !id.is_empty());
                Webhook {
                    event: self.text("x-gitlab-event"),
                    delivery: delivery.unwrap_or_else(|| self.text("x-gitlab-event-uuid")),
                    proof: self.text("x-gitlab-token"),
                    body,
                    payload,
                }
            }
        }
    }
}

async fn read(request: Request) -> Result<(Head, Bytes), Response> {
    let head = Head::of(&request);
    match Bytes::from_request(request, &()).await {
        Ok(body) => Ok((head, body)),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the message is larger than {} MiB", MAX_BODY / (1024 * 1024));
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail).into_response())
        }
        Err(error) => Err(error.into_response()),
    }
}

/// The message: the body, or the field of the form that GitHub sends unless it is told to send JSON.
fn payload<'a>(head: &Head, body: &'a [u8]) -> Cow<'a, [u8]> {
    if !head.text(CONTENT_TYPE.as_str()).starts_with("application/x-www-form-urlencoded") {
        return Cow::Borrowed(body);
    }
    let field = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
    Cow::Owned(field.map(|(_, value)| value.into_owned().into_bytes()).unwrap_or_default())
}

fn answer(state: &ApiState, head: &Head, received: Result<Received, ServiceError>) -> Response {
    match received {
        Ok(Received::Accepted) => (StatusCode::ACCEPTED, Json(json!({"status": "accepted"}))).into_response(),
        Ok(Received::Duplicate) => Json(json!({"status": "duplicate"})).into_response(),
        Ok(Received::Ignored(reason)) => Json(json!({"status": "ignored", "reason": reason})).into_response(),
        Err(error) => {
            // Hosts call from few addresses, and as often as people push: only what is refused counts.
            if error.code() == ErrorCode::Unauthenticated
                && let Some(standing) = state.limiter.count_anonymous(client::address(&head.extensions, &head.headers))
                && !standing.allowed
            {
                return Problem::from(limited(&standing)).into_response();
            }
            Problem::from(error).into_response()
        }
    }
}
