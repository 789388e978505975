//! Signing in and out.

use axum::extract::{FromRequest, Query, Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::{Form, Json};
use domain::secret::Secret;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};
use services::auth::SignedIn;
use services::{ServiceError, Services};

use super::welcome::html_page;
use crate::problem::Problem;

/// Address and password.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: Secret,
}

/// A refresh token.
#[derive(Deserialize)]
pub struct Refresh {
    refresh_token: Secret,
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
}

fn tokens(signed_in: &SignedIn) -> Json<Value> {
    Json(json!({
        "access_token": signed_in.access_token.expose(),
        "refresh_token": signed_in.refresh_token.expose(),
        "token_type": "Bearer",
        "expires_in": signed_in.expires_in,
    }))
}

/// A JSON body; what is wrong with it is said like every other error.
async fn json_body<T: serde::de::DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let parsed = Json::<T>::from_request(request, &()).await;
    parsed.map(|Json(body)| body).map_err(|error| Problem(ServiceError::invalid("body", "INVALID_JSON", error.body_text())))
}

/// Signs in with address and password.
pub async fn sign_in(State(services): State<Services>, request: Request) -> Result<Json<Value>, Problem> {
    let Credentials { email, password } = json_body(request).await?;
    Ok(tokens(&services.sign_in(&email, password).await?))
}

/// Exchanges a refresh token for the next one.
pub async fn refresh(State(services): State<Services>, request: Request) -> Result<Json<Value>, Problem> {
    let Refresh { refresh_token } = json_body(request).await?;
    Ok(tokens(&services.refresh(refresh_token.expose()).await?))
}

/// Ends the session of a refresh token.
pub async fn sign_out(State(services): State<Services>, request: Request) -> Result<StatusCode, Problem> {
    let Refresh { refresh_token } = json_body(request).await?;
    services.sign_out(refresh_token.expose()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The page of a sign-in link. Looking at it uses nothing up: programs that preview links do look.
pub async fn link_page(Query(LinkToken { token }): Query<LinkToken>) -> Html<String> {
    // Tokens are base64url; anything else could only be an attempt to write into the page.
    let token: String = token.expose().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
    html_page(
        "Sign in",
        &format!(
            "<p>Choose the password you will sign in with from now on.</p>\
             <form method=\"post\" action=\"/auth/link\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
             <label>Password (12 characters or more)<br><input type=\"password\" name=\"password\" minlength=\"12\" required autofocus \
             autocomplete=\"new-password\"></label> <button>Sign in</button></form>"
        ),
    )
}

/// Uses a sign-in link up: from the page's form, or as JSON.
pub async fn use_link(State(services): State<Services>, request: Request) -> Response {
    let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if is_json {
        let answer = async {
            let LinkForm { token, password } = json_body(request).await?;
            let signed_in = services.sign_in_with_link(token.expose(), password).await?;
            Ok::<_, Problem>(tokens(&signed_in))
        };
        return answer.await.into_response();
    }
    let Ok(Form(LinkForm { token, password })) = Form::<LinkForm>::from_request(request, &()).await else {
        return (
            StatusCode::UNPROCESSABLE_ENTITY,
            html_page("Sign in", "<p>The form was incomplete: go back and try again.</p>"),
        )
            .into_response();
    };
    match services.sign_in_with_link(token.expose(), password).await {
        Ok(_) => html_page(
            "Your password is set",
            "<p>Sign in with <code>mikrocloud login</code>, and deploy with <code>mikrocloud deploy</code>.</p>",
        )
        .into_response(),
        Err(error @ (ServiceError::Invalid { .. } | ServiceError::Unauthenticated(_))) => {
            let text = format!("<p>Not signed in: {error}.</p><p>Go back to try again.</p>").replace('`', "");
            (StatusCode::UNPROCESSABLE_ENTITY, html_page("Sign in", &text)).into_response()
        }
        Err(error) => Problem(error).into_response(),
    }
}
