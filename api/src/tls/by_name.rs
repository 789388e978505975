//! The certificate that a client is shown, by the name that it asks for (SNI, RFC 6066, 3).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use services::acme::{Issued, Served};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::HTTP;

/// Reason for which an authority's certificate cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read: {0}")]
    Pem(#[from] pem::Error),
    #[error("it cannot be served: {0}")]
    Tls(#[from] rustls::Error),
}

/// TLS configuration with certificates that change. A handshake looks up its certificate in memory. A change is prepared first
/// and then replaces the whole previous state, sessions included: none that began with a previous certificate is resumed.
pub(super) struct ByName(RwLock<Present>);

struct Present {
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

#[derive(Debug, Default)]
struct Shown {
    own: Option<Ready>,
    /// By names in small letters; `None` for a domain that has no certificate yet.
    domains: HashMap<String, Option<Ready>>,
}

/// A certificate that can be shown.
#[derive(Clone)]
struct Ready {
    issued: Arc<Issued>,
    key: Arc<CertifiedKey>,
}

impl ByName {
    pub fn new(served: &Served) -> Self {
        Self(RwLock::new(Present::of(Shown::of(served, &Shown::default()))))
    }

    /// Returns the present TLS configuration.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Shows what is served whenever that changes, until told to stop.
    pub async fn follow(&self, mut served: watch::Receiver<Served>, stop: CancellationToken) {
        loop {
            tokio::select! {
                changed = served.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
            let newest = served.borrow_and_update().clone();
            self.show(&newest);
        }
    }

    fn show(&self, served: &Served) {
        let before = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).shown);
        let after = Present::of(Shown::of(served, &before));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = after;
    }
}

impl Present {
    fn of(shown: Shown) -> Self {
        let shown = Arc::new(shown);
        let config = Arc::new(super::resolving(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>, &HTTP));
        Self { shown, config }
    }
}

impl Shown {
    /// Converts the served certificates into the form in which they are presented.
    fn of(served: &Served, before: &Self) -> Self {
        let domain = |(name, issued): (&String, &Option<Arc<Issued>>)| {
            let before = before.domains.get(name).and_then(Option::as_ref);
            (name.clone(), ready(name, issued.as_ref(), before))
        };
        let own = ready("the API", served.own.as_ref(), before.own.as_ref());
        Self { own, domains: served.domains.iter().map(domain).collect() }
    }

    /// The certificate for a name: a domain's own, or none while it has none; that of the API for every other name, and without one.
    fn choose(&self, name: Option<&str>) -> Option<&Ready> {
        let of_domain = name.and_then(|name| self.domains.get(&name.to_ascii_lowercase()));
        of_domain.unwrap_or(&self.own).as_ref()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name()).map(|ready| Arc::clone(&ready.key))
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").finish_non_exhaustive()
    }
}

/// A certificate in the form in which it is shown; the one before where it is the same, or this one cannot be used.
fn ready(whose: &str, issued: Option<&Arc<Issued>>, before: Option<&Ready>) -> Option<Ready> {
    let issued = issued?;
    if let Some(before) = before.filter(|before| Arc::ptr_eq(&before.issued, issued)) {
        return Some(before.clone());
    }
    match certified(issued) {
        Ok(key) => Some(Ready { issued: Arc::clone(issued), key: Arc::new(key) }),
        Err(error) => {
            tracing::error!(whose, %error, "the authority's certificate cannot be used; the one before is");
            before.cloned()
        }
    }
}

fn certified(issued: &Issued) -> Result<CertifiedKey, Unusable> {
    let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes())?;
    Ok(CertifiedKey::from_der(chain, key, &ring::default_provider())?)
}

#[cfg(test)]
mod tests {
    use domain::time::now;
    use rcgen::{CertifiedKey as Made, generate_simple_self_signed};
    use zeroize::Zeroizing;

    use super::*;

    fn issued(name: &str) -> Arc<Issued> {
        let Made { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = Zeroizing::new(signing_key.serialize_pem());
        Arc::new(Issued { chain: cert.pem(), key, not_before: now(), not_after: now(), stored_at: now() })
    }

    fn served(own: Option<&Arc<Issued>>, domains: &[(&str, Option<&Arc<Issued>>)]) -> Served {
        let domains = domains.iter().map(|(name, issued)| ((*name).to_owned(), issued.cloned())).collect();
        Served { own: own.cloned(), domains: Arc::new(domains) }
    }

    /// Returns true if a client that requests a name is presented this certificate.
    fn is_shown(shown: &Shown, name: Option<&str>, issued: &Arc<Issued>) -> bool {
        shown.choose(name).is_some_and(|ready| Arc::ptr_eq(&ready.issued, issued))
    }

    #[test]
    fn a_domain_has_its_own_certificate_and_every_other_name_that_of_the_api() {
        let (own, www) = (issued("cloud.example.org"), issued("www.example.org"));
        let domains = [("www.example.org", Some(&www)), ("new.example.org", None)];
        let shown = Shown::of(&served(Some(&own), &domains), &Shown::default());
        for name in ["www.example.org", "WWW.Example.ORG"] {
            assert!(is_shown(&shown, Some(name), &www), "{name}");
        }
        for name in [Some("cloud.example.org"), Some("example.org"), Some("a.www.example.org"), None] {
            assert!(is_shown(&shown, name, &own), "{name:?}");
        }
        assert!(shown.choose(Some("new.example.org")).is_none(), "not another's");
        let without = Shown::of(&served(None, &domains), &Shown::default());
        assert!(without.choose(None).is_none() && is_shown(&without, Some("www.example.org"), &www));
    }

    #[test]
    fn only_what_changed_is_made_ready_and_what_cannot_be_used_takes_no_place() {
        let (www, shop, renewed) = (issued("www.example.org"), issued("shop.example.org"), issued("www.example.org"));
        let (chain, key) = (renewed.chain.clone(), shop.key.clone());
        let mixed = Arc::new(Issued { chain, key, not_before: now(), not_after: now(), stored_at: now() });
        let first =
            Shown::of(&served(None, &[("www.example.org", Some(&www)), ("shop.example.org", Some(&shop))]), &Shown::default());
        let broken = Shown::of(&served(None, &[("www.example.org", Some(&mixed)), ("shop.example.org", Some(&shop))]), &first);
        assert!(is_shown(&broken, Some("www.example.org"), &www), "the key is another's");
        let key = |shown: &Shown| Arc::clone(&shown.choose(Some("shop.example.org")).unwrap().key);
        assert!(Arc::ptr_eq(&key(&first), &key(&broken)));
        let last = Shown::of(&served(None, &[("www.example.org", Some(&renewed))]), &broken);
        assert!(is_shown(&last, Some("www.example.org"), &renewed));
        assert!(last.choose(Some("shop.example.org")).is_none(), "it was removed, and the API has none");
    }
}
