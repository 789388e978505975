//! The master keys that a process knows: the one that it was given, and during a change of it (docs/adr/0019) the other.

use std::time::{Duration, Instant};

use domain::time::Timestamp;
use store::{KeyRotation, Store};
use uuid::Uuid;

use super::form::{open, seal};
use super::master_key::MasterKey;
use crate::Result;

/// Purpose of the key that seals the keys of a change.
const PURPOSE: &str = "key rotation";

/// Interval at which processes check for a change of the master key.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Maximum age of a process's knowledge of the keys when it seals something.
pub const FRESH: Duration = Duration::from_secs(5);

/// The keys as a process knows them.
#[derive(Clone)]
pub struct Ring {
    /// Key that seals.
    pub current: MasterKey,
    /// Key that also opens.
    pub other: Option<MasterKey>,
    /// Indicates that a change is in progress.
    pub under_way: bool,
    /// Time since which the key that this process was given is obsolete: another replaced it while the process slept.
    pub replaced_at: Option<Timestamp>,
    /// Counts what changed here.
    pub generation: u64,
    read_at: Option<Instant>,
}

fn bound(id: Uuid, which: &str) -> Vec<u8> {
    format!("{which} key of rotation {id}").into_bytes()
}

/// Both keys of a change, each sealed under the other.
pub fn sealed_by_each_other(id: Uuid, old: &MasterKey, new: &MasterKey) -> Result<(Vec<u8>, Vec<u8>)> {
    let sealed_new = seal(&old.derive(PURPOSE), new.bytes(), &bound(id, "new"))?;
    let sealed_old = seal(&new.derive(PURPOSE), old.bytes(), &bound(id, "old"))?;
    Ok((sealed_new, sealed_old))
}

impl Ring {
    /// Builds the ring of a process that was given a key and has not asked the database.
    pub fn of(key: MasterKey) -> Self {
        Self { current: key, other: None, under_way: false, replaced_at: None, generation: 0, read_at: None }
    }

    /// Returns true if the knowledge of the keys is recent.
    pub fn is_fresh(&self) -> bool {
        self.read_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// Returns the keys that open, the current one first.
    pub fn keys(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.other)
    }

    fn known(&self, fingerprint: &str) -> Option<&MasterKey> {
        self.keys().find(|key| key.fingerprint() == fingerprint)
    }

    /// The ring as the database has it now.
    pub async fn read(&self, store: &Store) -> Result<Self> {
        let read_at = Some(Instant::now());
        let mut next = match store.key_rotation_latest().await? {
            Some(rotation) => self.after(&rotation)?,
            None => self.clone(),
        };
        let differs = next.current.fingerprint() != self.current.fingerprint()
            || next.other.is_some() != self.other.is_some()
            || next.under_way != self.under_way;
        next.generation = self.generation + u64::from(differs);
        next.read_at = read_at;
        Ok(next)
    }

    fn after(&self, rotation: &KeyRotation) -> Result<Self> {
        let under_way = rotation.finished_at.is_none();
        let opened = |key: &MasterKey, sealed: &Option<Vec<u8>>, which| {
            let sealed = sealed.as_ref()?;
            Some(open(&key.derive(PURPOSE), sealed, &bound(rotation.id, which)).and_then(|bytes| MasterKey::from_bytes(&bytes)))
        };
        let (old, new) = (self.known(&rotation.old_fingerprint), self.known(&rotation.new_fingerprint));
        let next =
            |current: MasterKey, other: Option<MasterKey>| Self { current, other, under_way, replaced_at: None, ..self.clone() };
        if let Some(new) = new {
            let other = old.cloned().map(Ok).or_else(|| opened(new, &rotation.sealed_old, "old")).transpose()?;
            return Ok(next(new.clone(), other));
        }
        let Some(old) = old else { return Ok(self.clone()) };
        match opened(old, &rotation.sealed_new, "new") {
            Some(new) => Ok(next(new?, Some(old.clone()))),
            None => Ok(Self { replaced_at: rotation.finished_at, ..self.clone() }),
        }
    }
}
