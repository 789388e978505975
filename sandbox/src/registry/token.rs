//! Token exchanges of the registries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::json;

use crate::http::{Answer, Call, Reach};
use crate::login::{Vendor, issue, read};
use crate::world::State;

/// Validity of registry tokens, in seconds.
const LIFETIME: i64 = 3600;

/// The vendor of a registry.
pub(super) fn vendor_of(host: &str) -> Vendor {
    match host {
        _ if host.ends_with(".azurecr.io") => Vendor::Azure,
        _ if host.ends_with(".amazonaws.com") => Vendor::Aws,
        _ => Vendor::Google,
    }
}

/// The challenge that tells a client where tokens come from.
pub(super) fn challenge(call: &Call, host: &str) -> String {
    let vendor = vendor_of(host);
    if vendor == Vendor::Aws {
        return format!("Basic realm=\"https://{host}/\",service=\"ecr.amazonaws.com\"");
    }
    let path = if vendor == Vendor::Azure { "/oauth2/token" } else { "/v2/token" };
    let (base, service) = match call.origin.reach {
        Reach::Own => (format!("http://{}", call.origin.sent_host), "sandbox"),
        Reach::Header | Reach::Path | Reach::Host => (call.base(), host),
    };
    let path = if call.origin.reach == Reach::Own { "/v2/token" } else { path };
    format!("Bearer realm=\"{base}{path}\",service=\"{service}\"")
}

/// Answers a call to a token endpoint; `None` for other calls.
pub(super) fn answer(state: &State, call: &Call) -> Option<Answer> {
    match call.path() {
        "/v2/token" => Some(by_credentials(state, call)),
        "/oauth2/exchange" => Some(exchange(state, call)),
        "/oauth2/token" => Some(by_refresh_token(state, call)),
        _ => None,
    }
}

fn refused(message: &str) -> Answer {
    Answer::json(StatusCode::UNAUTHORIZED, &json!({"errors": [{"code": "UNAUTHORIZED", "message": message}]}))
}

/// User and password of basic authentication.
pub(super) fn basic(call: &Call) -> Option<(String, String)> {
    let value = call.header("authorization");
    let (scheme, text) = value.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok())??;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The one whom a token of any vendor belongs to.
pub(super) fn owner(state: &State, token: &str) -> Option<(Vendor, String)> {
    [Vendor::Azure, Vendor::Aws, Vendor::Google]
        .into_iter()
        .find_map(|vendor| read(state, vendor, token).ok().map(|claims| (vendor, claims.subject)))
}

/// Google, and the sandbox's own address: an access token or basic authentication with one as password, for a token.
fn by_credentials(state: &State, call: &Call) -> Answer {
    let presented = call.bearer().map(str::to_owned).or_else(|| basic(call).map(|(_, password)| password));
    let Some((vendor, subject)) = presented.and_then(|token| owner(state, &token)) else {
        return refused("the access token is missing or not valid");
    };
    let scope = call.parameter("scope").unwrap_or_default();
    let token = issue(state, vendor, &subject, LIFETIME, json!({"scope": scope}));
    Answer::ok(&json!({"token": token, "access_token": token, "expires_in": LIFETIME}))
}

/// Azure: an access token of Microsoft Entra, for a refresh token of the registry.
fn exchange(state: &State, call: &Call) -> Answer {
    let form = call.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if field("grant_type") != "access_token" || field("service") != call.host {
        return Answer::json(
            StatusCode::BAD_REQUEST,
            &json!({"errors": [{"code": "BAD_REQUEST", "message": "grant_type and service are required"}]}),
        );
    }
    match read(state, Vendor::Azure, field("access_token")) {
        Ok(claims) => {
            let token = issue(state, Vendor::Azure, &claims.subject, 3 * LIFETIME, json!({"grant_type": "refresh_token"}));
            Answer::ok(&json!({"refresh_token": token}))
        }
        Err(_) => refused("the access token is not valid"),
    }
}

/// Azure: the registry's refresh token, in a form or as a password, for an access token.
fn by_refresh_token(state: &State, call: &Call) -> Answer {
    let form = call.form();
    let field = form.iter().find(|(key, _)| key == "refresh_token").map(|(_, value)| value.clone());
    let presented = field.or_else(|| basic(call).map(|(_, password)| password)).unwrap_or_default();
    match read(state, Vendor::Azure, &presented) {
        Ok(claims) => {
            let token = issue(state, Vendor::Azure, &claims.subject, LIFETIME, json!({}));
            Answer::ok(&json!({"access_token": token}))
        }
        Err(_) => refused("the refresh token is not valid"),
    }
}
