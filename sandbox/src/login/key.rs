//! The key pair that key files of service accounts carry.

use rsa::pkcs8::{DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::rand_core::OsRng;
use rsa::sha2::{Digest as _, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use serde::{Deserialize, Serialize};

/// Length of keys, as Google makes them.
const BITS: usize = 2048;

/// A key pair as PEM. One sandbox has one for all its service accounts: making one takes a moment, and whose a token is follows from
/// its issuer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub private: String,
    public: String,
}

impl KeyPair {
    /// A new pair.
    pub fn make() -> Result<Self, String> {
        let private = RsaPrivateKey::new(&mut OsRng, BITS).map_err(|error| error.to_string())?;
        let public = RsaPublicKey::from(&private).to_public_key_pem(LineEnding::LF).map_err(|error| error.to_string())?;
        let private = private.to_pkcs8_pem(LineEnding::LF).map_err(|error| error.to_string())?.to_string();
        Ok(Self { private, public })
    }

    /// Returns true if the signature (RS256) of this text was made with the private key.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let Ok(key) = RsaPublicKey::from_public_key_pem(&self.public) else { return false };
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text.as_bytes()), signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::DecodePrivateKey as _;

    use super::*;

    #[test]
    fn a_signature_is_good_for_its_text_only() {
        let pair = KeyPair::make().unwrap();
        let key = RsaPrivateKey::from_pkcs8_pem(&pair.private).unwrap();
        let signature = key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(b"a.b")).unwrap();
        assert!(pair.verifies("a.b", &signature));
        assert!(!pair.verifies("a.c", &signature) && !pair.verifies("a.b", b"c2ln"));
    }
}
