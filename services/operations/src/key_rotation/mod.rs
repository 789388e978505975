//! Changing the master key while everything runs (docs/adr/0019). The new key stands in the database, sealed under the old one, until
//! everything is sealed anew: who has either key opens everything, and a command that was stopped is started again and goes on.

mod pass;
#[cfg(test)]
mod tests;

use std::time::Duration;

use chrono::TimeDelta;
use domain::time::now;
use pass::Pass;
use services_core::audit::{Action, AuditEntry, record_for_operator};
use services_core::sealing::{FRESH, LOOK_EVERY, new_team_key, sealed_by_each_other};
use services_core::{MasterKey, Sealer, ServiceError};
use services_identity::{KEY_FINGERPRINT, SetupError, wrong_key};
use store::{KeyRotation, Store, StoreError, Tx};
use uuid::Uuid;

/// Time for which a runner counts as alive after its last heartbeat.
const LEASE: TimeDelta = TimeDelta::seconds(10);

/// The shortest time to wait for requests that sealed something before they knew of the new key.
pub const SHORTEST_SETTLING: Duration = Duration::from_secs(FRESH.as_secs() + 2 * LOOK_EVERY.as_secs());

/// Maximum duration of that: until a process knows of the new key, and then the timeout of a request.
pub const SETTLING: Duration = Duration::from_secs(SHORTEST_SETTLING.as_secs() + 30);

/// Progress of the rotation, for people who wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Another run is at work, or was until a moment ago.
    Waiting,
    /// So many of so many rows were looked at.
    Sealing {
        /// Number of values.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// Wait for requests that were in progress when it began: the number of seconds that they have left.
    Settling {
        /// Number of seconds.
        seconds: u64,
    },
}

/// Result of the rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Fingerprint of the old key.
    pub old_fingerprint: String,
    /// Fingerprint of the new key.
    pub new_fingerprint: String,
    /// Indicates that an earlier run had begun.
    pub resumed: bool,
    /// Number of values that this run resealed.
    pub sealed: usize,
    /// Number of values that no key opens: they were lost before.
    pub broken: usize,
}

/// Reason for which the master key was not changed, or not completely.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The key is not the database's.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// There is nothing in the database.
    #[error("there is no MikroCloud in this database: check its address, or the data directory")]
    Absent,
    /// Another run does it.
    #[error("another `mikrocloud keys rotate` is at work: wait for its end")]
    UnderWay,
    /// Another run took over, because this one did not say in time that it lives.
    #[error("another `mikrocloud keys rotate` took over, because this one stood still: see to that one")]
    TakenOver,
    /// The new key could not be kept; the old one stands.
    #[error("the new master key could not be kept: {0}. Put that right and start again: what was done is not lost")]
    NotKept(String),
    /// The database did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Anything else.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A run.
struct Run<'a> {
    store: &'a Store,
    sealer: Sealer,
    id: Uuid,
    runner: Uuid,
}

/// Gives an installation another master key, or goes on where an earlier run stopped. `keep` is handed the new key before it takes the
/// old one's place, perhaps in more than one run; `progress` is told what is being done. `settling` is how long requests may take.
pub async fn rotate(
    store: &Store,
    key: MasterKey,
    settling: Duration,
    keep: impl Fn(&MasterKey) -> Result<(), String>,
    mut progress: impl FnMut(Progress),
) -> Result<Rotated, RotationError> {
    let (run, rotation, resumed) = Run::begin(store, key, &mut progress).await?;
    let mut pass = Pass::default();
    run.seal_all(&mut pass, &mut progress).await?;
    run.settle(&rotation, settling, &mut progress).await?;
    // What processes sealed that did not know of the new key yet; nothing of that comes any more.
    while run.seal_all(&mut pass, &mut progress).await? > 0 {}
    keep(&run.sealer.current_key()).map_err(RotationError::NotKept)?;
    run.finish(&rotation, &pass).await?;
    let KeyRotation { old_fingerprint, new_fingerprint, .. } = rotation;
    Ok(Rotated { old_fingerprint, new_fingerprint, resumed, sealed: pass.sealed, broken: pass.broken })
}

