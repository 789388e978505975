//! Signatures of messages by the Standard Webhooks scheme, version 1
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Prefix of secrets.
const PREFIX: &str = "whsec_";
/// Length of new secrets, bytes; the scheme asks for 24 to 64.
const BYTES: usize = 32;

/// A new secret.
pub(super) fn new_secret() -> Secret {
    let bytes: [u8; BYTES] = rand::random();
    Secret::new(format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes)))
}

/// The value of `webhook-signature`: a signature by each secret, so that a receiver that knows one of them can verify the message.
pub(super) fn sign<'s>(secrets: impl IntoIterator<Item = &'s Secret>, id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = secrets.into_iter().filter_map(|secret| {
        let key = BASE64_STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::now;
    use http::HeaderMap;
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    fn headers(id: &str, at: i64, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", &at.to_string()), ("webhook-signature", signature)] {
            headers.insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
        }
        headers
    }

    /// The example of the scheme's own libraries.
    #[test]
    fn the_known_signature_comes_out() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = sign([&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    proptest! {
        #[test]
        fn another_library_verifies_what_is_signed_and_nothing_else(id in "msg_[0-9a-f]{32}", body in ".{0,200}") {
            let (new, old, other) = (new_secret(), new_secret(), new_secret());
            let at = now().timestamp();
            let signature = sign([&new, &old], &id, at, body.as_bytes());
            let headers = headers(&id, at, &signature);
            for secret in [&new, &old] {
                let webhook = Webhook::new(secret.expose()).unwrap();
                prop_assert!(webhook.verify(body.as_bytes(), &headers).is_ok());
                let changed = [body.as_bytes(), b"x"].concat();
                prop_assert!(webhook.verify(&changed, &headers).is_err());
            }
            prop_assert!(Webhook::new(other.expose()).unwrap().verify(body.as_bytes(), &headers).is_err());
        }
    }

    #[test]
    fn secrets_are_as_long_as_the_scheme_asks_and_differ() {
        let (one, two) = (new_secret(), new_secret());
        assert_ne!(one, two);
        let key = BASE64_STANDARD.decode(one.expose().strip_prefix("whsec_").unwrap()).unwrap();
        assert!((24..=64).contains(&key.len()));
    }
}
