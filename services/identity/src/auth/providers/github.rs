//! GitHub, and GitHub Enterprise Server: OAuth 2 with PKCE
//! (<https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>).

use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde::Deserialize;
use url::Url;

use super::config::GitHubSettings;
use super::http::Http;
use super::{Arrival, Departure, Failure, ProviderClaims};

pub(super) struct GitHub {
    settings: GitHubSettings,
    http: Http,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TokenAnswer {
    // Errors come with the status 200.
    Refused { error: String },
    Taken { access_token: String },
}

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    #[serde(rename = "email")]
    address: String,
    primary: bool,
    verified: bool,
}

/// An address below one of the provider's.
fn below(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

impl GitHub {
    pub fn new(settings: GitHubSettings) -> Self {
        Self { settings, http: Http::new() }
    }

    pub fn authorize(&self, redirect: &Url, state: &str, departure: &Departure) -> Url {
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(departure.verifier.clone()));
        let mut address = self.settings.web.clone();
        address.set_path(&format!("{}/login/oauth/authorize", self.settings.web.path().trim_end_matches('/')));
        address.query_pairs_mut().extend_pairs([
            ("client_id", self.settings.client_id.as_str()),
            ("redirect_uri", redirect.as_str()),
            ("scope", "read:user user:email"),
            ("state", state),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        address
    }

    pub async fn claims(&self, arrival: &Arrival<'_>) -> Result<ProviderClaims, Failure> {
        let form = [
            ("client_id", self.settings.client_id.as_str()),
            ("client_secret", self.settings.client_secret.expose()),
            ("code", arrival.code),
            ("redirect_uri", arrival.redirect.as_str()),
            ("code_verifier", &arrival.departure.verifier),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.client().post(below(&self.settings.web, "/login/oauth/access_token"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let token = match self.http.json("the code could not be exchanged", request).await? {
            TokenAnswer::Taken { access_token } => access_token,
            TokenAnswer::Refused { error } => return Err(Failure::new(format!("the code was refused: {error}"))),
        };
        let user: User = self.http.json("the user could not be read", self.get("/user", &token)).await?;
        let emails: Vec<Email> = self.http.json("the addresses could not be read", self.get("/user/emails", &token)).await?;
        let primary = emails.into_iter().find(|email| email.primary && email.verified);
        Ok(ProviderClaims {
            subject: user.id.to_string(),
            verified_email: primary.map(|email| email.address.to_lowercase()),
            name: user.name.filter(|name| !name.trim().is_empty()).or(Some(user.login)),
            groups: Vec::new(),
        })
    }

    fn get(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.http.client().get(below(&self.settings.api, path)).bearer_auth(token)
    }
}
