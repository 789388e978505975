//! Public address of the API, and its certificate.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use api::{Reach, Tls};
use clap::Args;
use services::acme::Certificates;
use services::{Services, Settings};
use url::Url;

use crate::acme::AcmeOptions;
use crate::failure::Failure;

/// Public address of the process that serves the API.
#[derive(Debug, Clone, Args)]
pub struct AddressOptions {
    /// Public URL of the API; the address it listens on if omitted
    #[arg(long, env = "MIKROCLOUD_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<Url>,
    /// The certificate with its chain, in PEM; with it the listener speaks TLS. A renewed file is taken by itself
    #[arg(long, env = "MIKROCLOUD_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, env = "MIKROCLOUD_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    acme: AcmeOptions,
}

impl AddressOptions {
    /// These settings, with where people reach the API, if that is said.
    pub fn apply(&self, mut settings: Settings) -> Settings {
        let public = self.public_url.as_ref().and_then(|url| url.host_str()?.parse().ok());
        settings.projects.own_names = self.acme.names().iter().cloned().chain(public).collect();
        settings.notifications.public_url.clone_from(&self.public_url);
        settings
    }

    /// Returns true if the listener uses TLS.
    pub fn speaks_tls(&self) -> bool {
        self.tls_certificate.is_some() || !self.acme.names().is_empty()
    }

    /// These settings for a process that shows sites on the same listener as the API: their domains get certificates where the API gets its.
    pub fn apply_to_sites(&self, mut settings: Settings) -> Settings {
        settings.projects.domain_certificates = self.acme.authority().cloned();
        settings
    }

    /// Returns the public address of an API that listens here.
    pub async fn reach(&self, listening: SocketAddr, services: &Services) -> Result<Reach, Failure> {
        let tls = match self.acme.settings()? {
            Some(settings) => {
                let certificates = Certificates::open(services, settings).await;
                Some(Tls::from_authority(certificates.map_err(|error| crate::acme::failure(&error))?))
            }
            None => self.given()?,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let public_url = match (&self.public_url, self.acme.url(listening.port())) {
            (Some(url), _) => url.clone(),
            (None, Some(url)) => Url::parse(&url).map_err(anyhow::Error::from)?,
            (None, None) => Url::parse(&format!("{scheme}://{listening}")).map_err(anyhow::Error::from)?,
        };
        Ok(Reach { public_url, tls: tls.map(Arc::new) })
    }

    /// The certificate in files, if it is.
    fn given(&self) -> Result<Option<Tls>, Failure> {
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else { return Ok(None) };
        let tls = Tls::load(certificate, key);
        tls.map(Some).map_err(|error| Failure::usage(format!("MIKROCLOUD_TLS_CERTIFICATE: {error}")))
    }
}

/// An address that browsers can be sent to.
fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: give it as https://cloud.example.org"))?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err("give it as https://cloud.example.org, without a query or credentials".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_web_addresses_only() {
        for text in ["https://cloud.example.org", "http://127.0.0.1:8080", "https://example.org/cloud/"] {
            assert!(public_url(text).is_ok(), "{text}");
        }
        for text in ["cloud.example.org", "ftp://example.org", "https://a:b@example.org", "https://example.org/?x=1", ""] {
            assert!(public_url(text).unwrap_err().contains("https://cloud.example.org"), "{text}");
        }
    }
}
