//! Contents of objects and layers, as files named by SHA-256.

use std::fs;
use std::io;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

/// Contents of objects and layers, as files named by SHA-256.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    directory: PathBuf,
}

impl Blobs {
    /// Files below this directory.
    pub fn new(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// Keeps a content and returns its digest, 64 hexadecimal digits.
    pub fn put(&self, content: &[u8]) -> io::Result<String> {
        let digest = digest_of(content);
        let path = self.path(&digest);
        if !path.exists() {
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            io::Write::write_all(&mut file, content)?;
            file.persist(path).map_err(|error| error.error)?;
        }
        Ok(digest)
    }

    /// The content with this digest.
    pub fn get(&self, digest: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(digest))
    }

    /// The file with this content.
    pub fn path(&self, digest: &str) -> PathBuf {
        self.directory.join(digest)
    }
}

/// The MD5 of a content, base64 as the vendors write it.
pub(crate) fn md5_of(content: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, md5::Md5::digest(content))
}

/// The SHA-256 of a content, 64 hexadecimal digits.
pub(crate) fn digest_of(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}
