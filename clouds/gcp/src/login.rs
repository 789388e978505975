//! Access tokens, by the key of a service account.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use clouds_contract::guard::{Call, Guards};
use clouds_contract::{CloudError, ErrorContext, ErrorKind};
use clouds_wire::Wire;
use domain::secret::Secret;
use domain::time::now;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::answer::{lost, unclear};
use crate::key::Key;

/// Token endpoint of Google (developers.google.com/identity/protocols/oauth2/service-account). The one in a key file is not used.
const ENDPOINT: &str = "https://oauth2.googleapis.com/token";

/// Grant by a signed assertion (RFC 7523, section 2.1).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Time before its end at which a token is no longer used.
const MARGIN: Duration = Duration::from_mins(2);

const SIGN_IN: Call = Call::freely("oauth2", "token");

/// Gives access tokens, each as long as it is good.
pub(crate) struct Login {
    pub key: Key,
    wire: Wire,
    guards: Arc<Guards>,
    current: Mutex<Option<(Secret, Instant)>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("key", &self.key).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    expires_in: u64,
}

#[derive(Deserialize, Default)]
struct Refused {
    #[serde(default)]
    error: String,
}

impl Login {
    pub fn new(key: Key, wire: Wire, guards: Arc<Guards>) -> Self {
        Self { key, wire, guards, current: Mutex::new(None) }
    }

    /// A token that is good for some minutes at least.
    pub async fn token(&self) -> Result<Secret, CloudError> {
        let mut current = self.current.lock().await;
        if let Some((token, end)) = current.as_ref()
            && *end > Instant::now()
        {
            return Ok(token.clone());
        }
        let granted = self.guards.call(SIGN_IN, || self.ask()).await?;
        let lasts = Duration::from_secs(granted.expires_in).saturating_sub(MARGIN);
        *current = Some((granted.access_token.clone(), Instant::now() + lasts));
        Ok(granted.access_token)
    }

    /// Throws a token away that Google did not take.
    pub async fn forget(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|(token, _)| token == refused) {
            *current = None;
        }
    }

    async fn ask(&self) -> Result<Granted, CloudError> {
        let assertion = self.key.assertion(ENDPOINT, now().timestamp())?;
        let form = [("grant_type", GRANT), ("assertion", assertion.expose())];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.wire.client().post(ENDPOINT).header("content-type", "application/x-www-form-urlencoded").body(form);
        let request = request.build().map_err(|error| CloudError::internal("the request for a token", error.without_url()))?;
        let answer = self.wire.send(request).await.map_err(lost)?;
        let status = answer.status();
        let body = clouds_wire::read(answer).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| unclear("the answer has no token"));
        }
        let Refused { error } = serde_json::from_slice(&body).unwrap_or_default();
        let context = ErrorContext { status: Some(status.as_u16()), vendor_code: Some(error), ..ErrorContext::default() };
        let (kind, code, message) = match status.as_u16() {
            429 => (ErrorKind::Throttled, "THROTTLED", "Google gives no more tokens for now".to_owned()),
            500.. => (ErrorKind::Unavailable, "CLOUD_UNAVAILABLE", "Google's sign-in does not answer".to_owned()),
            _ => {
                let message = format!(
                    "Google does not accept the key of {}: it was removed, or the service account is disabled. `mikrocloud clouds update` \
                     gives the account another",
                    self.key.email
                );
                (ErrorKind::SignedOut, "SIGNED_OUT", message)
            }
        };
        Err(CloudError::new(kind, code, message).of_call(context))
    }
}
