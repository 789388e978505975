//! API keys: prefixed, shown once, kept as digests, scoped, expiring.

use std::sync::Arc;

use domain::access::{Actor, Credential, Permission, Permissions, Target};
use domain::id::{ApiKeyId, TeamId, UserId};
use domain::secret::Secret;
use domain::team::ApiKey;
use domain::time::{Timestamp, now};
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError, require};
use store::{NewApiKey, Tx};

use super::{random_token, token_hash};
use crate::ApiKeys;
use crate::roles::parse_permissions;

const PREFIX: &str = "mck_";
const SHOWN_CHARACTERS: usize = 10;
const MAX_NAME: usize = 100;

/// A key that was just made and is not known to anybody yet.
pub struct ApiKeySecret(Secret);

/// Parameters of a new API key.
pub struct NewApiKeyInput {
    /// Purpose of the key.
    pub name: String,
    /// Names of permissions; all that the maker has when absent.
    pub scopes: Option<Vec<String>>,
    /// The service account that it is for; the maker when absent.
    pub service_account: Option<UserId>,
    /// In how many days it expires; never when absent.
    pub expires_in_days: Option<i64>,
}

/// A key as its maker sees it, once.
pub struct CreatedApiKey {
    /// The key itself.
    pub secret: Secret,
    /// Stored part of the key.
    pub key: ApiKey,
}

impl ApiKeySecret {
    /// A new random key.
    pub fn generate() -> Self {
        Self(random_token(PREFIX))
    }

    /// Returns true if a bearer token has the form of an API key.
    pub fn looks_like_one(bearer: &str) -> bool {
        bearer.starts_with(PREFIX)
    }

    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }

    pub(crate) async fn insert(
        &self,
        tx: &mut Tx,
        team_id: TeamId,
        user_id: UserId,
        name: &str,
        scopes: Permissions,
        expires_at: Option<Timestamp>,
    ) -> Result<ApiKey> {
        let id = ApiKeyId::new();
        let prefix: String = self.0.expose().chars().take(SHOWN_CHARACTERS).collect();
        let hash = token_hash(self.0.expose());
        tx.api_key_insert(&NewApiKey { id, team_id, user_id, name, prefix: &prefix, hash: &hash, scopes, expires_at }).await?;
        let name = name.to_owned();
        Ok(ApiKey { id, team_id, user_id, name, prefix, scopes, expires_at, revoked_at: None, created_at: now() })
    }
}

