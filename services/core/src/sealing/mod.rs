//! Secrets at rest: AES-256-GCM under a data key per team, which the master key seals.

mod form;
mod master_key;
mod resealing;
mod ring;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use domain::id::TeamId;
use domain::secret::Secret;
use form::{Key, open, seal};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::Store;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{Result, ServiceError};
pub use master_key::MasterKey;
use ring::Ring;
pub use ring::sealed_by_each_other;
pub use ring::{FRESH, LOOK_EVERY};

/// The data keys that a process has used.
#[derive(Default)]
struct DataKeys {
    keys: HashMap<(TeamId, i64), Key>,
    /// The newest version of each team, and the generation of the ring in which it was looked up.
    newest: HashMap<TeamId, (u64, i64)>,
}

/// Seals and opens secrets of teams.
pub struct Sealer {
    ring: RwLock<Arc<Ring>>,
    data_keys: Mutex<DataKeys>,
    forwarding: watch::Sender<Vec<Secret>>,
}

/// By which edges of an installation know each other's requests. The first is shown, all are taken: while the master key changes, an
/// edge that knows of it already and one that does not yet understand each other.
fn forwarding_secrets(ring: &Ring) -> Vec<Secret> {
    let secret = |key: &MasterKey| Secret::new(hex::encode(*key.derive("edge forwarding")));
    let mut secrets: Vec<_> = ring.keys().map(secret).collect();
    if ring.under_way {
        secrets.reverse();
    }
    secrets
}

