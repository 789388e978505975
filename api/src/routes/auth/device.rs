//! Signing a command line in through a browser (RFC 8628).

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use domain::id::TeamId;
use domain::secret::Secret;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use services::auth::{Account, DeviceState, INTERVAL};
use services::{ServiceError, Services};

use super::refused;
use crate::problem::Problem;
use crate::routes::input::{Client, Input, Visitor};
use crate::state::ApiState;
use crate::{auth, pages};

const PATH: &str = "/auth/device";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A command line that begins.
#[derive(Deserialize)]
pub struct Beginning {
    /// Name that the machine gives itself.
    #[serde(default)]
    name: String,
}

/// A command line that asks.
#[derive(Deserialize)]
pub struct Asking {
    grant_type: String,
    device_code: Secret,
}

/// The code in the address of the page.
#[derive(Deserialize)]
pub struct ShownCode {
    code: Option<String>,
}

/// Decision of the user.
#[derive(Deserialize)]
pub struct Reply {
    user_code: String,
    decision: Decided,
    team: Option<TeamId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decided {
    Allow,
    Deny,
}

/// Lets a command line wait.
pub async fn begin(State(state): State<ApiState>, client: Client, input: Input<Beginning>) -> Result<Response, Problem> {
    let started = state.machine.services.devices().start(&input.body.name, &client.origin).await?;
    let page = state.public.of(PATH);
    Ok(Json(json!({
        "device_code": started.device_code.expose(),
        "user_code": started.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?code={}", started.user_code),
        "expires_in": started.expires_in,
        "interval": INTERVAL,
    }))
    .into_response())
}

/// Tells a command line how it stands, with the errors of RFC 8628, 3.5.
pub async fn token(State(services): State<Services>, client: Client, input: Input<Asking>) -> Result<Response, Problem> {
    let error = |name: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": name}))).into_response();
    if input.body.grant_type != GRANT {
        return Ok(error("unsupported_grant_type"));
    }
    Ok(match services.devices().ask(input.body.device_code.expose(), &client.origin).await? {
        DeviceState::Pending => error("authorization_pending"),
        DeviceState::TooEarly => error("slow_down"),
        DeviceState::Denied => error("access_denied"),
        DeviceState::Expired => error("expired_token"),
        DeviceState::Done(key) => {
            let body = json!({"access_token": key.expose(), "token_type": "Bearer"});
            ([(http::header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
        }
    })
}

/// The page on which a command line is signed in.
pub async fn page(
    State(services): State<Services>,
    Visitor(account): Visitor,
    Query(shown): Query<ShownCode>,
) -> Result<Response, Problem> {
    let Some(code) = shown.code.filter(|code| !code.trim().is_empty()) else {
        return Ok(pages::device_code(None).into_response());
    };
    let device = match services.devices().waiting(&code).await {
        Ok(device) => device,
        Err(error) => return Ok(refused(error, true, |error| pages::device_code(Some(error)))),
    };
    let teams = services.accounts().teams_of(&account).await?;
    let teams: Vec<_> = teams.into_iter().map(|team| (team.id.to_string(), team.name)).collect();
    let email = services.user(account.user_id).await?.email;
    Ok(pages::device(&device, &email, &teams).into_response())
}

/// Signs a command line in, or denies it: by the page, or by a program with the access token of a session.
pub async fn decide(
    State(state): State<ApiState>,
    client: Client,
    headers: HeaderMap,
    input: Input<Reply>,
) -> Result<Response, Problem> {
    let services = &state.machine.services;
    let Reply { user_code, decision, team } = input.body;
    let account = signed_in(services, &client, &headers).await?;
    let decided = services.devices().decide(&account, &user_code, team, decision == Decided::Allow).await;
    if let Err(error) = decided {
        return Ok(refused(error, input.is_form, |error| pages::device_code(Some(error))));
    }
    if !input.is_form {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(match decision {
        Decided::Allow => pages::done("Signed in", "The command line is signed in: go back to your terminal."),
        Decided::Deny => pages::done("Denied", "The command line is not signed in."),
    }
    .into_response())
}

async fn signed_in(services: &Services, client: &Client, headers: &HeaderMap) -> services::Result<Account> {
    if let Some(actor) = auth::actor(services, headers).await? {
        return services.accounts().get(&actor.from(&client.origin)).await;
    }
    client.account(services).await?.ok_or(ServiceError::Unauthenticated("sign in first"))
}
