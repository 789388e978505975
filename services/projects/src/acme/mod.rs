//! Certificates from an authority that hands them out by itself (ACME, RFC 8555): that of the API, and one for each domain of a team's own
//! where this installation shows sites over TLS itself. Every process that serves the API looks after them; one at a time orders each,
//! and all use what is in the database.

mod account;
mod client;
mod domains;
mod order;
mod renewal;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::host_name::HostName;
use domain::time::{Timestamp, now};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use services_core::{Result, ServiceError};
use store::{AcmeCertificate, AcmeName};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::ProjectServices;

pub use view::{DomainCertificate, FailedTry};

/// Interval at which a process checks for a newer certificate, or for a due renewal.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Directory URL of Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Settings of the API's certificate, and its authority. The setting for teams' custom domains is
/// [`ProjectSettings::domain_certificates`](crate::ProjectSettings::domain_certificates).
#[derive(Debug, Clone)]
pub struct AcmeSettings {
    /// The names that the API's certificate is for, in small letters.
    pub domains: Vec<String>,
    /// Address to which the authority can write.
    pub email: Option<String>,
    /// The authority's directory.
    pub directory: Url,
    /// The roots, in PEM, by which the authority's own server is known, where it is a private one.
    pub roots: Option<Vec<u8>>,
}

/// Reason for which there can be no certificate with these settings.
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
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// Time at which it was stored.
    pub stored_at: Timestamp,
}

/// Certificate that is presented to an authority that validates a name (RFC 8737), in DER.
pub struct ChallengeCertificate {
    /// A certificate for the name that holds what the authority asked for.
    pub certificate: Vec<u8>,
    /// Its private key (PKCS #8).
    pub key: Vec<u8>,
}

/// Certificates that are presented to clients, by the name that they request.
#[derive(Clone, Default)]
pub struct Served {
    /// Under the API's names, and every other that is not a domain's; `None` while there is none.
    pub own: Option<Arc<Issued>>,
    /// Under the domains that are served, in small letters; `None` while a domain has none.
    pub domains: Arc<HashMap<String, Option<Arc<Issued>>>>,
}

/// The certificates, and what keeps them new.
pub struct Certificates {
    services: ProjectServices,
    settings: AcmeSettings,
    own: Wanted,
    http: reqwest::Client,
    /// Id of this process when it orders.
    runner: Uuid,
    /// Held while an account is made: several orders at once have one.
    making_account: Mutex<()>,
    served: watch::Sender<Served>,
}

/// A certificate to look after.
#[derive(Debug, Clone)]
struct Wanted {
    name: AcmeName,
    /// The names that it is for, as the authority is asked.
    names: Vec<String>,
    whose: Whose,
}

/// Owner of a certificate: the API or a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    /// The API.
    Api,
    /// A domain of a team's own.
    Domain(HostName),
}

impl Wanted {
    /// Returns the name of the API's certificate.
    fn own(settings: &AcmeSettings) -> Self {
        let mut names = settings.domains.clone();
        names.sort();
        names.dedup();
        let name = AcmeName { directory: settings.directory.to_string(), domains: names.join(",") };
        Self { name, names, whose: Whose::Api }
    }

    /// Returns the name of a domain's certificate.
    fn of_domain(directory: &Url, domain: &HostName) -> Self {
        let name = AcmeName { directory: directory.to_string(), domains: domain.to_string() };
        Self { name, names: vec![domain.to_string()], whose: Whose::Domain(domain.clone()) }
    }
}

/// Returns the identity that an account is bound to.
pub fn account_identity(directory: &str) -> String {
    format!("ACME account {directory}")
}

/// Returns the identity that the key of a certificate is bound to.
pub fn identity(name: &AcmeName) -> String {
    format!("ACME certificate {} {}", name.directory, name.domains)
}

/// Returns true if the next certificate is due: there is none, or two thirds of its life, which is given by its start and end,
/// are over.
fn is_due(life: Option<(Timestamp, Timestamp)>, at: Timestamp) -> bool {
    life.is_none_or(|(not_before, not_after)| at >= not_before + (not_after - not_before) * 2 / 3)
}

