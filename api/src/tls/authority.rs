//! Certificates from an authority, and what the authority is shown that looks whether a name leads here (TLS-ALPN-01, RFC 8737).

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCertUsingSni};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use services::acme::{Certificates, ChallengeCertificate};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::by_name::ByName;

/// ALPN protocol of an authority's validation.
const CHALLENGE: &[u8] = b"acme-tls/1";

/// The certificates that an authority issues.
pub(super) struct Authority {
    certificates: Certificates,
    by_name: ByName,
    /// TLS configuration that refuses an authority.
    refusal: Arc<ServerConfig>,
}

impl Authority {
    pub fn new(certificates: Certificates) -> Self {
        // From the first handshake on.
        let by_name = ByName::new(&certificates.served().borrow());
        Self { certificates, by_name, refusal: Arc::new(refusal()) }
    }

    pub async fn keep(&self, stop: CancellationToken) {
        let mut served = self.certificates.served();
        served.mark_changed();
        tokio::join!(self.certificates.keep(stop.clone()), self.by_name.follow(served, stop));
    }

    pub async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let Some(domain) = challenged(&start.client_hello()) else {
            return start.into_stream(self.by_name.config()).await.map(Some);
        };
        let mut stream = start.into_stream(self.challenge(&domain).await).await?;
        // Nothing is said over it: the certificate was all.
        stream.shutdown().await?;
        Ok(None)
    }

    async fn challenge(&self, domain: &str) -> Arc<ServerConfig> {
        let asked = match self.certificates.challenge(domain).await {
            Ok(Some(asked)) => asked,
            Ok(None) => return Arc::clone(&self.refusal),
            Err(error) => {
                tracing::warn!(%error, domain, "what an authority is to be shown cannot be looked up");
                return Arc::clone(&self.refusal);
            }
        };
        shown(asked).map_or_else(
            |error| {
                tracing::error!(%error, domain, "what an authority is to be shown cannot be served");
                Arc::clone(&self.refusal)
            },
            Arc::new,
        )
    }
}

/// The name that an authority looks at; `None` for everybody else.
fn challenged(hello: &ClientHello<'_>) -> Option<String> {
    let is_challenge = hello.alpn()?.eq([CHALLENGE]);
    is_challenge.then(|| hello.server_name().unwrap_or_default().to_ascii_lowercase())
}

/// Builds the TLS configuration that presents the requested challenge certificate to an authority. The key is not compared with
/// the certificate, which the library cannot read: it does not know the critical extension that holds the proof.
fn shown(asked: ChallengeCertificate) -> Result<ServerConfig, rustls::Error> {
    let key = ring::sign::any_supported_type(&PrivateKeyDer::Pkcs8(asked.key.into()))?;
    let certified = CertifiedKey::new(vec![CertificateDer::from(asked.certificate)], key);
    Ok(super::resolving(Arc::new(SingleCertAndKey::from(certified)), &[CHALLENGE]))
}

/// Builds the TLS configuration that refuses an authority that validates a name which is not ours.
fn refusal() -> ServerConfig {
    super::resolving(Arc::new(ResolvesServerCertUsingSni::new()), &[CHALLENGE])
}
