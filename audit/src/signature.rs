//! Signed statements: the extent of a log at some moment.

use std::fmt;
use std::str::FromStr;

use domain::artifact::Digest;
use domain::id::TeamId;
use domain::time::Timestamp;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use crate::chain::canonical;
use crate::entry::micros;

/// Stands before everything signed, so that a signature is good for nothing else.
const CONTEXT: &str = "mikrocloud audit log\n";

/// A key by which signatures are checked, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A text that is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the 64 hexadecimal digits of an Ed25519 key, as `mikrocloud audit keys` prints them")]
pub struct PublicKeyError;

impl FromStr for PublicKey {
    type Err = PublicKeyError;
    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let mut bytes = [0; 32];
        let is_canonical = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        hex::decode_to_slice(text, &mut bytes).map_err(|_| PublicKeyError)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| PublicKeyError)?;
        if is_canonical { Ok(Self(key)) } else { Err(PublicKeyError) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A place in a log: the entry with this number, and its hash. 0 is before the first entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// The number of the entry.
    pub sequence: i64,
    /// Its hash.
    pub hash: Digest,
}

/// Says that a team's log was like this at some moment: all entries up to this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The version of the form.
    pub v: u64,
    /// Team that owns the log.
    pub team: TeamId,
    /// Tip of the log.
    #[serde(flatten)]
    pub tip: Tip,
    /// Time of the signature.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// The first line of an export: what follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHead {
    /// The version of the form.
    pub v: u64,
    /// Team that owns the log.
    pub team: TeamId,
    /// After which entry it begins.
    pub from: Tip,
    /// With which entry it ends.
    pub to: Tip,
    /// Creation time.
    #[serde(with = "micros")]
    pub at: Timestamp,
}

/// A statement, by which key it was signed, and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signed<T> {
    /// Signed statement.
    #[serde(flatten)]
    pub said: T,
    /// By which key.
    pub key: PublicKey,
    /// The signature, 128 hexadecimal digits.
    pub signature: String,
}

/// Content that a signature covers.
#[derive(Serialize)]
struct Unsigned<'a, T> {
    kind: &'static str,
    key: PublicKey,
    #[serde(flatten)]
    said: &'a T,
}

/// A statement of a kind of its own.
pub trait Statement: Serialize {
    /// Name of the kind in its line.
    const KIND: &'static str;
}

impl Statement for Checkpoint {
    const KIND: &'static str = "checkpoint";
}

impl Statement for ExportHead {
    const KIND: &'static str = "export";
}

fn message<T: Statement>(said: &T, key: PublicKey) -> Result<Vec<u8>, serde_json::Error> {
    let unsigned = canonical(&Unsigned { kind: T::KIND, key, said })?;
    Ok([CONTEXT.as_bytes(), unsigned.as_bytes()].concat())
}

impl<T: Statement> Signed<T> {
    /// Returns true if the signature is valid.
    pub fn is_good(&self) -> bool {
        let mut bytes = [0; Signature::BYTE_SIZE];
        // There is one way to write it.
        let is_read = hex::decode_to_slice(&self.signature, &mut bytes).is_ok() && hex::encode(bytes) == self.signature;
        let Ok(message) = message(&self.said, self.key) else { return false };
        is_read && self.key.0.verify_strict(&message, &Signature::from_bytes(&bytes)).is_ok()
    }

    /// The line of an export that says it, in canonical form.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Line<'a, T> {
            kind: &'static str,
            #[serde(flatten)]
            signed: &'a Signed<T>,
        }
        canonical(&Line { kind: T::KIND, signed: self })
    }
}

/// Signs checkpoints and exports.
pub struct Signer(SigningKey);

impl Signer {
    /// The signer with this secret seed.
    pub fn new(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// By which its signatures are checked.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a statement.
    pub fn sign<T: Statement>(&self, said: T) -> Result<Signed<T>, serde_json::Error> {
        let key = self.public_key();
        let signature = self.0.sign(&message(&said, key)?);
        Ok(Signed { said, key, signature: hex::encode(signature.to_bytes()) })
    }
}
