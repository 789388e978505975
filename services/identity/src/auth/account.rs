//! Use cases of one's own account. They require a session: the finder of an API key must not take over the account with it.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::access::{Actor, Credential, Origin};
use domain::id::{SecurityEventId, SessionId, UserId};
use domain::secret::Secret;
use domain::session::{SecurityEvent, SecurityEventKind, Session};
use domain::team::Team;
use domain::time::{Timestamp, now};
use services_core::audit::{Action, AuditEntry, AuditOutcome, record_about_user};
use services_core::outbox::notify_by_mail;
use services_core::unit_of_work::UnitOfWork;
use services_core::{Result, ServiceError};
use store::Identity;

use super::throttle::Guess;
use super::{passwords, token_hash};
use crate::Accounts;

const SESSION_NEEDED: ServiceError =
    ServiceError::Forbidden("this takes a session of your own: sign in with your password or a provider; API keys cannot do it");
/// Time after a sign-in in which users without a password are not asked to sign in again.
const JUST_NOW: TimeDelta = TimeDelta::minutes(10);
/// Number of security events in a list.
const EVENTS: i64 = 50;

/// Somebody in a session of their own.
#[derive(Debug, Clone)]
pub struct Account {
    /// User whose account it is.
    pub user_id: UserId,
    /// Session in which they act.
    pub session_id: SessionId,
    /// Time at which the session began.
    pub since: Timestamp,
    /// Time at which the session ends even if it is used.
    pub until: Option<Timestamp>,
    /// Origin of the request.
    pub origin: Arc<Origin>,
}

impl Account {
    fn of(session: &Session, origin: Arc<Origin>) -> Self {
        let Session { id, user_id, created_at, ends_at, .. } = *session;
        Self { user_id, session_id: id, since: created_at, until: ends_at, origin }
    }
}

impl Accounts {
    /// The account of an actor who is in a session.
    pub async fn get(&self, actor: &Actor) -> Result<Account> {
        let Credential::Session(session) = actor.credential else { return Err(SESSION_NEEDED) };
        let session = self.store().session_get(session).await?.ok_or(SESSION_NEEDED)?;
        let origin = actor.origin.clone().ok_or(SESSION_NEEDED)?;
        Ok(Account::of(&session, origin))
    }

    /// The account of a browser that shows its refresh token, which is not used up by that.
    pub async fn of_cookie(&self, refresh_token: &str, origin: Arc<Origin>) -> Result<Option<Account>> {
        let found = self.store().refresh_token_look_up(&token_hash(refresh_token)).await?;
        let stands = found.filter(|found| found.revoked_at.is_none() && found.used_at.is_none() && found.expires_at > now());
        let Some(found) = stands else { return Ok(None) };
        let session = self.store().session_get(found.session_id).await?;
        Ok(session.map(|session| Account::of(&session, origin)))
    }

    /// Returns the stored hash of the password of the account with this address, if it has one.
    pub(super) async fn password_hash(&self, email: &str) -> Result<Option<String>> {
        Ok(self.store().credentials_get(email).await?.and_then(|credentials| credentials.password_hash))
    }

    /// Whoever takes an open browser over must not lock its owner out: the password is asked for again, and of who has none, a recent
    /// sign-in.
    pub(super) async fn confirm(&self, account: &Account, password: Option<Secret>) -> Result<()> {
        let user = self.store().user_get(account.user_id).await?.ok_or(ServiceError::NotFound("user"))?;
        let known = self.password_hash(&user.email).await?;
        if known.is_none() {
            if now() - account.since < JUST_NOW {
                return Ok(());
            }
            return Err(ServiceError::invalid("password", "SIGN_IN_AGAIN", "sign in again first: this takes a recent sign-in"));
        }
        let Some(password) = password else {
            return Err(ServiceError::invalid("password", "PASSWORD_NEEDED", "give your present password"));
        };
        let guess = Guess::Password(&user.email);
        self.sessions().guess(guess, Some(user.id), &account.origin).await?;
        if !passwords::verify(password, known).await? {
            return Err(ServiceError::invalid("password", "WRONG_PASSWORD", "this is not your present password"));
        }
        self.sessions().guessed(guess).await
    }