impl<'a> Run<'a> {
    async fn begin(
        store: &'a Store,
        key: MasterKey,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(Self, KeyRotation, bool), RotationError> {
        let (sealer, runner) = (Sealer::new(key), Uuid::new_v4());
        let recorded = store.installation_get(KEY_FINGERPRINT).await?.ok_or(RotationError::Absent)?;
        sealer.look(store).await?;
        if !sealer.is_of(&recorded) {
            return Err(wrong_key(&sealer).into());
        }
        let unfinished = store.key_rotation_latest().await?.filter(|rotation| rotation.finished_at.is_none());
        let (rotation, resumed) = match unfinished {
            Some(rotation) => (take_over(store, rotation, runner, progress).await?, true),
            None => (announce(store, &sealer.current_key(), runner).await?, false),
        };
        sealer.look(store).await?;
        if sealer.fingerprint() != rotation.new_fingerprint {
            return Err(wrong_key(&sealer).into());
        }
        Ok((Self { store, sealer, id: rotation.id, runner }, rotation, resumed))
    }

    /// A transaction of this run, which is the one that is at work.
    async fn transaction(&self) -> Result<Tx, RotationError> {
        let mut tx = self.store.begin().await?;
        let until = now() + LEASE;
        if tx.key_rotation_renew(self.id, self.runner, until).await? { Ok(tx) } else { Err(RotationError::TakenOver) }
    }

    /// Waits until nothing is under way that was sealed by who did not know of the new key.
    async fn settle(
        &self,
        rotation: &KeyRotation,
        settling: Duration,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), RotationError> {
        let settled_at = rotation.started_at + TimeDelta::from_std(settling).unwrap_or_default();
        loop {
            let left = (settled_at - now()).to_std().unwrap_or_default();
            if left.is_zero() {
                return Ok(());
            }
            progress(Progress::Settling { seconds: left.as_secs() + 1 });
            self.transaction().await?.commit().await?;
            tokio::time::sleep(left.min(Duration::from_secs(1))).await;
        }
    }

    /// Makes the new key the database's.
    async fn finish(&self, rotation: &KeyRotation, pass: &Pass) -> Result<(), RotationError> {
        let mut tx = self.transaction().await?;
        if !tx.installation_replace(KEY_FINGERPRINT, &rotation.old_fingerprint, &rotation.new_fingerprint).await? {
            return Err(RotationError::TakenOver);
        }
        if pass.broken == 0 {
            tx.team_key_delete_outdated().await?;
        }
        tx.key_rotation_finish(self.id, now()).await?;
        for (team, _) in tx.team_key_versions().await? {
            let change = AuditEntry::new(Action::MasterKeyRotate)
                .on("master_key", &rotation.new_fingerprint)
                .detail("replaces", rotation.old_fingerprint.as_str());
            record_for_operator(&mut tx, team, change).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Writes the new key down, sealed under the old one, and a new data key for each team.
async fn announce(store: &Store, old: &MasterKey, runner: Uuid) -> Result<KeyRotation, RotationError> {
    let (new, id, at) = (MasterKey::generate(), Uuid::now_v7(), now());
    let (sealed_new, sealed_old) = sealed_by_each_other(id, old, &new)?;
    let rotation = KeyRotation {
        id,
        old_fingerprint: old.fingerprint(),
        new_fingerprint: new.fingerprint(),
        sealed_new: Some(sealed_new),
        sealed_old: Some(sealed_old),
        runner,
        runner_until: at + LEASE,
        started_at: at,
        finished_at: None,
    };
    let mut tx = store.begin().await?;
    tx.key_rotation_insert(&rotation).await.map_err(|error| match error {
        StoreError::Exists => RotationError::UnderWay,
        other => other.into(),
    })?;
    for (team, version) in tx.team_key_versions().await? {
        tx.team_key_insert(team, version + 1, &new_team_key(&new, team)?).await?;
    }
    tx.commit().await?;
    Ok(rotation)
}

/// Takes over from a run that is dead; one that lives says so while this waits.
async fn take_over(
    store: &Store,
    rotation: KeyRotation,
    runner: Uuid,
    progress: &mut impl FnMut(Progress),
) -> Result<KeyRotation, RotationError> {
    loop {
        let mut tx = store.begin().await?;
        let until = now() + LEASE;
        if tx.key_rotation_take(rotation.id, runner, until).await? {
            tx.commit().await?;
            return Ok(rotation);
        }
        drop(tx);
        let present = store.key_rotation_latest().await?.filter(|present| present.finished_at.is_none());
        match present {
            Some(present) if present.runner_until == rotation.runner_until => {}
            _ => return Err(RotationError::UnderWay),
        }
        progress(Progress::Waiting);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
