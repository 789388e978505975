use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::session;
pub use domain::session::SecurityEventKind;
use services::PendingInvitation;

use super::team::{Role, User};
use crate::context::caller;
use crate::error::to_graphql;

/// Somebody's account, seen by themselves.
pub struct Account(pub services::auth::Account);

/// The account behind the request: it takes a session, an API key is refused.
pub async fn account(context: &Context<'_>) -> Result<services::auth::Account> {
    let (services, actor) = caller(context)?;
    services.accounts().get(actor).await.map_err(to_graphql)
}

#[Object]
impl Account {
    /// The sessions that stand, the latest first.
    async fn sessions(&self, context: &Context<'_>) -> Result<Vec<Session>> {
        let sessions = caller(context)?.0.accounts().list_sessions(self.0.user_id).await.map_err(to_graphql)?;
        Ok(sessions.into_iter().map(|session| Session::new(session, &self.0)).collect())
    }

    /// Returns the security events of the account that its user should know of, the newest first.
    async fn security_events(&self, context: &Context<'_>) -> Result<Vec<SecurityEvent>> {
        let events = caller(context)?.0.accounts().security_events(self.0.user_id).await.map_err(to_graphql)?;
        Ok(events.into_iter().map(SecurityEvent::from).collect())
    }

    /// Returns the state of the second factor.
    async fn second_factor(&self, context: &Context<'_>) -> Result<SecondFactor> {
        let state = caller(context)?.0.second_factors().state(self.0.user_id).await.map_err(to_graphql)?;
        Ok(SecondFactor { enabled: state.enabled, recovery_codes: state.recovery_codes })
    }

    /// The accounts elsewhere that sign one in.
    async fn identities(&self, context: &Context<'_>) -> Result<Vec<Identity>> {
        let identities = caller(context)?.0.accounts().identities(self.0.user_id).await.map_err(to_graphql)?;
        Ok(identities.into_iter().map(Identity::from).collect())
    }
}

/// A sign-in on one device.
#[derive(SimpleObject)]
pub struct Session {
    /// Identity.
    id: ID,
    /// Sign-in method: `password`, `link`, or the name of a provider.
    method: Option<String>,
    /// The address it was last used from.
    address: Option<String>,
    /// User agent of the client.
    agent: Option<String>,
    /// Start time.
    created_at: DateTime<Utc>,
    /// Time of the last refresh.
    used_at: DateTime<Utc>,
    /// Time at which it ends even if it is used; null for one that lasts as long as it is used.
    ends_at: Option<DateTime<Utc>>,
    /// Marks the session that makes this request.
    current: bool,
}

impl Session {
    fn new(session: session::Session, account: &services::auth::Account) -> Self {
        let session::Session { id, method, address, agent, created_at, used_at, ends_at, .. } = session;
        let current = id == account.session_id;
        Self { id: id.to_string().into(), method, address, agent, created_at, used_at, ends_at, current }
    }
}

/// Something that happened to an account.
#[derive(SimpleObject)]
pub struct SecurityEvent {
    /// Identity.
    id: ID,
    /// Kind of the event.
    kind: SecurityEventKind,
    /// From where.
    address: Option<String>,
    /// User agent of the client.
    agent: Option<String>,
    /// Time of the event.
    created_at: DateTime<Utc>,
    /// Time at which the user acknowledged it.
    seen_at: Option<DateTime<Utc>>,
}

impl From<session::SecurityEvent> for SecurityEvent {
    fn from(event: session::SecurityEvent) -> Self {
        let session::SecurityEvent { id, kind, address, agent, created_at, seen_at, .. } = event;
        Self { id: id.to_string().into(), kind, address, agent, created_at, seen_at }
    }
}

/// Second factor: a code that is required at each sign-in with a password.
#[derive(SimpleObject)]
pub struct SecondFactor {
    /// Requires a code at each sign-in with a password.
    enabled: bool,
    /// Number of remaining recovery codes.
    recovery_codes: i64,
}

/// An account elsewhere that signs somebody in.
#[derive(SimpleObject)]
pub struct Identity {
    /// The provider's name.
    provider: String,
    /// The address there.
    email: String,
    /// Creation time.
    created_at: DateTime<Utc>,
    /// Time of the last use.
    used_at: DateTime<Utc>,
}

impl From<services::auth::Identity> for Identity {
    fn from(identity: services::auth::Identity) -> Self {
        let services::auth::Identity { provider, email, created_at, used_at, .. } = identity;
        Self { provider, email, created_at, used_at }
    }
}

/// An invitation of somebody who has an account already.
#[derive(SimpleObject)]
pub struct Invitation {
    /// Identity.
    id: ID,
    /// User who is invited.
    user: User,
    /// Their built-in role, once they accept; null when it is one that the team made.
    role: Option<Role>,
    /// The id of their role, when it is one that the team made.
    custom_role_id: Option<ID>,
    /// Expiry time.
    expires_at: DateTime<Utc>,
}

impl From<PendingInvitation> for Invitation {
    fn from(pending: PendingInvitation) -> Self {
        let PendingInvitation { invitation, user } = pending;
        Self {
            id: invitation.id.to_string().into(),
            user: user.into(),
            role: invitation.role.built_in(),
            custom_role_id: invitation.role.custom().map(|id| id.to_string().into()),
            expires_at: invitation.expires_at,
        }
    }
}
