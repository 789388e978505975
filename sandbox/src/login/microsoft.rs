//! Token endpoint of Microsoft: client credentials, by secret or by assertion.

use http::{Method, StatusCode};
use serde_json::json;

use super::{Vendor, issue};
use crate::http::{Answer, Call};
use crate::world::State;

/// Validity of access tokens, in seconds.
const LIFETIME: i64 = 3599;

/// Answers a call to `login.microsoftonline.com`.
pub(crate) fn answer(state: &State, call: &Call) -> Answer {
    let segments = call.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (&call.method, parts.as_slice()) {
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => token(state, call, tenant),
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => configuration(call, tenant),
        (&Method::GET, ["common", "discovery", "instance"]) => discovery(call),
        _ => Answer::json(StatusCode::NOT_FOUND, &json!({"error": "not_found"})),
    }
}

fn refused(code: &str, number: u32, text: &str) -> Answer {
    let body = json!({"error": code, "error_description": format!("AADSTS{number}: {text}"), "error_codes": [number]});
    Answer::json(StatusCode::UNAUTHORIZED, &body)
}

fn token(state: &State, call: &Call, tenant: &str) -> Answer {
    let form = call.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let (client, secret, assertion) = (field("client_id"), field("client_secret"), field("client_assertion"));
    if field("grant_type") != "client_credentials" || client.is_empty() || (secret.is_empty() && assertion.is_empty()) {
        let body = json!({"error": "invalid_request", "error_description": "AADSTS900144: The request body must contain \
            grant_type=client_credentials, client_id and client_secret or client_assertion."});
        return Answer::json(StatusCode::BAD_REQUEST, &body);
    }
    if !state.principals.knows(Vendor::Azure, client) {
        return refused("unauthorized_client", 700_016, &format!("Application with identifier '{client}' was not found."));
    }
    if assertion.is_empty() && !state.principals.accepts(Vendor::Azure, client, secret) {
        return refused("invalid_client", 7_000_215, "Invalid client secret provided.");
    }
    if state.principals.about(Vendor::Azure, client, "tenant").is_some_and(|own| !own.eq_ignore_ascii_case(tenant)) {
        return refused(
            "unauthorized_client",
            700_016,
            &format!("Application '{client}' was not found in the directory '{tenant}'."),
        );
    }
    let audience = field("scope").trim_end_matches("/.default").to_owned();
    let object = state.principals.about(Vendor::Azure, client, "object").unwrap_or(client);
    let claims = json!({"aud": audience, "tid": tenant, "appid": client, "oid": object, "ver": "1.0"});
    let token = issue(state, Vendor::Azure, client, LIFETIME, claims);
    Answer::ok(&json!({"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}))
}

fn configuration(call: &Call, tenant: &str) -> Answer {
    let base = call.base();
    Answer::ok(&json!({
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "issuer": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
    }))
}

fn discovery(call: &Call) -> Answer {
    let metadata = json!([{"preferred_network": call.host, "preferred_cache": call.host, "aliases": [call.host]}]);
    Answer::ok(
        &json!({"tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", call.base()), "metadata": metadata}),
    )
}
