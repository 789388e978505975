//! The certificate of the API, from two files that may be renewed at any time.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::TlsError;

/// Interval at which the files are checked.
const LOOK: Duration = Duration::from_secs(10);

/// A certificate with its key, in two files.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    present: Mutex<Present>,
}

struct Present {
    config: Arc<ServerConfig>,
    changed: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Files {
    /// Reads the certificate with its chain, and its private key, both in PEM.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let changed = changed(certificate, key);
        let present = Present { config: Arc::new(read(certificate, key)?), changed, looked: Instant::now() };
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), present: Mutex::new(present) })
    }

    /// Returns the acceptor for a new connection. Files that were renewed are read again; while they cannot be used, the previous
    /// ones stay in use.
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if present.looked.elapsed() >= LOOK {
            present.looked = Instant::now();
            self.look(&mut present);
        }
        TlsAcceptor::from(Arc::clone(&present.config))
    }

    fn look(&self, present: &mut Present) {
        let changed = changed(&self.certificate, &self.key);
        if changed == present.changed {
            return;
        }
        match read(&self.certificate, &self.key) {
            Ok(config) => {
                (present.config, present.changed) = (Arc::new(config), changed);
                tracing::info!("the certificate was renewed");
            }
            // Perhaps only one of the two is written yet.
            Err(error) => tracing::warn!(%error, "the renewed certificate cannot be used; the one before is"),
        }
    }
}

fn changed(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let wrong = |path: &Path, problem: String| TlsError::File { path: path.to_owned(), problem };
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(certificate, "there is no certificate in it: give one in PEM".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    super::config(chain, private).map_err(TlsError::Mismatch)
}