impl ApiKeys {
    /// The keys of the actor's team that are the actor's, or of service accounts the actor made; all of them for those who manage members.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<ApiKey>> {
        require(actor, Permission::ApiKeyWrite)?;
        let mut keys = self.store().api_key_list(actor.team_id).await?;
        if !actor.may(Permission::MemberWrite, Target::Team) {
            let accounts = self.accounts_of(actor).await?;
            keys.retain(|key| key.user_id == actor.user_id || accounts.contains(&key.user_id));
        }
        Ok(keys)
    }

    /// Makes a key. It can never do more than the actor.
    pub async fn create(&self, actor: &Actor, input: NewApiKeyInput) -> Result<CreatedApiKey> {
        let entry = AuditEntry::new(Action::ApiKeyCreate);
        self.audit_denial(actor, &entry, require(actor, Permission::ApiKeyWrite)).await?;
        let name = input.name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
            let message = format!("say in 1 to {MAX_NAME} characters what the key is for");
            return Err(ServiceError::invalid("name", "INVALID_NAME", message));
        }
        let scopes = scopes(actor, input.scopes)?;
        let user_id = match input.service_account {
            None => actor.user_id,
            Some(account) if self.accounts_of(actor).await?.contains(&account) => account,
            Some(_) => {
                let message = "there is no such service account of yours: only who made one makes keys for it";
                return Err(ServiceError::invalid("serviceAccountId", "UNKNOWN_SERVICE_ACCOUNT", message));
            }
        };
        let expires_at = match input.expires_in_days {
            None => None,
            Some(days @ 1..=3650) => Some(now() + chrono::Duration::days(days)),
            Some(_) => {
                return Err(ServiceError::invalid("expiresInDays", "OUT_OF_RANGE", "give 1 to 3650 days, or leave it out"));
            }
        };
        let expires_at = outlived_by(actor, expires_at);
        let secret = ApiKeySecret::generate();
        let mut tx = self.begin().await?;
        let key = secret.insert(&mut tx, actor.team_id, user_id, name, scopes, expires_at).await?;
        record(&mut tx, actor, entry.on("api_key", key.id).named(&key.name).after(logged(&key))).await?;
        tx.commit().await?;
        Ok(CreatedApiKey { secret: secret.into_secret(), key })
    }

    /// The service accounts that the actor's user made.
    async fn accounts_of(&self, actor: &Actor) -> Result<Vec<UserId>> {
        let members = self.store().member_list(actor.team_id).await?;
        let made = members.into_iter().filter(|member| member.created_by == Some(actor.user_id));
        Ok(made.map(|member| member.user.id).collect())
    }

    /// Revokes a key: one's own, or anybody's for those who manage members.
    pub async fn revoke(&self, actor: &Actor, id: ApiKeyId) -> Result<()> {
        let entry = AuditEntry::new(Action::ApiKeyRevoke).on("api_key", id);
        let visible = self.list(actor).await;
        let visible = self.audit_denial(actor, &entry, visible).await?.into_iter().find(|key| key.id == id);
        let key = visible.ok_or(ServiceError::NotFound("API key"))?;
        let mut tx = self.begin().await?;
        // Revoking twice is no error: it is revoked.
        if tx.api_key_revoke(actor.team_id, id).await? {
            record(&mut tx, actor, entry.named(&key.name).before(logged(&key))).await?;
        }
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn authenticate(&self, bearer: &str, team: Option<TeamId>) -> Result<Actor> {
        const INVALID: ServiceError =
            ServiceError::Unauthenticated("the API key is not valid, was revoked or has expired: make a new one");
        let (key, standing) = self.store().api_key_get(&token_hash(bearer)).await?.ok_or(INVALID)?;
        if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= now()) {
            return Err(INVALID);
        }
        if team.is_some_and(|team| team != key.team_id) {
            return Err(ServiceError::NotFound("team"));
        }
        let rights = self.sessions().bounded(standing.ok_or(INVALID)?).await?.ok_or(ServiceError::Unauthenticated(
            "who made this key's service account is no longer in the team: let somebody else make another account",
        ))?;
        Ok(Actor {
            user_id: key.user_id,
            team_id: key.team_id,
            rights: Arc::new(rights),
            scopes: Some(key.scopes),
            credential: Credential::ApiKey(key.id),
            expires_at: key.expires_at,
            origin: None,
        })
    }
}

/// Builds the audit log's details of a key.
fn logged(key: &ApiKey) -> serde_json::Value {
    serde_json::json!({"user": key.user_id, "prefix": key.prefix, "scopes": key.scopes, "expiresAt": key.expires_at})
}

/// A key that is made with another expires with that one at the latest: whoever finds a key does not get one for longer.
fn outlived_by(actor: &Actor, expires_at: Option<Timestamp>) -> Option<Timestamp> {
    match actor.credential {
        Credential::ApiKey(_) => expires_at.into_iter().chain(actor.expires_at).min(),
        Credential::Session(_) | Credential::Schedule(_) | Credential::GitConnection(_) => expires_at,
    }
}

fn scopes(actor: &Actor, names: Option<Vec<String>>) -> Result<Permissions> {
    let Some(names) = names else {
        return Ok(Permission::ALL.into_iter().filter(|permission| actor.may_somewhere(*permission)).collect());
    };
    let asked = parse_permissions("scopes", "UNKNOWN_SCOPE", &names)?;
    match asked.iter().find(|permission| !actor.may_somewhere(*permission)) {
        None => Ok(asked),
        Some(permission) => {
            let message = format!("a key cannot do more than you: you lack `{}`", permission.name());
            Err(ServiceError::invalid("scopes", "SCOPE_TOO_WIDE", message))
        }
    }
}
