//! The keys that sign access tokens: ECDSA on P-256 (ES256). They change every 30 days. The next one is published a day before it signs,
//! so that others who keep a copy of the key set know it; the last one is kept until all that it signed has expired.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::time::{Timestamp, now};
use jsonwebtoken::{DecodingKey, EncodingKey};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Value, json};
use services_core::sealing::Sealer;
use services_core::{Result, ServiceError};
use store::{Lock, SigningKey, Store, Tx};
use uuid::Uuid;

use super::tokens::LIFETIME;

/// Time for which a key signs.
const SIGNS: TimeDelta = TimeDelta::days(30);
/// Time for which it is published before that.
const PUBLISHED: TimeDelta = TimeDelta::days(1);
/// Maximum clock difference between processes.
const CLOCKS: TimeDelta = TimeDelta::minutes(10);
/// Maximum age of a copy of the keys, seconds: a new key is published for longer.
const COPY: u64 = 60;
/// Minimum interval at which tokens with an unknown key make a process read the keys again, seconds.
const LOOK_AGAIN: u64 = 1;

/// A key, ready for use.
pub(super) struct Key {
    pub id: String,
    pub encoding: EncodingKey,
    pub decoding: DecodingKey,
    active_from: Timestamp,
    jwk: Value,
}

/// The keys as they were a moment ago.
#[derive(Clone, Default)]
struct Copy {
    keys: Vec<Arc<Key>>,
    read_at: Option<Instant>,
}

/// The keys of this installation.
pub(super) struct SigningKeys {
    store: Store,
    sealer: Arc<Sealer>,
    copy: RwLock<Copy>,
}

/// Returns the identity that the private half of a key is bound to.
pub fn identity(id: &str) -> String {
    format!("signing key {id}")
}

fn generate(sealer: &Sealer, active_from: Timestamp) -> Result<SigningKey> {
    let id = Uuid::new_v4().simple().to_string();
    let secret = loop {
        let bytes = zeroize::Zeroizing::new(rand::random::<[u8; 32]>());
        // All but one in 2^32 are a key.
        if let Ok(secret) = p256::SecretKey::from_slice(bytes.as_ref()) {
            break secret;
        }
    };
    let private = secret.to_pkcs8_der().map_err(|error| ServiceError::internal(error.to_string()))?;
    let private_half = sealer.seal_own_now(&identity(&id), private.as_bytes())?;
    let public_key = secret.public_key().to_encoded_point(false).as_bytes().to_vec();
    Ok(SigningKey { id, public_key, sealed: private_half, active_from })
}

/// Makes the first key, or the next one when it is time, and removes those that nothing valid is signed with any more.
async fn rotate(tx: &mut Tx, sealer: &Sealer, at: Timestamp) -> Result<()> {
    tx.lock(Lock::SigningKeys).await?;
    let keys = tx.signing_keys().await?;
    match keys.last() {
        None => tx.signing_key_insert(&generate(sealer, at)?).await?,
        Some(last) if last.active_from + SIGNS - PUBLISHED <= at => {
            tx.signing_key_insert(&generate(sealer, at + PUBLISHED)?).await?;
        }
        Some(_) => {}
    }
    for pair in keys.windows(2) {
        if pair[1].active_from + LIFETIME + CLOCKS < at {
            tx.signing_key_delete(&pair[0].id).await?;
        }
    }
    Ok(())
}

impl Key {
    async fn open(store: &Store, sealer: &Sealer, row: &SigningKey) -> Result<Self> {
        let private = sealer.open_own(store, &identity(&row.id), &row.sealed).await?;
        // Uncompressed (SEC 1, 2.3.3): a byte 4, then both coordinates.
        let point = row.public_key.get(1..65).ok_or_else(|| ServiceError::internal("a signing key has a wrong length"))?;
        let [x, y] = [&point[..32], &point[32..]].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        let decoding = DecodingKey::from_ec_components(&x, &y).map_err(ServiceError::internal)?;
        let jwk = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": row.id, "x": x, "y": y});
        let encoding = EncodingKey::from_ec_der(&private);
        Ok(Self { id: row.id.clone(), encoding, decoding, active_from: row.active_from, jwk })
    }
}

