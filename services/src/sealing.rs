//! Secrets at rest: AES-256-GCM under a data key per team, which the master key seals.

use std::collections::HashMap;
use std::sync::Mutex;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use domain::id::TeamId;
use domain::secret::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use store::Store;
use zeroize::Zeroizing;

use crate::{Result, ServiceError};

const NONCE_BYTES: usize = 12;
/// First byte of everything sealed, so that the form can change.
const FORM: u8 = 1;

type Key = Zeroizing<[u8; 32]>;

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

    /// A key for another purpose: HMAC-SHA-256 of the purpose's name under this key (RFC 5869 explains why that is sound for a
    /// uniformly random key).
    fn derive(&self, purpose: &str) -> Key {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_ref()).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(purpose.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// Seals and opens secrets of teams.
pub struct Sealer {
    master: MasterKey,
    team_keys: Mutex<HashMap<TeamId, (i64, Key)>>,
}

impl Sealer {
    /// A sealer under this master key.
    pub fn new(master: MasterKey) -> Self {
        Self { master, team_keys: Mutex::default() }
    }

    /// By which edges of this installation know each other's requests.
    pub fn forwarding_secret(&self) -> Secret {
        Secret::new(hex::encode(*self.master.derive("edge forwarding")))
    }

    /// Tells master keys apart without revealing them. Kept in the database, so that a wrong key is refused at start.
    pub fn fingerprint(&self) -> String {
        hex::encode(&self.master.derive("fingerprint")[..8])
    }

    /// A key derived for another purpose.
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.master.derive(purpose)
    }

    /// Seals what belongs to a user or to the installation and to no team. `identity` names the row it is for.
    pub(crate) fn seal_own(&self, identity: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        seal(&self.master.derive("own"), bytes, identity.as_bytes())
    }

    /// Opens what [`Sealer::seal_own`] sealed for the same row.
    pub(crate) fn open_own(&self, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.master.derive("own"), sealed, identity.as_bytes())
    }

    /// Looks the key of a team up, so that [`Sealer::open`] needs no connection of its own within a transaction.
    pub(crate) async fn prepare(&self, store: &Store, team: TeamId) -> Result<()> {
        self.team_key(store, team).await.map(drop)
    }

    /// What the audit log says of a secret: the same for the same text in the same team, and of no use to guess it without the master key.
    pub(crate) fn audit_digest(&self, team: TeamId, text: &Secret) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.master.derive("audit digests").as_ref())
            .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(team.uuid().as_bytes());
        mac.update(text.expose().as_bytes());
        format!("hmac-sha256:{}", hex::encode(mac.finalize().into_bytes()))
    }

    /// A new data key for a team, sealed.
    pub(crate) fn new_team_key(&self, team: TeamId) -> Result<Vec<u8>> {
        let key: Key = Zeroizing::new(rand::random());
        seal(&self.master.derive("team-keys"), key.as_ref(), team.to_string().as_bytes())
    }

    /// Seals a text. `identity` names the row it is for: moved to another row, it does not open.
    pub(crate) async fn seal(&self, store: &Store, team: TeamId, identity: &str, text: &Secret) -> Result<Vec<u8>> {
        let (version, key) = self.team_key(store, team).await?;
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend(seal(&key, text.expose().as_bytes(), identity.as_bytes())?);
        Ok(sealed)
    }

    /// Opens what [`Sealer::seal`] sealed for the same row.
    pub(crate) async fn open(&self, store: &Store, team: TeamId, identity: &str, sealed: &[u8]) -> Result<Secret> {
        let (_, key) = self.team_key(store, team).await?;
        let body = sealed.get(8..).ok_or_else(|| ServiceError::internal("a sealed value is cut short"))?;
        let text = open(&key, body, identity.as_bytes())?;
        let text = std::str::from_utf8(&text).map_err(ServiceError::internal)?;
        Ok(Secret::new(text))
    }

    async fn team_key(&self, store: &Store, team: TeamId) -> Result<(i64, Key)> {
        let cached = self.team_keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&team).cloned();
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let (version, sealed) =
            store.team_key_get(team).await?.ok_or_else(|| ServiceError::internal("the team has no data key"))?;
        let opened = open(&self.master.derive("team-keys"), &sealed, team.to_string().as_bytes())?;
        let mut key = Zeroizing::new([0; 32]);
        if opened.len() != key.len() {
            return Err(ServiceError::internal("a team's data key has a wrong length"));
        }
        key.copy_from_slice(&opened);
        let entry = (version, key);
        self.team_keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(team, entry.clone());
        Ok(entry)
    }
}

fn cipher(key: &Key) -> Result<Aes256Gcm> {
    Aes256Gcm::new_from_slice(key.as_ref()).map_err(|_| ServiceError::internal("a key has a wrong length"))
}

fn seal(key: &Key, text: &[u8], identity: &[u8]) -> Result<Vec<u8>> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let body = cipher(key)?
        .encrypt(&Nonce::from(nonce), Payload { msg: text, aad: identity })
        .map_err(|_| ServiceError::internal("a value could not be sealed"))?;
    Ok([&[FORM][..], &nonce, &body].concat())
}

fn open(key: &Key, sealed: &[u8], identity: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let broken = || ServiceError::internal("a sealed value does not open: it was changed, moved, or sealed with another key");
    let (form, rest) = sealed.split_first().ok_or_else(broken)?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
    if *form != FORM {
        return Err(broken());
    }
    let text = cipher(key)?.decrypt(&Nonce::from(*nonce), Payload { msg: body, aad: identity }).map_err(|_| broken())?;
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sealed_value_opens_only_unchanged_in_its_row_and_with_its_key() {
        let key: Key = Zeroizing::new([7; 32]);
        let sealed = seal(&key, b"hunter2", b"var_1").unwrap();
        assert_eq!(open(&key, &sealed, b"var_1").unwrap().as_slice(), b"hunter2");
        assert!(open(&key, &sealed, b"var_2").is_err());
        assert!(open(&Zeroizing::new([8; 32]), &sealed, b"var_1").is_err());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(open(&key, &changed, b"var_1").is_err(), "byte {place}");
        }
    }

    #[test]
    fn a_master_key_is_read_from_hexadecimal_digits_only() {
        let key = MasterKey::generate();
        let again = MasterKey::from_hex(key.to_hex().expose()).unwrap();
        assert_eq!(Sealer::new(key).fingerprint(), Sealer::new(again).fingerprint());
        for text in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
            assert!(MasterKey::from_hex(text).is_none());
        }
    }

    #[test]
    fn digests_of_secrets_tell_them_apart_in_one_team_only() {
        let (sealer, team) = (Sealer::new(MasterKey::generate()), TeamId::new());
        let digest = sealer.audit_digest(team, &"1234".into());
        assert_eq!(digest, sealer.audit_digest(team, &"1234".into()));
        assert_ne!(digest, sealer.audit_digest(team, &"1235".into()));
        assert_ne!(digest, sealer.audit_digest(TeamId::new(), &"1234".into()));
        assert_ne!(digest, Sealer::new(MasterKey::generate()).audit_digest(team, &"1234".into()));
        assert!(digest.strip_prefix("hmac-sha256:").is_some_and(|digits| digits.len() == 64));
    }

    proptest! {
        #[test]
        fn no_bytes_make_opening_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(open(&Zeroizing::new([7; 32]), &bytes, b"x").is_err());
        }
    }
}
