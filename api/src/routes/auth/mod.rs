//! Signing in and out, for programs and browsers.

pub mod account;
pub mod device;
pub mod invitation;
pub mod provider;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::secret::Secret;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use services::auth::{Access, SignIn, SignedIn};
use services::{ServiceError, Services};

use super::input::{Client, Input, next, with_session, without_session};
use crate::pages::Page;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::{auth, pages};

/// Storage place of a session's refresh token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Keep {
    /// By the program.
    #[default]
    Token,
    /// In a cookie, which scripts do not see.
    Cookie,
}

/// Address and password.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: Secret,
    #[serde(default)]
    session: Keep,
    next: Option<String>,
}

/// A code of a second factor.
#[derive(Deserialize)]
pub struct Challenged {
    challenge: Secret,
    code: String,
    #[serde(default)]
    session: Keep,
    next: Option<String>,
}

/// A refresh token; without one the cookie counts.
#[derive(Deserialize)]
pub struct Refresh {
    refresh_token: Option<Secret>,
}

/// The token of a sign-in link.
#[derive(Deserialize)]
pub struct LinkToken {
    token: Secret,
}

/// A sign-in link with the password to use from then on.
#[derive(Deserialize)]
pub struct LinkForm {
    token: Secret,
    password: Secret,
    #[serde(default)]
    session: Keep,
}

/// Address to continue at.
#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

fn tokens(signed_in: &SignedIn) -> Value {
    json!({
        "access_token": signed_in.access_token.expose(),
        "refresh_token": signed_in.refresh_token.expose(),
        "token_type": "Bearer",
        "expires_in": signed_in.expires_in,
    })
}

/// The tokens in the answer to a program, or the refresh token in a cookie.
fn told(state: &ApiState, signed_in: &SignedIn, keep: Keep) -> Response {
    let mut tokens = tokens(signed_in);
    if keep == Keep::Token {
        return Json(tokens).into_response();
    }
    if let Some(tokens) = tokens.as_object_mut() {
        tokens.remove("refresh_token");
    }
    with_session(&state.public, &signed_in.refresh_token, Json(tokens))
}