impl SigningKeys {
    pub fn new(store: Store, sealer: Arc<Sealer>) -> Self {
        Self { store, sealer, copy: RwLock::default() }
    }

    /// The key that signs at this moment. Not to be called within a transaction: it may have to make one.
    pub async fn signer(&self) -> Result<Arc<Key>> {
        let signs = |copy: &Copy| copy.keys.iter().rev().find(|key| key.active_from <= now()).cloned();
        if let Some(key) = signs(&self.recent(COPY).await?) {
            return Ok(key);
        }
        self.rotate().await?;
        signs(&self.read().await?)
            .ok_or_else(|| ServiceError::internal("no signing key is active: this machine's clock is behind"))
    }

    /// The key of this name.
    pub async fn find(&self, id: &str) -> Result<Option<Arc<Key>>> {
        let find = |copy: Copy| copy.keys.into_iter().find(|key| key.id == id);
        match find(self.recent(COPY).await?) {
            Some(key) => Ok(Some(key)),
            None => Ok(find(self.recent(LOOK_AGAIN).await?)),
        }
    }

    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub async fn key_set(&self) -> Result<Value> {
        self.signer().await?;
        let keys: Vec<_> = self.recent(COPY).await?.keys.iter().map(|key| key.jwk.clone()).collect();
        Ok(json!({"keys": keys}))
    }

    /// Makes the next key when it is time.
    pub async fn rotate(&self) -> Result<()> {
        self.sealer.prepare_own(&self.store).await?;
        let mut tx = self.store.begin().await?;
        rotate(&mut tx, &self.sealer, now()).await?;
        Ok(tx.commit().await?)
    }

    async fn recent(&self, seconds: u64) -> Result<Copy> {
        let copy = self.copy.read().unwrap_or_else(PoisonError::into_inner).clone();
        if copy.read_at.is_some_and(|at| at.elapsed().as_secs() < seconds) {
            return Ok(copy);
        }
        self.read().await
    }

    async fn read(&self) -> Result<Copy> {
        let rows = self.store.signing_key_list().await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push(Arc::new(Key::open(&self.store, &self.sealer, row).await?));
        }
        let copy = Copy { keys, read_at: Some(Instant::now()) };
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = copy.clone();
        Ok(copy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use services_core::MasterKey;

    async fn keys() -> (tempfile::TempDir, SigningKeys) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::sqlite(&directory.path().join("test.db")).await.unwrap();
        store.migrate().await.unwrap();
        (directory, SigningKeys::new(store, Arc::new(Sealer::new(MasterKey::generate()))))
    }

    async fn rotate_at(keys: &SigningKeys, at: Timestamp) -> Vec<String> {
        let mut tx = keys.store.begin().await.unwrap();
        rotate(&mut tx, &keys.sealer, at).await.unwrap();
        tx.commit().await.unwrap();
        keys.read().await.unwrap().keys.iter().map(|key| key.id.clone()).collect()
    }

    #[tokio::test]
    async fn a_key_is_published_before_it_signs_and_kept_until_what_it_signed_has_expired() {
        let (_directory, keys) = keys().await;
        let start = now() - SIGNS;
        let first = rotate_at(&keys, start).await;
        assert_eq!(first.len(), 1);
        assert_eq!(rotate_at(&keys, start + SIGNS - PUBLISHED - TimeDelta::seconds(1)).await, first, "too early");
        let both = rotate_at(&keys, start + SIGNS - PUBLISHED).await;
        assert_eq!((both.len(), &both[0]), (2, &first[0]));
        assert_eq!(rotate_at(&keys, start + SIGNS - PUBLISHED).await, both, "twice at once");
        assert_eq!(keys.key_set().await.unwrap()["keys"].as_array().unwrap().len(), 2);
        assert_eq!(rotate_at(&keys, start + SIGNS + LIFETIME).await, both, "its last token may still stand");
        assert_eq!(rotate_at(&keys, start + SIGNS + LIFETIME + CLOCKS + TimeDelta::seconds(1)).await, both[1..]);
    }

    #[tokio::test]
    async fn the_key_set_tells_public_halves_only() {
        let (_directory, keys) = keys().await;
        let set = keys.key_set().await.unwrap();
        let members: Vec<_> = set["keys"][0].as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["kty", "crv", "alg", "use", "kid", "x", "y"]);
    }
}