impl Sealer {
    /// A sealer under this master key.
    pub fn new(master: MasterKey) -> Self {
        let ring = Ring::of(master);
        let forwarding = watch::Sender::new(forwarding_secrets(&ring));
        Self { ring: RwLock::new(Arc::new(ring)), data_keys: Mutex::default(), forwarding }
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn data_keys(&self) -> MutexGuard<'_, DataKeys> {
        self.data_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the master key changes, or has. Answers whether there is something new.
    pub async fn look(&self, store: &Store) -> Result<bool> {
        let before = self.ring();
        let next = before.read(store).await?;
        let is_new = next.generation != before.generation;
        let mut present = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        // Who looked at the same time may have seen more.
        if next.generation >= present.generation {
            if is_new {
                self.forwarding.send_replace(forwarding_secrets(&next));
            }
            *present = Arc::new(next);
        }
        Ok(is_new)
    }

    /// Looks again and again, for as long as the process lives.
    pub async fn keep_looking(self: Arc<Self>, store: Store) {
        let mut failing = false;
        loop {
            let looked = self.look(&store).await;
            match &looked {
                Ok(true) => tracing::info!(under_way = self.ring().under_way, "the master key is being changed, or was"),
                Err(error) if !failing => {
                    tracing::warn!(error = jobs::handler::chain(error), "whether the master key changes is not known");
                }
                Ok(false) | Err(_) => {}
            }
            failing = looked.is_err();
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The keys to seal with, which are those of a moment ago: a process that slept through a change would seal with a key that is gone.
    async fn to_seal(&self, store: &Store) -> Result<Arc<Ring>> {
        if !self.ring().is_fresh() {
            self.look(store).await?;
        }
        let ring = self.ring();
        match ring.replaced_at {
            Some(at) => {
                Err(ServiceError::internal(format!("the master key was replaced at {at}: start this process with the new one")))
            }
            None => Ok(ring),
        }
    }

    /// Returns true if a database with this fingerprint was sealed with the key. Call it only after [`Sealer::look`].
    pub fn is_of(&self, recorded: &str) -> bool {
        let ring = self.ring();
        let mut good = ring.keys().take(if ring.under_way { 2 } else { 1 });
        good.any(|key| key.fingerprint() == recorded)
    }

    /// Returns the time at which another key replaced the one that this process has.
    pub fn replaced_at(&self) -> Option<domain::time::Timestamp> {
        self.ring().replaced_at
    }

    /// Returns true if the master key is being changed.
    pub fn is_changing(&self) -> bool {
        self.ring().under_way
    }

    /// By which edges of this installation know each other's requests: the first is shown, all are taken.
    pub fn forwarding_secrets(&self) -> watch::Receiver<Vec<Secret>> {
        self.forwarding.subscribe()
    }

    /// Tells master keys apart without revealing them. Kept in the database, so that a wrong key is refused at start.
    pub fn fingerprint(&self) -> String {
        self.ring().current.fingerprint()
    }

    /// The key that seals at present.
    pub fn current_key(&self) -> MasterKey {
        self.ring().current.clone()
    }

    /// A key derived for another purpose.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        self.ring().current.derive(purpose)
    }

    /// Makes sure that [`Sealer::seal_own_now`] seals with the present key. To be called before a transaction.
    pub async fn prepare_own(&self, store: &Store) -> Result<()> {
        self.to_seal(store).await.map(drop)
    }

    /// Seals what belongs to a user or to the installation and to no team, within a transaction. `identity` names the row it is for.
    pub fn seal_own_now(&self, identity: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        seal(&self.ring().current.derive("own"), bytes, identity.as_bytes())
    }

    /// Seals what belongs to a user or to the installation and to no team. `identity` names the row it is for.
    pub async fn seal_own(&self, store: &Store, identity: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        self.prepare_own(store).await?;
        self.seal_own_now(identity, bytes)
    }

    /// Opens what [`Sealer::seal_own`] sealed for the same row.
    pub async fn open_own(&self, store: &Store, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        self.open_by_master(store, "own", identity, sealed).await
    }

    /// Opens with whichever master key is known; with one that becomes known meanwhile if none of these does.
    async fn open_by_master(&self, store: &Store, purpose: &str, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let try_all = |ring: &Ring| {
            let mut opened = ring.keys().map(|key| open(&key.derive(purpose), sealed, identity.as_bytes()));
            let first = opened.next().unwrap_or_else(|| unreachable!("there is a current key"));
            first.or_else(|error| opened.find_map(Result::ok).ok_or(error))
        };
        let opened = try_all(&self.ring());
        if opened.is_ok() || !self.look(store).await? {
            return opened;
        }
        try_all(&self.ring())
    }

    /// Looks the keys of a team up, so that [`Sealer::open`] needs no connection of its own within a transaction.
    pub async fn prepare(&self, store: &Store, team: TeamId) -> Result<()> {
        for (version, sealed) in store.team_key_list(team).await? {
            self.data_key_from(store, team, version, &sealed).await?;
        }
        Ok(())
    }

    /// Returns the digest of a secret for the audit log: the same for the same text in the same team under the same master key,
    /// and of no use to guess it without that.
    pub fn audit_digest(&self, team: TeamId, text: &Secret) -> String {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.derive("audit digests").as_ref())
            .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(team.uuid().as_bytes());
        mac.update(text.expose().as_bytes());
        format!("hmac-sha256:{}", hex::encode(mac.finalize().into_bytes()))
    }

    /// A new data key for a team, sealed.
    pub fn new_team_key(&self, team: TeamId) -> Result<Vec<u8>> {
        new_team_key(&self.ring().current, team)
    }

    /// Seals a text. `identity` names the row it is for: moved to another row, it does not open.
    pub async fn seal(&self, store: &Store, team: TeamId, identity: &str, text: &Secret) -> Result<Vec<u8>> {
        let generation = self.to_seal(store).await?.generation;
        let (version, key) = self.newest_data_key(store, team, generation).await?;
        seal_under(version, &key, text.expose().as_bytes(), identity)
    }

    /// Opens what [`Sealer::seal`] sealed for the same row.
    pub async fn open(&self, store: &Store, team: TeamId, identity: &str, sealed: &[u8]) -> Result<Secret> {
        let text = self.open_bytes(store, team, identity, sealed).await?;
        let text = std::str::from_utf8(&text).map_err(ServiceError::internal)?;
        Ok(Secret::new(text))
    }

    async fn open_bytes(&self, store: &Store, team: TeamId, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (version, body) = version_of(sealed)?;
        let key = self.data_key(store, team, version).await?;
        open(&key, body, identity.as_bytes())
    }

    async fn newest_data_key(&self, store: &Store, team: TeamId, generation: u64) -> Result<(i64, Key)> {
        let known = self.data_keys().newest.get(&team).copied();
        if let Some((_, version)) = known.filter(|(known, _)| *known == generation) {
            return Ok((version, self.data_key(store, team, version).await?));
        }
        let (version, sealed) =
            store.team_key_get(team).await?.ok_or_else(|| ServiceError::internal("the team has no data key"))?;
        let key = self.data_key_from(store, team, version, &sealed).await?;
        self.data_keys().newest.insert(team, (generation, version));
        Ok((version, key))
    }

    async fn data_key(&self, store: &Store, team: TeamId, version: i64) -> Result<Key> {
        if let Some(key) = self.data_keys().keys.get(&(team, version)) {
            return Ok(key.clone());
        }
        let known = store.team_key_list(team).await?;
        let found = known.into_iter().find(|(other, _)| *other == version);
        let (_, sealed) =
            found.ok_or_else(|| ServiceError::internal("the team's data key is gone that a value was sealed with"))?;
        self.data_key_from(store, team, version, &sealed).await
    }

    async fn data_key_from(&self, store: &Store, team: TeamId, version: i64, sealed: &[u8]) -> Result<Key> {
        if let Some(key) = self.data_keys().keys.get(&(team, version)) {
            return Ok(key.clone());
        }
        let opened = self.open_by_master(store, TEAM_KEYS, &team.to_string(), sealed).await?;
        let key = opened.as_slice().try_into().map_err(|_| ServiceError::internal("a team's data key has a wrong length"))?;
        let key: Key = Zeroizing::new(key);
        self.data_keys().keys.insert((team, version), key.clone());
        Ok(key)
    }
}

/// Purpose of the key that seals data keys.
const TEAM_KEYS: &str = "team-keys";

/// A new data key for a team, sealed by a master key.
pub fn new_team_key(master: &MasterKey, team: TeamId) -> Result<Vec<u8>> {
    let key: Key = Zeroizing::new(rand::random());
    seal(&master.derive(TEAM_KEYS), key.as_ref(), team.to_string().as_bytes())
}

/// Seals under a data key, whose version comes first.
fn seal_under(version: i64, key: &Key, text: &[u8], identity: &str) -> Result<Vec<u8>> {
    let mut sealed = version.to_be_bytes().to_vec();
    sealed.extend(seal(key, text, identity.as_bytes())?);
    Ok(sealed)
}

/// The version of the data key that sealed a value, and what it sealed.
fn version_of(sealed: &[u8]) -> Result<(i64, &[u8])> {
    let (version, body) = sealed.split_first_chunk().ok_or_else(|| ServiceError::internal("a sealed value is cut short"))?;
    Ok((i64::from_be_bytes(*version), body))
}
