//! Passwords that are in known breaches, asked of a service with the range interface of Have I Been Pwned: it hears the first five of
//! the forty digits of the password's SHA-1 digest, and answers with all digests that begin so
//! (<https://haveibeenpwned.com/API/v3#PwnedPasswords>).

use std::time::Duration;

use domain::secret::Secret;
use sha1::{Digest, Sha1};
use url::Url;

/// Nobody is kept from choosing a password because this service does not answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read, bytes; with padding they have about 40,000.
const LONGEST: usize = 1 << 20;

/// A service that knows stolen passwords.
pub(crate) struct Breaches {
    service: Url,
    http: reqwest::Client,
}

impl Breaches {
    /// The service at this address; the digits are put after it.
    pub fn new(service: Url) -> Self {
        Self { service, http: reqwest::Client::new() }
    }

    /// Returns true if the service knows this password. If it does not answer, the password counts as unknown.
    pub async fn contain(&self, password: &Secret) -> bool {
        let digest = hex::encode_upper(Sha1::digest(password.expose().as_bytes()));
        let (start, rest) = digest.split_at(5);
        match self.ask(start).await {
            Ok(answer) => lists(&answer, rest),
            Err(error) => {
                metrics::counter!("mikrocloud_breach_checks_failed_total").increment(1);
                tracing::warn!(error = jobs::handler::chain(&error), "a new password was not looked up among stolen ones");
                false
            }
        }
    }

    async fn ask(&self, start: &str) -> reqwest::Result<String> {
        let address = format!("{}/range/{start}", self.service.as_str().trim_end_matches('/'));
        let request = self.http.get(address).timeout(PATIENCE).header("Add-Padding", "true");
        let mut response = request.send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&body).into_owned())
    }
}

/// Returns true if a response lists the rest of a digest. Padding is listed with a count of 0.
fn lists(answer: &str, rest: &str) -> bool {
    let mut entries = answer.lines().filter_map(|line| line.trim().split_once(':'));
    entries.any(|(digest, count)| digest.eq_ignore_ascii_case(rest) && count.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::lists;

    #[test]
    fn padding_is_no_breach() {
        let answer = "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n011053FD0102E94D6AE2F8B83D76FAF94F6:0\r\n";
        assert!(lists(answer, "0018A45C4D1DEF81644B54AB7F969B88D65"));
        assert!(lists(answer, "0018a45c4d1def81644b54ab7f969b88d65"));
        assert!(!lists(answer, "011053FD0102E94D6AE2F8B83D76FAF94F6"), "padding");
        assert!(!lists(answer, "012A7CA357541F0AC487871FEEC1891C49C"));
        assert!(!lists("<html>not the service</html>", "0018A45C4D1DEF81644B54AB7F969B88D65"));
    }
}
