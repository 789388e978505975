//! Authentication: passwords, sessions, access tokens, API keys.

mod account;
mod actor_cache;
mod api_keys;
mod breaches;
mod devices;
mod flows;
mod passwords;
mod providers;
pub mod second_factor;
mod sessions;
pub mod signing_keys;
mod throttle;
mod tokens;

use std::sync::Arc;

use domain::access::{Actor, Bound, Credential, Rights};
use domain::id::{SessionId, TeamId, UserId};
use domain::secret::Secret;
use domain::team::Standing;
use domain::time::now;
use rand::Rng;
use services_core::{Result, ServiceError};
use sha2::{Digest, Sha256};

use crate::Sessions;

pub use account::Account;
pub(crate) use actor_cache::ActorCache;
pub use api_keys::{ApiKeySecret, CreatedApiKey, NewApiKeyInput};
pub(crate) use breaches::Breaches;
pub use devices::{DeviceStart, DeviceState, INTERVAL, WaitingDevice};
pub(crate) use providers::Providers;
pub use providers::{ConfigError, Federated, Leaving, LinkQuestion, ProviderConfig, ProviderInfo, Returned};
pub use second_factor::{Enrolment, SecondFactorState};
pub use sessions::{Access, SignIn, SignedIn};
pub(crate) use sessions::{LINK_LIFETIME, signin_link};
pub use store::Identity;
pub(crate) use tokens::Tokens;

/// 256 random bits as text, for tokens that are shown once and kept as a digest.
pub fn random_token(prefix: &str) -> Secret {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    rand::rng().fill_bytes(bytes.as_mut());
    Secret::new(format!("{prefix}{}", base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, bytes.as_ref())))
}

/// The digest a token is kept as. Tokens are random, so a plain hash is enough: there is nothing to guess.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

impl Sessions {
    /// Returns the actor that presents this bearer token: an access token of a session, or an API key. `team` chooses one of the
    /// user's teams.
    pub async fn authenticate(&self, bearer: &str, team: Option<TeamId>) -> Result<Actor> {
        let shown = actor_cache::CredentialDigest::new(bearer, team);
        if let Some(actor) = self.actors().actor(&shown) {
            return Ok(actor);
        }
        let before = self.actors().before();
        let actor = if ApiKeySecret::looks_like_one(bearer) {
            self.api_keys().authenticate(bearer, team).await?
        } else {
            self.authenticate_session(bearer, team).await?
        };
        self.actors().keep(shown, &actor, &before);
        Ok(actor)
    }

    /// Returns true if the credential that an actor presented earlier is still valid. Long-lived connections check this
    /// repeatedly.
    pub async fn still_valid(&self, actor: &Actor) -> Result<bool> {
        if actor.expires_at.is_some_and(|at| at <= now()) {
            return Ok(false);
        }
        let stands = match actor.credential {
            Credential::Session(session) => self.store().session_is_valid(session).await?,
            Credential::Schedule(_) | Credential::GitConnection(_) => true,
            Credential::ApiKey(key) => self.store().api_key_is_valid(actor.team_id, key, now()).await?,
        };
        let rights = self.rights(actor.team_id, actor.user_id).await?;
        Ok(stands && rights.is_some_and(|rights| rights == *actor.rights))
    }

    /// Returns the present rights of a user in a team; `None` for a user who is not a member.
    pub async fn rights(&self, team: TeamId, user: UserId) -> Result<Option<Rights>> {
        match self.store().standing_get(team, user).await? {
            Some(standing) => self.bounded(standing).await,
            None => Ok(None),
        }
    }

    /// The rights of a member; those of a service account with the present ones of who made it, and none once they left the team.
    async fn bounded(&self, standing: Standing) -> Result<Option<Rights>> {
        let Standing { team_id, created_by, mut rights, .. } = standing;
        if let Some(user_id) = created_by {
            let maker = self.store().standing_get(team_id, user_id).await?;
            // Service accounts make no others: whose rights one would be bound by could not be told from one row.
            let Some(maker) = maker.filter(|maker| maker.created_by.is_none()) else { return Ok(None) };
            rights.bound = Some(Box::new(Bound { user_id, rights: maker.rights }));
        }
        Ok(Some(rights))
    }

    /// The public keys of access tokens, as a JSON Web Key Set (RFC 7517).
    pub async fn key_set(&self) -> Result<serde_json::Value> {
        self.tokens().key_set().await
    }

    /// Makes, publishes and removes the keys of access tokens when it is time.
    pub async fn rotate_token_keys(&self) -> Result<()> {
        self.tokens().rotate().await
    }

    /// Number of changes of rights in this process so far.
    pub fn rights_generation(&self) -> u64 {
        self.actors().generation()
    }

    /// Somebody as the member of a team that the pages of their browser act as.
    pub async fn actor_in(&self, account: &Account, team: TeamId) -> Result<Actor> {
        let actor = self.actor_of_session(account.user_id, account.session_id, Some(team)).await?;
        Ok(actor.from(&account.origin))
    }

    async fn authenticate_session(&self, bearer: &str, team: Option<TeamId>) -> Result<Actor> {
        let claims = self.tokens().verify(bearer).await?;
        if !self.store().session_is_valid(claims.session_id).await? {
            return Err(ServiceError::Unauthenticated("this session was signed out: sign in again"));
        }
        let actor = self.actor_of_session(claims.user_id, claims.session_id, team).await?;
        Ok(Actor { expires_at: claims.expires_at(), ..actor })
    }

    /// Returns the actor of a session, in the team that they choose, or in the first that they joined.
    async fn actor_of_session(&self, user_id: UserId, session: SessionId, team: Option<TeamId>) -> Result<Actor> {
        const NONE: ServiceError = ServiceError::NotFound("team");
        let mut teams = self.store().standing_list(user_id).await?.into_iter();
        let standing = teams.find(|standing| team.is_none_or(|team| standing.team_id == team)).ok_or(NONE)?;
        let team_id = standing.team_id;
        let rights = Arc::new(self.bounded(standing).await?.ok_or(NONE)?);
        let credential = Credential::Session(session);
        Ok(Actor { user_id, team_id, rights, scopes: None, credential, expires_at: None, origin: None })
    }
}
