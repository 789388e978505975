//! The key that seals the data keys. It never leaves the process.

use domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::form::Key;
use crate::{Result, ServiceError};

/// The key that seals the data keys. It never leaves the process.
#[derive(Clone)]
pub struct MasterKey(Key);

impl MasterKey {
    /// A new random key.
    pub fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// The key from its 64 hexadecimal digits, as the key file and `MIKROCLOUD_MASTER_KEY` hold it.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), key.as_mut()).ok()?;
        Some(Self(key))
    }

    /// The key as 64 hexadecimal digits.
    pub fn to_hex(&self) -> Secret {
        Secret::new(hex::encode(self.0.as_ref()))
    }

    /// Tells master keys apart without revealing them. Kept in the database, so that a wrong key is refused at start.
    pub fn fingerprint(&self) -> String {
        hex::encode(&self.derive("fingerprint")[..8])
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let key = bytes.try_into().map_err(|_| ServiceError::internal("a master key has a wrong length"))?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// A key for another purpose: HMAC-SHA-256 of the purpose's name under this key (RFC 5869 explains why that is sound for a
    /// uniformly random key).
    pub(super) fn derive(&self, purpose: &str) -> Key {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_ref()).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(purpose.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}