    /// Sets another password and ends all other sessions.
    pub async fn change_password(&self, account: &Account, present: Option<Secret>, new: Secret) -> Result<()> {
        self.confirm(account, present).await?;
        let user = self.store().user_get(account.user_id).await?;
        let hash = self.sessions().new_password(new, user.as_ref()).await?;
        let mut tx = self.begin().await?;
        tx.user_set_password(account.user_id, &hash).await?;
        tx.signin_link_use_all(account.user_id).await?;
        tx.session_revoke_all(account.user_id, Some(account.session_id)).await?;
        tell_user(&mut tx, account.user_id, SecurityEventKind::PasswordChanged, &account.origin).await?;
        tx.hold(self.actors().change());
        Ok(tx.commit().await?)
    }

    /// The sessions of a user that stand, the latest first.
    pub async fn list_sessions(&self, user: UserId) -> Result<Vec<Session>> {
        Ok(self.store().session_list(user, now()).await?)
    }

    /// Ends one of the sessions.
    pub async fn revoke_session(&self, account: &Account, id: SessionId) -> Result<()> {
        if !self.list_sessions(account.user_id).await?.iter().any(|session| session.id == id) {
            return Err(ServiceError::NotFound("session"));
        }
        let mut tx = self.begin().await?;
        tx.session_revoke(id).await?;
        let change = AuditEntry::new(Action::SessionRevoke).on("session", id);
        record_about_user(&mut tx, account.user_id, Some(&account.origin), &change, AuditOutcome::Done).await?;
        tx.hold(self.actors().change());
        Ok(tx.commit().await?)
    }

    /// Ends all sessions, this one too, and revokes the keys of all command lines that signed in.
    pub async fn sign_out_everywhere(&self, account: &Account) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.session_revoke_all(account.user_id, None).await?;
        tx.api_key_revoke_logins(account.user_id).await?;
        tx.device_forget(account.user_id).await?;
        tell_user(&mut tx, account.user_id, SecurityEventKind::SignedOutEverywhere, &account.origin).await?;
        tx.hold(self.actors().change());
        Ok(tx.commit().await?)
    }

    /// The accounts elsewhere that sign a user in.
    pub async fn identities(&self, user: UserId) -> Result<Vec<Identity>> {
        Ok(self.store().identity_list(user).await?)
    }

    /// The latest of what happened to a user's account, the newest first.
    pub async fn security_events(&self, user: UserId) -> Result<Vec<SecurityEvent>> {
        Ok(self.store().security_event_list(user, EVENTS).await?)
    }

    /// The teams that somebody is in, oldest first.
    pub async fn teams_of(&self, account: &Account) -> Result<Vec<Team>> {
        Ok(self.store().user_team_list(account.user_id).await?)
    }

    /// Notes that the user has seen the security events.
    pub async fn acknowledge_security_events(&self, account: &Account) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.security_events_seen(account.user_id).await?;
        Ok(tx.commit().await?)
    }
}

/// Tells a user what happened to their account, and the audit log of each of their teams. To be called last before the commit.
pub(super) async fn tell_user(tx: &mut UnitOfWork, user_id: UserId, kind: SecurityEventKind, origin: &Origin) -> Result<()> {
    let id = SecurityEventId::new();
    let (address, agent) = (Some(origin.address.to_string()), origin.agent.clone());
    let event = SecurityEvent { id, user_id, kind, address, agent, created_at: now(), seen_at: None };
    tx.security_event_insert(&event).await?;
    notify_by_mail(tx, user_id, &event).await?;
    let (action, outcome) = match kind {
        SecurityEventKind::TokenReused => (Action::TokenReuse, AuditOutcome::Done),
        SecurityEventKind::PasswordChanged => (Action::PasswordChange, AuditOutcome::Done),
        SecurityEventKind::SecondFactorEnabled => (Action::SecondFactorEnable, AuditOutcome::Done),
        SecurityEventKind::SecondFactorDisabled => (Action::SecondFactorDisable, AuditOutcome::Done),
        SecurityEventKind::RecoveryCodeUsed => (Action::RecoveryCodeUse, AuditOutcome::Done),
        SecurityEventKind::IdentityLinked => (Action::IdentityLink, AuditOutcome::Done),
        SecurityEventKind::IdentityUnlinked => (Action::IdentityUnlink, AuditOutcome::Done),
        SecurityEventKind::SignedOutEverywhere => (Action::SignOutEverywhere, AuditOutcome::Done),
        SecurityEventKind::AttemptsThrottled => (Action::SignInThrottle, AuditOutcome::Denied),
        SecurityEventKind::DeviceApproved => (Action::DeviceApprove, AuditOutcome::Done),
    };
    record_about_user(tx, user_id, Some(origin), &AuditEntry::new(action).on("user", user_id), outcome).await
}
