//! First start: the owner, the team, and the check that the master key is the one the secrets were sealed with.

use domain::access::{Permissions, Role, RoleRef};
use domain::id::{TeamId, UserId};
use domain::secret::Secret;
use domain::team::{Membership, Team, User};
use domain::time::{Timestamp, now};
use services_core::{Result, Sealer, ServiceError};
use store::{Lock, Store, Tx};

use crate::auth::{ApiKeySecret, signin_link};

/// Name under which the database stores the fingerprint of its master key.
pub const KEY_FINGERPRINT: &str = "master_key_fingerprint";

/// Result of the first start; displayed once.
pub struct FirstStart {
    /// The token of the owner's sign-in link.
    pub link_token: Secret,
    /// A credential for the CLI of the same machine user.
    pub cli_key: Secret,
}

/// Reason for which an installation cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The database was sealed with another master key.
    #[error(
        "the master key is not the one this database was sealed with: set MIKROCLOUD_MASTER_KEY to the original key, or restore its key file"
    )]
    WrongMasterKey,
    /// `mikrocloud keys rotate` gave the database another master key.
    #[error(
        "this master key was replaced on {}: set MIKROCLOUD_MASTER_KEY to the new key, or give the file that `mikrocloud keys rotate` wrote it to",
        at.format("%Y-%m-%d at %H:%M UTC")
    )]
    ReplacedMasterKey {
        /// Time of the event.
        at: Timestamp,
    },
    /// Anything else.
    #[error("the installation could not be set up")]
    Failed(#[from] ServiceError),
}

/// The token of a new one-time sign-in link for the owner; for the person who runs the machine and can open its database.
pub async fn owner_link(store: &Store) -> Result<Option<Secret>> {
    let Some(owner) = store.owner_get().await? else { return Ok(None) };
    let mut tx = store.begin().await?;
    let token = signin_link(&mut tx, owner).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Prepares the database for its first use, and returns what was made then; `None` when it is in use already.
pub async fn prepare(store: &Store, sealer: &Sealer) -> Result<Option<FirstStart>, SetupError> {
    let prepared = async {
        sealer.look(store).await?;
        let mut tx = store.begin().await?;
        // Of two processes that start at once, the second finds what the first has made.
        tx.lock(Lock::FirstStart).await?;
        if let Some(recorded) = store.installation_get(KEY_FINGERPRINT).await? {
            return Ok::<_, ServiceError>((sealer.is_of(&recorded), None));
        }
        tx.installation_insert(KEY_FINGERPRINT, &sealer.fingerprint()).await?;
        let first_start = create_owner(&mut tx, sealer).await?;
        tx.commit().await?;
        Ok((true, Some(first_start)))
    };
    match prepared.await? {
        (true, first_start) => Ok(first_start),
        (false, _) => Err(wrong_key(sealer)),
    }
}

/// The error for a master key that is not the one of this database.
pub fn wrong_key(sealer: &Sealer) -> SetupError {
    sealer.replaced_at().map_or(SetupError::WrongMasterKey, |at| SetupError::ReplacedMasterKey { at })
}

async fn create_owner(tx: &mut Tx, sealer: &Sealer) -> Result<FirstStart> {
    let user = User { id: UserId::new(), email: "owner@localhost".to_owned(), name: "Owner".to_owned(), created_at: now() };
    let team = Team { id: TeamId::new(), name: "Home".to_owned(), created_at: now() };
    let sealed_key = sealer.new_team_key(team.id)?;
    let cli_key = ApiKeySecret::generate();
    tx.user_insert(&user).await?;
    tx.user_make_operator(user.id).await?;
    tx.team_insert(&team).await?;
    tx.membership_put(&Membership { team_id: team.id, user_id: user.id, role: RoleRef::BuiltIn(Role::Owner) }).await?;
    tx.team_key_insert(team.id, 1, &sealed_key).await?;
    let link_token = signin_link(tx, user.id).await?;
    cli_key.insert(tx, team.id, user.id, "CLI on this machine", Permissions::ALL, None).await?;
    Ok(FirstStart { link_token, cli_key: cli_key.into_secret() })
}

/// Checks that the master key is the one that an installation was made with, or that took its place.
pub async fn check_master_key(store: &Store, sealer: &Sealer) -> Result<(), SetupError> {
    sealer.look(store).await?;
    match store.installation_get(KEY_FINGERPRINT).await.map_err(ServiceError::from)? {
        Some(recorded) if !sealer.is_of(&recorded) => Err(wrong_key(sealer)),
        _ => Ok(()),
    }
}
