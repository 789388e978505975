//! Signing in: an access token for a client secret (learn.microsoft.com, "OAuth 2.0 client credentials flow").

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clouds_contract::guard::{Call, Guards};
use clouds_contract::{CloudError, ErrorKind};
use clouds_wire::Wire;
use domain::secret::Secret;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::classify::{ambiguous, lost};

/// Scope of the management API.
pub const MANAGEMENT: &str = "https://management.azure.com/.default";

/// Scope of blobs.
pub const STORAGE: &str = "https://storage.azure.com/.default";

/// Time before the end of a token at which another is got.
const MARGIN: Duration = Duration::from_mins(5);

/// An application's client secret in a directory.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    /// Directory (tenant) id.
    pub tenant: String,
    /// Application (client) id.
    pub client: String,
    /// Client secret.
    pub secret: Secret,
}

/// Gets tokens, and keeps each as long as it is good.
#[derive(Debug)]
pub struct Login {
    wire: Wire,
    guards: Arc<Guards>,
    credential: ClientSecret,
    kept: Mutex<HashMap<&'static str, (Secret, Instant)>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Login {
    /// A login by this credential. Makes no call.
    pub fn new(wire: Wire, guards: Arc<Guards>, credential: ClientSecret) -> Self {
        Self { wire, guards, credential, kept: Mutex::default() }
    }

    /// The directory.
    pub fn tenant(&self) -> &str {
        &self.credential.tenant
    }

    /// The application.
    pub fn client(&self) -> &str {
        &self.credential.client
    }

    /// A token for a scope. Fails with `SignedOut` when the secret is wrong or over.
    pub async fn token(&self, scope: &'static str) -> Result<Secret, CloudError> {
        let mut kept = self.kept.lock().await;
        if let Some((token, until)) = kept.get(scope)
            && Instant::now() + MARGIN < *until
        {
            return Ok(token.clone());
        }
        let granted = self.guards.call(Call::freely("login", "token"), || self.ask(scope)).await?;
        let until = Instant::now() + Duration::from_secs(granted.expires_in);
        kept.insert(scope, (granted.access_token.clone(), until));
        Ok(granted.access_token)
    }

    /// Forgets all tokens: one of them was refused.
    pub async fn forget(&self) {
        self.kept.lock().await.clear();
    }

    async fn ask(&self, scope: &str) -> Result<Granted, CloudError> {
        let ClientSecret { tenant, client, secret } = &self.credential;
        let url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", client)
            .append_pair("client_secret", secret.expose())
            .append_pair("scope", scope)
            .finish();
        let request = self.wire.client().post(url).header("content-type", "application/x-www-form-urlencoded").body(form).build();
        let request = request.map_err(|error| CloudError::internal("a token could not be asked for", error))?;
        let response = self.wire.send(request).await.map_err(lost)?;
        let status = response.status();
        let body = clouds_wire::read(response).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| ambiguous("Microsoft's sign-in gave an answer that is no token"));
        }
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(CloudError::new(
                ErrorKind::Unavailable,
                "UNAVAILABLE",
                "Microsoft's sign-in does not answer: it is tried again",
            ));
        }
        let refused: Refused = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Refused { error: status.to_string(), error_description: String::new() });
        Err(signed_out(client, tenant, &refused))
    }
}

/// Says what is wrong with a credential (learn.microsoft.com, "Microsoft Entra authentication and authorization error codes").
fn signed_out(client: &str, tenant: &str, refused: &Refused) -> CloudError {
    let description = &refused.error_description;
    let code = description.split(':').next().unwrap_or_default();
    let why = match code {
        "AADSTS7000215" => "its client secret is wrong: give the secret's value, not its id".to_owned(),
        "AADSTS7000222" => "its client secret is over: make another in Microsoft Entra ID".to_owned(),
        "AADSTS700016" => format!("there is no such application in the directory {tenant}"),
        "AADSTS90002" => format!("there is no directory {tenant}"),
        _ => format!("Microsoft says `{}`", refused.error),
    };
    let message = format!(
        "the application {client} cannot sign in: {why}. `mikrocloud clouds update` gives the account another credential"
    );
    CloudError::new(ErrorKind::SignedOut, "SIGNED_OUT", message)
}
