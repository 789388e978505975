//! A certificate from an authority, and what the authority is shown that looks whether a name leads here (TLS-ALPN-01, RFC 8737).

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert, ResolvesServerCertUsingSni};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use services::acme::{Certificates, ChallengeCertificate, Issued};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::HTTP;

/// What an authority says that it speaks.
const CHALLENGE: &[u8] = b"acme-tls/1";

/// The certificate that an authority issues.
pub(super) struct Authority {
    certificates: Certificates,
    present: Mutex<Present>,
    /// How to refuse a client, in the words of TLS.
    refusal: Arc<ServerConfig>,
}

struct Present {
    served: watch::Receiver<Option<Arc<Issued>>>,
    config: Arc<ServerConfig>,
}

/// Why a certificate of an authority cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("it cannot be read: {0}")]
    Pem(#[from] pem::Error),
    #[error("it cannot be served: {0}")]
    Tls(#[from] rustls::Error),
}

impl Authority {
    pub fn new(certificates: Certificates) -> Self {
        let mut served = certificates.served();
        served.mark_changed();
        let refusal = Arc::new(refusal());
        let present = Mutex::new(Present { served, config: Arc::clone(&refusal) });
        Self { certificates, present, refusal }
    }

    pub async fn keep(&self, stop: CancellationToken) {
        self.certificates.keep(stop).await;
    }

    pub async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let Some(domain) = challenged(&start.client_hello()) else {
            return start.into_stream(self.config()).await.map(Some);
        };
        let mut stream = start.into_stream(self.challenge(&domain).await).await?;
        // Nothing is said over it: the certificate was all.
        stream.shutdown().await?;
        Ok(None)
    }

    /// How to agree on TLS with the newest certificate; refusing everybody while there is none.
    fn config(&self) -> Arc<ServerConfig> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if present.served.has_changed().unwrap_or_default() {
            let newest = present.served.borrow_and_update().clone();
            match newest.as_deref().map(with_certificate) {
                Some(Ok(config)) => present.config = Arc::new(config),
                Some(Err(error)) => tracing::error!(%error, "the authority's certificate cannot be used; the one before is"),
                None => {}
            }
        }
        Arc::clone(&present.config)
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

fn with_certificate(issued: &Issued) -> Result<ServerConfig, Unusable> {
    let chain = CertificateDer::pem_slice_iter(issued.chain.as_bytes()).collect::<Result<_, _>>()?;
    Ok(super::config(chain, PrivateKeyDer::from_pem_slice(issued.key.as_bytes())?)?)
}

/// How to show an authority what it asked for. The key is not compared with the certificate, which the library cannot read: it knows
/// nothing of the critical extension that the proof is in.
fn shown(asked: ChallengeCertificate) -> Result<ServerConfig, rustls::Error> {
    let key = ring::sign::any_supported_type(&PrivateKeyDer::Pkcs8(asked.key.into()))?;
    let certified = CertifiedKey::new(vec![CertificateDer::from(asked.certificate)], key);
    Ok(resolving(Arc::new(SingleCertAndKey::from(certified)), &[CHALLENGE]))
}

/// How to refuse everybody.
fn refusal() -> ServerConfig {
    resolving(Arc::new(ResolvesServerCertUsingSni::new()), &[CHALLENGE, HTTP[0], HTTP[1]])
}

fn resolving(certificates: Arc<dyn ResolvesServerCert>, protocols: &[&[u8]]) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| unreachable!("this provider has the protocol's usual versions"));
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificates);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config
}
