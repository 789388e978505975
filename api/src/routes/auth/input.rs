//! What sign-in routes are sent: JSON by programs, forms by browsers.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use axum_extra::extract::CookieJar;
use domain::access::Origin;
use domain::secret::Secret;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use services::auth::Account;
use services::{ServiceError, Services};

use crate::browser::PublicUrl;
use crate::client;
use crate::problem::Problem;
use crate::routes::ApiState;

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

/// Who sends a request, before anybody signs in: where it comes from, and the session of its browser.
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
            Some(cookie) => services.account_of_cookie(cookie.expose(), Arc::clone(&self.origin)).await,
            None => Ok(None),
        }
    }
}

/// Where to go on: a path of ours. Whatever else is asked for could lead people away.
pub(super) fn next(asked: Option<&str>) -> String {
    let is_ours =
        |path: &&str| path.starts_with('/') && !path.starts_with("//") && !path.contains(|c: char| c == '\\' || c.is_control());
    asked.filter(is_ours).unwrap_or("/auth/account").to_owned()
}

/// A path of ours with a value in its query.
pub(super) fn with_query(path: &str, name: &str, value: &str) -> String {
    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("{path}?{name}={value}")
}

/// The address of the sign-in page that goes on somewhere.
pub(super) fn sign_in_path(next: &str) -> String {
    with_query("/auth/sign-in", "next", next)
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
            assert_eq!(next(Some(path)), "/auth/account", "{path}");
        }
        assert_eq!(sign_in_path("/auth/device?code=A&b"), "/auth/sign-in?next=%2Fauth%2Fdevice%3Fcode%3DA%26b");
    }
}