impl Certificates {
    /// Those of these settings, with the certificates that were used last. Nothing is ordered yet: see [`Certificates::keep`].
    pub async fn open(services: &ProjectServices, settings: AcmeSettings) -> Result<Self, AcmeError> {
        let http = client::http(settings.roots.as_deref())?;
        let (own, served) = (Wanted::own(&settings), watch::Sender::default());
        let making_account = Mutex::default();
        let services = services.clone();
        let certificates = Self { services, settings, own, http, runner: Uuid::new_v4(), making_account, served };
        if certificates.read_own().await?.is_none() {
            let AcmeName { directory, domains } = &certificates.own.name;
            tracing::info!(
                directory,
                domains,
                "there is no certificate yet: handshakes are refused until the authority has issued one"
            );
        }
        certificates.open_domains().await?;
        Ok(certificates)
    }

    /// Returns the certificates to serve with, and notifies of changes.
    pub fn served(&self) -> watch::Receiver<Served> {
        self.served.subscribe()
    }

    /// Returns the certificate to present to an authority that validates a name; `None` if nothing is ordered for that name.
    pub async fn challenge(&self, domain: &str) -> Result<Option<ChallengeCertificate>> {
        // Strangers must not be able to make the database work for names that cannot be.
        if !self.is_own(domain) && !self.served.borrow().domains.contains_key(domain) {
            return Ok(None);
        }
        match self.services.store().acme_challenge_get(domain).await? {
            Some(digest) => challenge_certificate(domain, &digest).map(Some).map_err(ServiceError::internal),
            None => Ok(None),
        }
    }

    /// Takes newer certificates from the database, and orders them when it is time, until told to stop. No domain holds up the API.
    pub async fn keep(&self, stop: CancellationToken) {
        tokio::join!(self.keep_own(&stop), self.keep_domains(&stop));
    }

    /// Returns true if a name is one of the API's.
    fn is_own(&self, name: &str) -> bool {
        self.settings.domains.iter().any(|known| known == name)
    }

    async fn keep_own(&self, stop: &CancellationToken) {
        let mut complained = Complained(false);
        loop {
            complained.about(&self.look(stop).await, "the certificate cannot be looked after; the last one is used");
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn look(&self, stop: &CancellationToken) -> Result<()> {
        let present = self.read_own().await?;
        if is_due(present.map(|issued| (issued.not_before, issued.not_after)), now()) {
            self.renew(&self.own, stop).await?;
            self.read_own().await?;
        }
        Ok(())
    }

    /// The API's certificate in the database, which is served from now on.
    async fn read_own(&self) -> Result<Option<Arc<Issued>>> {
        let Some(row) = self.row(&self.own.name).await? else { return Ok(None) };
        let same = |issued: &&Arc<Issued>| issued.is_of((row.not_before, row.not_after, row.stored_at));
        if let Some(issued) = self.served.borrow().own.as_ref().filter(same) {
            return Ok(Some(Arc::clone(issued)));
        }
        let issued = Arc::new(self.open_row(&self.own.name, row).await?);
        self.served.send_modify(|served| served.own = Some(Arc::clone(&issued)));
        Ok(Some(issued))
    }

    async fn row(&self, name: &AcmeName) -> Result<Option<AcmeCertificate>> {
        Ok(self.services.store().acme_certificate_get(name).await?)
    }

    async fn open_row(&self, name: &AcmeName, row: AcmeCertificate) -> Result<Issued> {
        let services = &self.services;
        let key = services.sealer().open_own(services.store(), &identity(name), &row.sealed).await?;
        let key = Zeroizing::new(std::str::from_utf8(&key).map_err(ServiceError::internal)?.to_owned());
        let AcmeCertificate { chain, not_before, not_after, stored_at, .. } = row;
        Ok(Issued { chain, key, not_before, not_after, stored_at })
    }
}

impl Issued {
    /// Returns true if it is the certificate with these times: start of validity, end of validity, and time of storing.
    fn is_of(&self, moments: (Timestamp, Timestamp, Timestamp)) -> bool {
        (self.not_before, self.not_after, self.stored_at) == moments
    }
}

/// Indicates that a failure was logged already, which is done once.
struct Complained(bool);

impl Complained {
    fn about(&mut self, done: &Result<()>, what: &str) {
        if let Err(error) = done
            && !self.0
        {
            tracing::warn!(error = jobs::handler::chain(error), "{what}");
        }
        self.0 = done.is_err();
    }
}

fn challenge_certificate(domain: &str, digest: &[u8]) -> Result<ChallengeCertificate, rcgen::Error> {
    let mut params = CertificateParams::new([domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().to_vec();
    Ok(ChallengeCertificate { certificate, key: key.serialize_der() })
}