/// Builds the response that tells a program that a code is required.
fn code_asked(challenge: &Secret) -> Response {
    let body = json!({
        "title": "Unauthorized",
        "status": 401,
        "detail": "a code of your second factor is asked for: send it with this challenge to /auth/second-factor",
        "code": "UNAUTHENTICATED",
        "reason": "SECOND_FACTOR_NEEDED",
        "challenge": challenge.expose(),
    });
    let headers = [(http::header::CONTENT_TYPE, "application/problem+json"), (http::header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, headers, Json(body)).into_response()
}

/// An answer to somebody who got through a step of a sign-in.
fn stepped(state: &ApiState, step: &SignIn, is_form: bool, keep: Keep, next: &str) -> Response {
    match (step, is_form) {
        (SignIn::Done(signed_in), false) => told(state, signed_in, keep),
        (SignIn::Done(signed_in), true) => with_session(&state.public, &signed_in.refresh_token, Redirect::to(next)),
        (SignIn::SecondFactor(challenge), false) => code_asked(challenge),
        (SignIn::SecondFactor(challenge), true) => pages::code(challenge.expose(), next, None).into_response(),
    }
}

/// A refused form: the page again, with the reason. Faults of ours are no page.
fn refused(error: ServiceError, is_form: bool, page: impl FnOnce(&ServiceError) -> Page) -> Response {
    match error {
        ServiceError::Internal(_) => Problem(error).into_response(),
        error if is_form => (StatusCode::UNPROCESSABLE_ENTITY, page(&error)).into_response(),
        error => Problem(error).into_response(),
    }
}

/// The page to sign in on.
pub async fn sign_in_page(State(services): State<Services>, Query(asked): Query<Next>) -> Page {
    pages::sign_in(&next(asked.next.as_deref()), "", &services.providers().list(), None)
}

/// Signs in with address and password.
pub async fn sign_in(State(state): State<ApiState>, client: Client, input: Input<Credentials>) -> Response {
    let Credentials { email, password, session, next: asked } = input.body;
    let (services, next) = (&state.machine.services, next(asked.as_deref()));
    match services.sessions().sign_in(&email, password, &client.origin).await {
        Ok(step) => stepped(&state, &step, input.is_form, session, &next),
        Err(error) => {
            refused(error, input.is_form, |error| pages::sign_in(&next, &email, &services.providers().list(), Some(error)))
        }
    }
}

/// Goes on with a code.
pub async fn second_factor(State(state): State<ApiState>, client: Client, input: Input<Challenged>) -> Response {
    let Challenged { challenge, code, session, next: asked } = input.body;
    let next = next(asked.as_deref());
    match state.machine.services.second_factors().sign_in_with_code(challenge.expose(), &code, &client.origin).await {
        Ok(signed_in) => stepped(&state, &SignIn::Done(signed_in), input.is_form, session, &next),
        Err(error) => refused(error, input.is_form, |error| pages::code(challenge.expose(), &next, Some(error))),
    }
}

/// Exchanges a refresh token for the next one.
pub async fn refresh(State(state): State<ApiState>, client: Client, input: Input<Refresh>) -> Result<Response, Problem> {
    let (token, keep) = match (input.body.refresh_token, client.cookie) {
        (Some(token), _) => (token, Keep::Token),
        (None, Some(token)) => (token, Keep::Cookie),
        (None, None) => {
            let message = "send the refresh token, or the cookie of a session";
            return Err(ServiceError::invalid("refresh_token", "MISSING", message).into());
        }
    };
    match state.machine.services.sessions().refresh(token.expose(), &client.origin).await {
        Ok(signed_in) => Ok(told(&state, &signed_in, keep)),
        Err(error @ ServiceError::Unauthenticated(_)) if keep == Keep::Cookie => {
            Ok(without_session(&state.public, Problem(error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// An access token for the pages of a browser with a session; no content where nobody is signed in.
pub async fn access(State(state): State<ApiState>, client: Client) -> Result<Response, Problem> {
    let Some(cookie) = client.cookie else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    match state.machine.services.sessions().access(cookie.expose(), &client.origin).await? {
        Some(Access { token, expires_in }) => {
            let body = json!({"access_token": token.expose(), "token_type": "Bearer", "expires_in": expires_in});
            Ok(with_session(&state.public, &cookie, Json(body)))
        }
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// Ends the session of a refresh token or of the cookie, or revokes the API key of a command line that signed in.
pub async fn sign_out(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    input: Input<Refresh>,
) -> Result<Response, Problem> {
    let services = &state.machine.services;
    if let Some(actor) = auth::actor(services, &headers).await? {
        services.sessions().sign_out_credential(&actor.from(&client.origin)).await?;
    }
    for token in input.body.refresh_token.iter().chain(&client.cookie) {
        services.sessions().sign_out(token.expose(), &client.origin).await?;
    }
    if input.body.refresh_token.is_none() && client.cookie.is_none() && !headers.contains_key(http::header::AUTHORIZATION) {
        return Err(
            ServiceError::invalid("refresh_token", "MISSING", "send the refresh token, or the cookie of a session").into()
        );
    }
    let page = pages::done("Signed out", "This browser is signed out.");
    let answer = if input.is_form { page.into_response() } else { StatusCode::NO_CONTENT.into_response() };
    Ok(without_session(&state.public, answer))
}

/// The page of a sign-in link. Looking at it uses nothing up: programs that preview links do look.
pub async fn link_page(Query(LinkToken { token }): Query<LinkToken>) -> Page {
    pages::link(token.expose(), None)
}

/// Uses a sign-in link up.
pub async fn use_link(State(state): State<ApiState>, client: Client, input: Input<LinkForm>) -> Response {
    let LinkForm { token, password, session } = input.body;
    match state.machine.services.sessions().sign_in_with_link(token.expose(), password, &client.origin).await {
        Ok(step) => stepped(&state, &step, input.is_form, session, &next(None)),
        Err(error) => refused(error, input.is_form, |error| pages::link(token.expose(), Some(error))),
    }
}

/// The public keys of access tokens (RFC 7517), for whoever checks them elsewhere.
pub async fn key_set(State(services): State<Services>) -> Result<Response, Problem> {
    let keys = services.sessions().key_set().await?;
    Ok(([(http::header::CACHE_CONTROL, "public, max-age=3600")], Json(keys)).into_response())
}
