//! Tokens: JSON Web Tokens that the sandbox signs, and those that service accounts sign themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::Vendor;
use crate::world::State;

/// Reason for which a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// There is none, or it is none of ours.
    Invalid,
    /// Its time is over.
    Expired,
}

/// Claims of a token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claims {
    /// E-mail address or client id.
    pub subject: String,
    /// Everything else.
    pub body: Value,
}

/// A token of the sandbox for a subject, valid for some seconds, with further claims.
pub(crate) fn issue(state: &State, vendor: Vendor, subject: &str, seconds: i64, more: Value) -> String {
    let now = state.millis() / 1000;
    let mut body = json!({
        "iss": "mikrocloud-sandbox", "cloud": vendor.name(), "sub": subject, "iat": now, "nbf": now, "exp": now + seconds,
        "jti": uuid::Uuid::new_v4().to_string(),
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    let head = encode(&json!({"alg": "HS256", "typ": "JWT"}).to_string());
    let unsigned = format!("{head}.{}", encode(&body.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(sign(state, &unsigned));
    format!("{unsigned}.{signature}")
}

/// The claims of a token that the sandbox issued, or that a principal of Google signed itself. Signatures of the latter are checked
/// if the sandbox made the principal's key.
pub(crate) fn read(state: &State, vendor: Vendor, token: &str) -> Result<Claims, TokenError> {
    let (unsigned, signature) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
    let body = unsigned.split_once('.').and_then(|(_, body)| decode(body)).ok_or(TokenError::Invalid)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let subject = if text("iss") == "mikrocloud-sandbox" {
        let is_ours = URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| signature == sign(state, unsigned));
        if !is_ours || text("cloud") != vendor.name() {
            return Err(TokenError::Invalid);
        }
        text("sub").to_owned()
    } else if vendor == Vendor::Google && !text("iss").is_empty() {
        text("iss").to_owned()
    } else {
        return Err(TokenError::Invalid);
    };
    if !state.principals.knows(vendor, &subject) {
        return Err(TokenError::Invalid);
    }
    let is_issued = text("iss") == "mikrocloud-sandbox";
    if !is_issued && state.principals.signs(vendor, &subject) && !is_signed(state, unsigned, signature) {
        return Err(TokenError::Invalid);
    }
    let expires = body.get("exp").and_then(Value::as_i64).unwrap_or(0);
    if expires <= state.millis() / 1000 {
        return Err(TokenError::Expired);
    }
    Ok(Claims { subject, body })
}

fn is_signed(state: &State, unsigned: &str, signature: &str) -> bool {
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    state.key_pair.as_ref().is_some_and(|pair| pair.verifies(unsigned, &signature))
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn sign(state: &State, text: &str) -> Vec<u8> {
    // Every length is a valid key for HMAC.
    let mac = Hmac::<Sha256>::new_from_slice(state.token_key.as_bytes());
    mac.map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_time_and_its_vendor() {
        let mut state = State::default();
        let token = issue(&state, Vendor::Azure, "client", 3600, json!({"tid": "t"}));
        let claims = read(&state, Vendor::Azure, &token).unwrap();
        assert_eq!((claims.subject.as_str(), claims.body["tid"].as_str()), ("client", Some("t")));
        assert_eq!(read(&state, Vendor::Google, &token), Err(TokenError::Invalid));
        assert_eq!(read(&state, Vendor::Azure, &token[..token.len() - 2]), Err(TokenError::Invalid));
        state.ahead = 3_600_001;
        assert_eq!(read(&state, Vendor::Azure, &token), Err(TokenError::Expired));
    }

    #[test]
    fn service_accounts_sign_for_themselves_if_they_are_known() {
        let mut state = State::default();
        let body = json!({"iss": "a@p.iam.gserviceaccount.com", "exp": state.millis() / 1000 + 60}).to_string();
        let token = format!("{}.{}.c2ln", encode("{}"), encode(&body));
        assert_eq!(read(&state, Vendor::Google, &token).unwrap().subject, "a@p.iam.gserviceaccount.com");
        state.principals.put(serde_json::from_value(json!({"cloud": "google", "id": "b"})).unwrap());
        assert_eq!(read(&state, Vendor::Google, &token), Err(TokenError::Invalid));
    }
}
