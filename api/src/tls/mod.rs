//! TLS by the server itself, with a certificate that is given or those from an authority.

mod authority;
mod by_name;
mod files;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use services::acme::Certificates;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use authority::Authority;
use files::Files;

/// Reason for which a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there, or not what it should be.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// Description of the problem.
        problem: String,
    },
    /// The key is not that of the certificate.
    #[error("the key and the certificate do not belong together: {0}")]
    Mismatch(#[source] rustls::Error),
}

/// The certificates that clients are shown.
pub struct Tls(Source);

enum Source {
    Files(Files),
    Authority(Box<Authority>),
}

impl Tls {
    /// Reads the certificate with its chain, and its private key, both in PEM. They may be renewed at any time.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Files::load(certificate, key).map(Source::Files).map(Self)
    }

    /// The certificates that an authority issues.
    pub fn from_authority(certificates: Certificates) -> Self {
        Self(Source::Authority(Box::new(Authority::new(certificates))))
    }

    /// Agrees on TLS with a client; `None` for an authority that only looked whether a name leads here.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        match &self.0 {
            Source::Files(files) => files.acceptor().accept(stream).await.map(Some),
            Source::Authority(authority) => authority.accept(stream).await,
        }
    }

    /// Looks after the certificates until told to stop, where that is this program's to do.
    pub(crate) async fn keep(&self, stop: CancellationToken) {
        match &self.0 {
            Source::Files(_) => {}
            Source::Authority(authority) => authority.keep(stop).await,
        }
    }
}

/// Builds the TLS configuration of a certificate.
fn config(chain: Vec<CertificateDer<'static>>, private: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    let builder =
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, private)?;
    config.alpn_protocols = HTTP.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

/// Builds a TLS configuration with certificates that are chosen for each handshake, and the protocols on top of it.
fn resolving(certificates: Arc<dyn ResolvesServerCert>, protocols: &[&[u8]]) -> ServerConfig {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .unwrap_or_else(|_| unreachable!("this provider has the protocol's usual versions"));
    let mut config = builder.with_no_client_auth().with_cert_resolver(certificates);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

/// Protocols on top of TLS.
const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];
