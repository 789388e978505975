//! Token endpoints of Google: `oauth2.googleapis.com/token` and `sts.googleapis.com/v1/token`.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Vendor, issue, read};
use crate::http::{Answer, Call};
use crate::world::State;

/// Validity of access tokens, in seconds.
const LIFETIME: i64 = 3600;

/// Answers a call to a token endpoint.
pub(crate) fn answer(state: &State, call: &Call) -> Answer {
    match call.path() {
        "/token" => by_assertion(state, call),
        "/v1/token" => by_exchange(state, call),
        _ => Answer::json(StatusCode::NOT_FOUND, &json!({"error": "not_found"})),
    }
}

fn refused(error: &str, description: &str) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

fn field<'f>(form: &'f [(String, String)], names: [&str; 2]) -> &'f str {
    form.iter().find(|(name, _)| names.contains(&name.as_str())).map_or("", |(_, value)| value.as_str())
}

/// A JWT that a service account signed, for an access token (RFC 7523).
fn by_assertion(state: &State, call: &Call) -> Answer {
    let form = call.form();
    let assertion = field(&form, ["assertion", "refresh_token"]);
    match read(state, Vendor::Google, assertion) {
        Ok(claims) => {
            let token = issue(state, Vendor::Google, &claims.subject, LIFETIME, json!({}));
            Answer::ok(&json!({"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"}))
        }
        Err(_) => refused("invalid_grant", "Invalid JWT Signature."),
    }
}

/// A token of another issuer, for an access token (RFC 8693).
fn by_exchange(state: &State, call: &Call) -> Answer {
    let form = call.form();
    let audience = field(&form, ["audience", "audience"]);
    let subject_token = field(&form, ["subject_token", "subjectToken"]);
    let Some(subject) = subject_of(subject_token).filter(|_| audience.starts_with("//iam.googleapis.com/")) else {
        return refused("invalid_request", "Invalid value for subject_token or audience.");
    };
    if !state.principals.knows(Vendor::Google, &subject) {
        return refused("invalid_grant", "The given credential is rejected by the attribute condition.");
    }
    let token = issue(state, Vendor::Google, &subject, LIFETIME, json!({}));
    Answer::ok(&json!({
        "access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer", "expires_in": LIFETIME,
    }))
}

/// The subject of another issuer's token; its signature is not checked.
fn subject_of(token: &str) -> Option<String> {
    use base64::Engine as _;
    let body = token.split('.').nth(1)?;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    body.get("sub")?.as_str().map(str::to_owned)
}
