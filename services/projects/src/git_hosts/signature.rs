//! Authentication of webhooks by their signature. The comparison takes the same time whatever differs.

use domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Returns true if this is GitHub's `X-Hub-Signature-256` of a body: `sha256=` and the HMAC-SHA-256 in hexadecimal digits
/// (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>).
pub(super) fn is_signed(secret: &Secret, body: &[u8], header: &str) -> bool {
    let Some(claimed) = header.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok()) else { return false };
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose().as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    mac.update(body);
    mac.verify_slice(&claimed).is_ok()
}

/// The digest of a body, by which it is known again.
pub(super) fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_own_example_is_signed() {
        // From GitHub's page on validating deliveries.
        let (secret, body) = (Secret::from("It's a Secret to Everybody"), b"Hello, World!");
        let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(is_signed(&secret, body, header));
        assert!(!is_signed(&secret, b"Hello, World?", header));
        assert!(!is_signed(&Secret::from("another"), body, header));
        for place in 0..header.len() {
            let mut changed = header.to_owned().into_bytes();
            changed[place] ^= 1;
            assert!(!is_signed(&secret, body, std::str::from_utf8(&changed).unwrap()), "byte {place}");
        }
        for wrong in ["", "sha256=", "sha1=757107ea", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"] {
            assert!(!is_signed(&secret, body, wrong), "{wrong}");
        }
    }
}
