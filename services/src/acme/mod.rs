//! The certificate of the API, from an authority that hands them out by itself (ACME, RFC 8555). Every process that serves the API looks
//! after it; one at a time orders, and all use what is in the database.

mod account;
mod client;
mod order;
mod renewal;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain::time::{Timestamp, now};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use store::AcmeName;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{Result, ServiceError, Services};

/// How often a process looks whether there is a newer certificate, or it is time for one.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Where Let's Encrypt is.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Which certificate to get, and from whom.
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The names that it is for, in small letters.
    pub domains: Vec<String>,
    /// Where the authority can write to.
    pub email: Option<String>,
    /// The authority's directory.
    pub directory: Url,
    /// The roots, in PEM, by which the authority's own server is known, where it is a private one.
    pub roots: Option<Vec<u8>>,
}

/// Why there can be no certificate with these settings.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The roots are no certificates.
    #[error("there is no certificate in it: give one in PEM")]
    NoRoots,
    /// There can be no requests.
    #[error("requests to the authority cannot be made")]
    Client(#[from] reqwest::Error),
    /// The certificate of before cannot be read.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A certificate with its private key.
pub struct Issued {
    /// The certificate and what leads from it to the authority's root, in PEM.
    pub chain: String,
    /// The private key, in PEM.
    pub key: Zeroizing<String>,
    not_before: Timestamp,
    not_after: Timestamp,
    stored_at: Timestamp,
}

/// What the authority is shown that looks whether a name leads here (RFC 8737), in DER.
pub struct ChallengeCertificate {
    /// A certificate for the name that holds what the authority asked for.
    pub certificate: Vec<u8>,
    /// Its private key (PKCS #8).
    pub key: Vec<u8>,
}

/// The certificate of the API, and what keeps it new.
pub struct Certificates {
    services: Services,
    settings: AcmeSettings,
    name: AcmeName,
    http: reqwest::Client,
    /// Who this process is when it orders.
    runner: Uuid,
    served: watch::Sender<Option<Arc<Issued>>>,
}

/// What an account is bound to.
pub(crate) fn account_identity(directory: &str) -> String {
    format!("ACME account {directory}")
}

/// What the key of a certificate is bound to.
pub(crate) fn identity(name: &AcmeName) -> String {
    format!("ACME certificate {} {}", name.directory, name.domains)
}

/// Whether it is time for the next certificate: there is none, or two thirds of its life are over.
fn is_due(certificate: Option<&Issued>, at: Timestamp) -> bool {
    certificate.is_none_or(|issued| at >= issued.not_before + (issued.not_after - issued.not_before) * 2 / 3)
}

fn name_of(settings: &AcmeSettings) -> AcmeName {
    let mut domains = settings.domains.clone();
    domains.sort();
    domains.dedup();
    AcmeName { directory: settings.directory.to_string(), domains: domains.join(",") }
}

impl Certificates {
    /// Those of these settings, with the certificate that was used last. Nothing is ordered yet: see [`Certificates::keep`].
    pub async fn open(services: Services, settings: AcmeSettings) -> Result<Self, AcmeError> {
        let http = client::http(settings.roots.as_deref())?;
        let (name, served) = (name_of(&settings), watch::Sender::new(None));
        let certificates = Self { services, settings, name, http, runner: Uuid::new_v4(), served };
        if certificates.read().await?.is_none() {
            let AcmeName { directory, domains } = &certificates.name;
            tracing::info!(
                directory,
                domains,
                "there is no certificate yet: handshakes are refused until the authority has issued one"
            );
        }
        Ok(certificates)
    }

    /// What to serve with, and when that changes; `None` while there is no certificate.
    pub fn served(&self) -> watch::Receiver<Option<Arc<Issued>>> {
        self.served.subscribe()
    }

    /// What to show an authority that looks whether a name leads here; `None` where nothing is ordered for that name.
    pub async fn challenge(&self, domain: &str) -> Result<Option<ChallengeCertificate>> {
        // Strangers must not be able to make the database work for names that cannot be.
        if !self.settings.domains.iter().any(|known| known == domain) {
            return Ok(None);
        }
        match self.services.store().acme_challenge_get(domain).await? {
            Some(digest) => challenge_certificate(domain, &digest).map(Some).map_err(ServiceError::internal),
            None => Ok(None),
        }
    }

    /// Takes newer certificates from the database, and orders one when it is time, until told to stop.
    pub async fn keep(&self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let looked = self.look(&stop).await;
            if let Err(error) = &looked
                && !failing
            {
                tracing::warn!(
                    error = jobs::handler::chain(error),
                    "the certificate cannot be looked after; the last one is used"
                );
            }
            failing = looked.is_err();
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, stop: &CancellationToken) -> Result<()> {
        if is_due(self.read().await?.as_deref(), now()) { self.renew(stop).await } else { Ok(()) }
    }

    /// The certificate in the database, which is served from now on.
    async fn read(&self) -> Result<Option<Arc<Issued>>> {
        let Some(row) = self.services.store().acme_certificate_get(&self.name).await? else { return Ok(None) };
        let moments = (row.not_before, row.not_after, row.stored_at);
        let same = |issued: &&Arc<Issued>| (issued.not_before, issued.not_after, issued.stored_at) == moments;
        if let Some(issued) = self.served.borrow().as_ref().filter(same) {
            return Ok(Some(Arc::clone(issued)));
        }
        let key = self.open_key(&row.sealed).await?;
        let (not_before, not_after, stored_at) = moments;
        let issued = Arc::new(Issued { chain: row.chain, key, not_before, not_after, stored_at });
        self.served.send_replace(Some(Arc::clone(&issued)));
        Ok(Some(issued))
    }

    async fn open_key(&self, sealed: &[u8]) -> Result<Zeroizing<String>> {
        let inner = &self.services.inner;
        let key = inner.sealer.open_own(&inner.store, &identity(&self.name), sealed).await?;
        Ok(Zeroizing::new(std::str::from_utf8(&key).map_err(ServiceError::internal)?.to_owned()))
    }
}

fn challenge_certificate(domain: &str, digest: &[u8]) -> Result<ChallengeCertificate, rcgen::Error> {
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().to_vec();
    Ok(ChallengeCertificate { certificate, key: key.serialize_der() })
}
