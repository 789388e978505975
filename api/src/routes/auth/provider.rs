//! Signing in with a provider.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use domain::secret::Secret;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use services::ServiceError;
use services::auth::{Federated, Returned};
use url::Url;

use super::Next;
use crate::pages;
use crate::routes::input::{Client, Input, next, with_session};
use crate::state::ApiState;

/// Cookie that ties a sign-in to the browser that began it.
const COOKIE: &str = "mikrocloud-provider";
const COOKIE_MINUTES: i64 = 15;

const TITLE: &str = "Not signed in";

/// Parameters with which a provider redirects a browser back (RFC 6749, 4.1.2; RFC 9207).
#[derive(Deserialize)]
pub struct Answer {
    state: Option<String>,
    code: Option<Secret>,
    iss: Option<String>,
    error: Option<String>,
}

/// The token of the question whether accounts are linked.
#[derive(Deserialize)]
pub struct Question {
    token: Secret,
}

/// The answer to it.
#[derive(Deserialize)]
pub struct Consent {
    token: Secret,
    password: Option<Secret>,
    code: Option<String>,
}

fn redirect_of(state: &ApiState, name: &str) -> Result<Url, ServiceError> {
    Url::parse(&state.public.of(&format!("/auth/providers/{name}/callback"))).map_err(ServiceError::internal)
}

fn failed(error: ServiceError) -> Response {
    pages::failed(TITLE, error)
}

/// The providers there are.
pub async fn list(State(state): State<ApiState>) -> axum::Json<Value> {
    let providers = state.machine.services.providers().list();
    let shown: Vec<_> = providers
        .iter()
        .map(|provider| json!({"name": provider.name, "label": provider.label, "start": provider.start_path("/auth/account")}))
        .collect();
    axum::Json(json!({"providers": shown}))
}

/// Sends a browser to a provider.
pub async fn start(State(state): State<ApiState>, Path(name): Path<String>, Query(asked): Query<Next>) -> Response {
    let leaving = async {
        let redirect = redirect_of(&state, &name)?;
        state.machine.services.providers().leave_for(&name, &redirect, &next(asked.next.as_deref())).await
    };
    match leaving.await {
        Ok(leaving) => {
            let lifetime = time::Duration::minutes(COOKIE_MINUTES);
            let jar = CookieJar::new().add(state.public.cookie(COOKIE, leaving.browser.expose(), lifetime));
            (jar, Redirect::to(leaving.to.as_str())).into_response()
        }
        Err(error) => failed(error),
    }
}

/// Takes a browser back.
pub async fn callback(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    client: Client,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Response {
    const REFUSED: ServiceError = ServiceError::Unauthenticated("the provider did not sign you in: you, or it, refused");
    const INCOMPLETE: ServiceError = ServiceError::Unauthenticated("the provider's answer is incomplete: begin again");
    if answer.error.is_some() {
        return failed(REFUSED);
    }
    let (Some(flow), Some(code)) = (&answer.state, &answer.code) else { return failed(INCOMPLETE) };
    let services = &state.machine.services;
    let browser = CookieJar::from_headers(&headers).get(COOKIE).map(|cookie| Secret::new(cookie.value()));
    let coming = async {
        let (redirect, present) = (redirect_of(&state, &name)?, client.account(services).await?);
        let back = Returned {
            state: flow,
            code: code.expose(),
            issuer: answer.iss.as_deref(),
            browser: browser.as_ref(),
            redirect: &redirect,
            origin: &client.origin,
        };
        services.providers().return_from(&name, back, present.as_ref()).await
    };
    match coming.await {
        Ok(Federated::Done(signed_in, next)) => with_session(&state.public, &signed_in.refresh_token, Redirect::to(&next)),
        Ok(Federated::Link(token)) => Redirect::to(&format!("/auth/link-account?token={}", token.expose())).into_response(),
        Err(error) => failed(error),
    }
}

/// Asks whether accounts are linked.
pub async fn question(State(state): State<ApiState>, client: Client, Query(asked): Query<Question>) -> Response {
    let services = &state.machine.services;
    let asking = async {
        let present = client.account(services).await?;
        services.providers().link_question(asked.token.expose(), present.as_ref()).await
    };
    match asking.await {
        Ok(question) => pages::link_account(asked.token.expose(), &question, None).into_response(),
        Err(error) => failed(error),
    }
}

/// Links accounts.
pub async fn consent(State(state): State<ApiState>, client: Client, input: Input<Consent>) -> Response {
    let services = &state.machine.services;
    let Consent { token, password, code } = input.body;
    let linking = async {
        let present = client.account(services).await?;
        let linked =
            services.providers().link_identity(token.expose(), password, code.as_deref(), present.as_ref(), &client.origin).await;
        match linked {
            Ok((signed_in, next)) => Ok(with_session(&state.public, &signed_in.refresh_token, Redirect::to(&next))),
            Err(error) => {
                let question = services.providers().link_question(token.expose(), present.as_ref()).await?;
                let page = |error: &ServiceError| pages::link_account(token.expose(), &question, Some(error));
                Ok::<_, ServiceError>(super::refused(error, input.is_form, page))
            }
        }
    };
    linking.await.unwrap_or_else(failed)
}
