//! Input of routes below `/auth` and of pages: JSON from programs, forms from browsers, whose cookie holds the session.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use axum_extra::extract::{CookieJar, WithRejection};
use domain::access::{Actor, Origin};
use domain::secret::Secret;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::uri::PathAndQuery;
use serde::de::DeserializeOwned;
use services::auth::Account;
use services::{ServiceError, Services};

use crate::problem::Problem;
use crate::public_url::PublicUrl;
use crate::state::ApiState;
use crate::{client, dashboard, pages};

/// A body, and whether a form of ours sent it: then the answer is a page.
pub struct Input<T> {
    pub body: T,
    pub is_form: bool,
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Input<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &ApiState) -> Result<Self, Response> {
        let kind = request.headers().get(CONTENT_TYPE).map(|value| value.as_bytes().to_vec()).unwrap_or_default();
        let is_form = kind.starts_with(b"application/x-www-form-urlencoded");
        let invalid = |code, text: String| Problem(ServiceError::invalid("body", code, text)).into_response();
        let body = if is_form {
            let parsed = Form::<T>::from_request(request, &()).await;
            parsed.map(|Form(body)| body).map_err(|error| invalid("INVALID_FORM", error.body_text()))?
        } else {
            let parsed = Json::<T>::from_request(request, &()).await;
            parsed.map(|Json(body)| body).map_err(|error| invalid("INVALID_JSON", error.body_text()))?
        };
        Ok(Self { body, is_form })
    }
}

/// Client of a request, before anybody signs in: its origin, and the session of its browser.
pub struct Client {
    pub origin: Arc<Origin>,
    pub cookie: Option<Secret>,
}

impl FromRequestParts<ApiState> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Self::Rejection> {
        let origin = Arc::new(client::origin(&parts.extensions, &parts.headers));
        Ok(Self { origin, cookie: state.public.refresh_token(&parts.headers) })
    }
}

impl Client {
    /// The account whose session the browser is in.
    pub async fn account(&self, services: &Services) -> services::Result<Option<Account>> {
        match &self.cookie {
            Some(cookie) => services.accounts().of_cookie(cookie.expose(), Arc::clone(&self.origin)).await,
            None => Ok(None),
        }
    }
}

/// Somebody in whose browser's cookie is a session. Who has none goes on once they signed in.
pub struct Visitor(pub Account);

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        const NOBODY: ServiceError = ServiceError::Unauthenticated("nobody is signed in in this browser: sign in first");
        let Ok(client) = Client::from_request_parts(parts, state).await;
        match client.account(&state.machine.services).await {
            Ok(Some(account)) => Ok(Self(account)),
            Ok(None) if parts.method.is_safe() => {
                let asked = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
                Err(Redirect::to(&sign_in_path(asked)).into_response())
            }
            Ok(None) => Err(Problem(NOBODY).into_response()),
            Err(error) => Err(Problem(error).into_response()),
        }
    }
}

/// The same, as a member of the team that the path names.
pub struct Member(pub Actor);

impl FromRequestParts<ApiState> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Response> {
        let Visitor(account) = Visitor::from_request_parts(parts, state).await?;
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let team = path.iter().find(|(name, _)| *name == "team").and_then(|(_, team)| team.parse().ok());
        let found =
            async { state.machine.services.sessions().actor_in(&account, team.ok_or(ServiceError::NotFound("team"))?).await };
        found.await.map(Self).map_err(|error| pages::failed("Your teams", error))
    }
}

/// Parameters in the address of a page.
pub type Address<T> = WithRejection<T, BadAddress>;

/// An address that nobody was led to by a page of ours.
pub struct BadAddress(String);

impl From<PathRejection> for BadAddress {
    fn from(rejection: PathRejection) -> Self {
        Self(rejection.body_text())
    }
}

impl From<QueryRejection> for BadAddress {
    fn from(rejection: QueryRejection) -> Self {
        Self(rejection.body_text())
    }
}

impl IntoResponse for BadAddress {
    fn into_response(self) -> Response {
        pages::failed("No such page", ServiceError::invalid("address", "INVALID_ADDRESS", self.0))
    }
}

/// Returns the address to continue at: a path of ours. Any other address could lead people away.
pub(super) fn next(asked: Option<&str>) -> String {
    let is_ours =
        |path: &&str| path.starts_with('/') && !path.starts_with("//") && !path.contains(|c: char| c == '\\' || c.is_control());
    let usual = if dashboard::is_there() { "/" } else { "/auth/account" };
    asked.filter(is_ours).unwrap_or(usual).to_owned()
}

/// The address of the sign-in page that goes on somewhere.
fn sign_in_path(next: &str) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("/auth/sign-in?next={next}")
}

/// Puts the cookie of a session into an answer.
pub(super) fn with_session(public: &PublicUrl, refresh_token: &Secret, answer: impl IntoResponse) -> Response {
    (CookieJar::new().add(public.session_cookie(refresh_token)), answer).into_response()
}

/// Removes it.
pub(super) fn without_session(public: &PublicUrl, answer: impl IntoResponse) -> Response {
    (CookieJar::new().add(public.no_session_cookie()), answer).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_away() {
        for path in ["/", "/auth/device?code=BCDF-GHJK", "/projects"] {
            assert_eq!(next(Some(path)), path);
        }
        for path in
            ["", "//evil.example.org", "https://evil.example.org", "/\\evil.example.org", "/a\r\nb", "javascript:alert(1)"]
        {
            assert_eq!(next(Some(path)), next(None), "{path}");
        }
        assert_eq!(sign_in_path("/auth/device?code=A&b"), "/auth/sign-in?next=%2Fauth%2Fdevice%3Fcode%3DA%26b");
    }
}
