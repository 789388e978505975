//! Format of sealed values: a byte for the form, a nonce, and the text under AES-256-GCM with the row's identity beside it.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::Zeroizing;

use crate::{Result, ServiceError};

const NONCE_BYTES: usize = 12;
/// First byte of everything sealed, so that the form can change.
const FORM: u8 = 1;

/// A key of AES-256.
pub type Key = Zeroizing<[u8; 32]>;

fn cipher(key: &Key) -> Result<Aes256Gcm> {
    Aes256Gcm::new_from_slice(key.as_ref()).map_err(|_| ServiceError::internal("a key has a wrong length"))
}

/// Seals a text for the row with this identity.
pub fn seal(key: &Key, text: &[u8], identity: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let body = cipher(key)?
        .encrypt(&Nonce::from(nonce), Payload { msg: text, aad: identity })
        .map_err(|_| ServiceError::internal("a value could not be sealed"))?;
    Ok([&[FORM][..], &nonce, &body].concat())
}

/// Opens what was sealed with this key for the same row.
pub fn open(key: &Key, sealed: &[u8], identity: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let broken = || ServiceError::internal("a sealed value does not open: it was changed, moved, or sealed with another key");
    let (form, rest) = sealed.split_first().ok_or_else(broken)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
    if *form != FORM {
        return Err(broken());
    }
    let text = cipher(key)?.decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: identity }).map_err(|_| broken())?;
    Ok(Zeroizing::new(text))
}
