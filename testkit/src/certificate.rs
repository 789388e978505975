//! A certificate for servers on this machine, and its own authority.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A certificate for 127.0.0.1 and its key, as PEM files in a directory of the test.
pub struct Certificate {
    directory: PathBuf,
}

impl Certificate {
    /// Makes one.
    ///
    /// # Panics
    /// When `openssl` cannot make it.
    pub fn new(directory: &Path) -> Self {
        let certificate = Self { directory: directory.to_owned() };
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"]);
        openssl.args(["subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
        openssl.arg("-keyout").arg(certificate.key()).arg("-out").arg(certificate.file());
        let made = openssl.stderr(Stdio::null()).status();
        assert!(made.is_ok_and(|status| status.success()), "openssl makes a certificate");
        certificate
    }

    /// The certificate, which is also what to trust.
    pub fn file(&self) -> PathBuf {
        self.directory.join("certificate.pem")
    }

    /// Its private key.
    pub fn key(&self) -> PathBuf {
        self.directory.join("key.pem")
    }
}
