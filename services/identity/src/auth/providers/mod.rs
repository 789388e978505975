//! Providers that people sign in with: GitHub, and whatever speaks OpenID Connect.

mod config;
mod failure;
mod federation;
mod github;
mod http;
mod linking;
mod oidc;

use std::sync::Arc;

use chrono::TimeDelta;
use domain::id::TeamId;
use serde::{Deserialize, Serialize};
use url::Url;

pub use config::{ConfigError, ProviderConfig};
use config::{GroupConfig, Kind};
pub(super) use failure::Failure;
pub use federation::{Federated, Leaving, Returned};
use github::GitHub;
pub use linking::LinkQuestion;
use oidc::Oidc;
use services_core::{Result, ServiceError};

/// Claims of a provider about the user who signed in there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProviderClaims {
    /// Never given to somebody else.
    pub subject: String,
    /// Lower case; `None` when the provider does not say that it is theirs.
    pub verified_email: Option<String>,
    pub name: Option<String>,
    pub groups: Vec<String>,
}

/// A provider as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderInfo {
    /// Its name in addresses.
    pub name: String,
    /// Its name for people.
    pub label: String,
}

impl ProviderInfo {
    /// The path where signing in with it begins; `next` is where to go on afterwards.
    pub fn start_path(&self, next: &str) -> String {
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("/auth/providers/{}?next={next}", self.name)
    }
}

enum Protocol {
    Oidc(Box<Oidc>),
    GitHub(Box<GitHub>),
}

/// A provider.
pub(super) struct Provider {
    pub info: ProviderInfo,
    domains: Vec<String>,
    groups: Vec<GroupConfig>,
    /// Maximum duration of a sign-in; unlimited while it is used if there is none.
    session: Option<TimeDelta>,
    protocol: Protocol,
}

/// Parameters with which a browser is sent away, and the state that is needed when it returns.
pub(super) struct Departure {
    pub nonce: String,
    pub verifier: String,
}

/// Parameters with which a browser returned.
pub(super) struct Arrival<'a> {
    pub code: &'a str,
    pub redirect: &'a Url,
    pub departure: &'a Departure,
}

impl Provider {
    fn new(config: ProviderConfig) -> Self {
        let ProviderConfig { name, label, kind, domains, groups, session } = config;
        let protocol = match kind {
            Kind::Oidc(settings) => Protocol::Oidc(Box::new(Oidc::new(settings))),
            Kind::GitHub(settings) => Protocol::GitHub(Box::new(GitHub::new(settings))),
        };
        Self { info: ProviderInfo { name, label }, domains, groups, session, protocol }
    }

    /// Returns the address at which the browser signs in at the provider.
    async fn authorize(&self, redirect: &Url, state: &str, departure: &Departure) -> Result<Url> {
        let address = match &self.protocol {
            Protocol::Oidc(oidc) => oidc.authorize(redirect, state, departure).await,
            Protocol::GitHub(github) => Ok(github.authorize(redirect, state, departure)),
        };
        address.map_err(|error| self.failed(&error))
    }

    /// Returns the claims about the user who returned.
    async fn claims(&self, arrival: &Arrival<'_>) -> Result<ProviderClaims> {
        let claims = match &self.protocol {
            Protocol::Oidc(oidc) => oidc.claims(arrival).await,
            Protocol::GitHub(github) => github.claims(arrival).await,
        };
        claims.map_err(|error| self.failed(&error))
    }

    /// The issuer that the provider has to name when it sends a browser back (RFC 9207), if it names one.
    fn issuer(&self) -> Option<&str> {
        match &self.protocol {
            Protocol::Oidc(oidc) => Some(oidc.issuer()),
            Protocol::GitHub(_) => None,
        }
    }

    fn failed(&self, error: &Failure) -> ServiceError {
        tracing::warn!(provider = self.info.name, error = %error, "a sign-in with a provider failed");
        ServiceError::Unavailable(format!(
            "{} did not sign you in: try again; if it lasts, whoever runs this MikroCloud finds the reason in its log",
            self.info.label
        ))
    }

    /// Returns the teams of a user in these groups, with their roles.
    fn mapped(&self, groups: &[String]) -> Vec<(TeamId, domain::access::Role)> {
        config::mapped(&self.groups, groups)
    }

    /// Returns true if users with this address may sign in.
    fn takes(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.domains.is_empty() || self.domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }
}

/// The providers that there are.
#[derive(Default, Clone)]
pub(crate) struct Providers(Arc<Vec<Provider>>);

impl Providers {
    pub fn new(configs: Vec<ProviderConfig>) -> Self {
        Self(Arc::new(configs.into_iter().map(Provider::new).collect()))
    }

    fn find(&self, name: &str) -> Result<&Provider> {
        self.0.iter().find(|provider| provider.info.name == name).ok_or(ServiceError::NotFound("provider"))
    }

    pub fn list(&self) -> Vec<ProviderInfo> {
        self.0.iter().map(|provider| provider.info.clone()).collect()
    }
}
