//! Signing in and out. A session is a family of refresh tokens, each good for one use.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::Duration;
use domain::access::{Actor, Credential, Origin};
use domain::id::{SessionId, UserId};
use domain::secret::Secret;
use domain::session::{SecurityEventKind, Session};
use domain::time::{Timestamp, now};
use serde_json::json;
use services_core::audit::{Action, AuditEntry, AuditOutcome, record, record_about_user};
use services_core::{Result, ServiceError};
use store::Tx;

use super::account::tell_user;
use super::throttle::Guess;
use super::tokens::{LIFETIME, Signer};
use super::{passwords, random_token, token_hash};
use crate::Sessions;

const REFRESH_LIFETIME: Duration = Duration::days(30);
/// Step in which a refresh token that is in use is prolonged: one write a day, not one a page.
const PROLONGED_BY: Duration = Duration::days(1);
pub(crate) const LINK_LIFETIME: Duration = Duration::hours(24);

const WRONG: ServiceError = ServiceError::Unauthenticated("address or password is wrong");
const INVALID_REFRESH: ServiceError = ServiceError::Unauthenticated("the refresh token is not valid: sign in again");

/// Sign-in method of a session: `password`, `link`, or the name of a provider.
pub(super) type Method = Cow<'static, str>;

/// Result of a completed sign-in.
pub struct SignedIn {
    /// Good for `expires_in`.
    pub access_token: Secret,
    /// Good for one exchange at `/auth/refresh`, within 30 days.
    pub refresh_token: Secret,
    /// Lifetime of the access token, seconds.
    pub expires_in: i64,
}

/// An access token alone, for a browser whose cookie keeps the session.
pub struct Access {
    /// Good for `expires_in`.
    pub token: Secret,
    /// Lifetime of the access token, seconds.
    pub expires_in: i64,
}

/// Progress of a sign-in.
pub enum SignIn {
    /// To the end.
    Done(SignedIn),
    /// A code is asked for: the token with which it goes on.
    SecondFactor(Secret),
}

/// Makes a one-time sign-in link's token within a transaction.
pub(crate) async fn signin_link(tx: &mut Tx, user: UserId) -> Result<Secret> {
    let token = random_token("");
    tx.signin_link_insert(&token_hash(token.expose()), user, now() + LINK_LIFETIME).await?;
    Ok(token)
}

impl Sessions {
    /// Signs in with address and password.
    pub async fn sign_in(&self, email: &str, password: Secret, origin: &Origin) -> Result<SignIn> {
        let user = self.check_credentials(email, password, origin).await?;
        self.go_on(user, "password".into(), origin).await
    }

    /// The user of address and password.
    pub(super) async fn check_credentials(&self, email: &str, password: Secret, origin: &Origin) -> Result<UserId> {
        let email = email.trim().to_lowercase();
        let credentials = self.store().credentials_get(&email).await?;
        let (user, hash) = credentials.map_or((None, None), |found| (Some(found.id), found.password_hash));
        let guess = Guess::Password(&email);
        self.guess(guess, user, origin).await?;
        match (user, passwords::verify(password, hash).await?) {
            (Some(user), true) => {
                self.guessed(guess).await?;
                Ok(user)
            }
            _ => Err(WRONG),
        }
    }

    /// Signs in with a one-time link and sets the password to use from then on. Whoever was signed in before is signed out.
    pub async fn sign_in_with_link(&self, token: &str, password: Secret, origin: &Origin) -> Result<SignIn> {
        const USED: ServiceError = ServiceError::Unauthenticated(
            "this sign-in link was used or has expired: `mikrocloud login --link` on the server's machine prints a new one",
        );
        let user = self.store().signin_link_user(&token_hash(token), now()).await?.ok_or(USED)?;
        let user = self.store().user_get(user).await?;
        let hash = self.new_password(password, user.as_ref()).await?;
        let mut tx = self.begin().await?;
        let user = tx.signin_link_use(&token_hash(token)).await?.ok_or(USED)?;
        if let Some(maker) = tx.signin_link_maker(&token_hash(token)).await? {
            crate::members::check_link_maker(&mut tx, user, &maker).await?;
        }
        tx.signin_link_use_all(user).await?;
        tx.user_set_password(user, &hash).await?;
        tx.session_revoke_all(user, None).await?;
        tell_user(&mut tx, user, SecurityEventKind::PasswordChanged, origin).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        self.go_on(user, "link".into(), origin).await
    }

    /// Goes on with a sign-in of a user whose first factor was right.
    async fn go_on(&self, user: UserId, method: Method, origin: &Origin) -> Result<SignIn> {
        match self.second_factors().ask(user, method.clone()).await? {
            Some(token) => Ok(SignIn::SecondFactor(token)),
            None => self.open(user, method, None, origin).await.map(SignIn::Done),
        }
    }

    /// Exchanges a refresh token for the next one. One that was used before ends the whole session: somebody has a copy.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<SignedIn> {
        let signer = self.tokens().signer().await?;
        let hash = token_hash(token);
        let mut tx = self.begin().await?;
        let found = tx.refresh_token_get(&hash).await?.ok_or(INVALID_REFRESH)?;
        if found.revoked_at.is_some() || found.expires_at <= now() || found.ends_at.is_some_and(|at| at <= now()) {
            return Err(INVALID_REFRESH);
        }
        if !tx.refresh_token_use(&hash).await? {
            if tx.session_revoke(found.session_id).await? {
                tell_user(&mut tx, found.user_id, SecurityEventKind::TokenReused, origin).await?;
            }
            tx.hold(self.actors().change());
            tx.commit().await?;
            tracing::warn!(session.id = %found.session_id, "a refresh token was used twice; its session is ended");
            return Err(ServiceError::Unauthenticated(
                "this refresh token was used before, so the session was ended: sign in again",
            ));
        }
        tx.session_touch(found.session_id, &origin.address.to_string()).await?;
        let signed_in = next_tokens(&mut tx, &signer, (found.user_id, found.session_id, found.ends_at)).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// An access token for pages of a browser that shows its refresh token; `None` when nobody is signed in there. The refresh token is
    /// not used up: several tabs, and a page that is loaded again before the answer came, show the same one. As long as they do, it
    /// stands, at most until the session has to end.
    pub async fn access(&self, refresh_token: &str, origin: &Arc<Origin>) -> Result<Option<Access>> {
        let Some(account) = self.accounts().of_cookie(refresh_token, Arc::clone(origin)).await? else { return Ok(None) };
        let lasting = now() + REFRESH_LIFETIME;
        let until = account.until.map_or(lasting, |ends_at| ends_at.min(lasting));
        self.store().refresh_token_prolong(&token_hash(refresh_token), until, until - PROLONGED_BY).await?;
        let token = self.tokens().signer().await?.issue(account.user_id, account.session_id, now())?;
        Ok(Some(Access { token, expires_in: LIFETIME.num_seconds() }))
    }

    /// Ends the session of a refresh token. Unknown tokens are no error: the caller wanted to be out, and is.
    pub async fn sign_out(&self, token: &str, origin: &Origin) -> Result<()> {
        let mut tx = self.begin().await?;
        if let Some(found) = tx.refresh_token_get(&token_hash(token)).await? {
            if tx.session_revoke(found.session_id).await? {
                let change = AuditEntry::new(Action::SignOut).on("session", found.session_id);
                record_about_user(&mut tx, found.user_id, Some(origin), &change, AuditOutcome::Done).await?;
            }
            tx.hold(self.actors().change());
            tx.commit().await?;
        }
        Ok(())
    }

    /// Signs out what was shown: ends the session of an access token, and revokes the key of a command line that signed in. Other keys
    /// stay: they may be in use elsewhere.
    pub async fn sign_out_credential(&self, actor: &Actor) -> Result<()> {
        let mut tx = self.begin().await?;
        match actor.credential {
            Credential::Session(session) => {
                if tx.session_revoke(session).await? {
                    let change = AuditEntry::new(Action::SignOut).on("session", session);
                    record_about_user(&mut tx, actor.user_id, actor.origin.as_deref(), &change, AuditOutcome::Done).await?;
                }
            }
            Credential::ApiKey(key) => {
                if tx.api_key_revoke_login(actor.team_id, key).await? {
                    record(&mut tx, actor, AuditEntry::new(Action::ApiKeyRevoke).on("api_key", key)).await?;
                }
            }
            Credential::Schedule(_) | Credential::GitConnection(_) => {}
        }
        tx.hold(self.actors().change());
        Ok(tx.commit().await?)
    }

    /// Begins a session, which ends after `lasts` however much it is used.
    pub(super) async fn open(
        &self,
        user_id: UserId,
        method: Method,
        lasts: Option<Duration>,
        origin: &Origin,
    ) -> Result<SignedIn> {
        let signer = self.tokens().signer().await?;
        let (id, created_at) = (SessionId::new(), now());
        let session = Session {
            id,
            user_id,
            method: Some(method.into_owned()),
            address: Some(origin.address.to_string()),
            agent: origin.agent.clone(),
            created_at,
            used_at: created_at,
            ends_at: lasts.map(|lasts| created_at + lasts),
        };
        let mut tx = self.begin().await?;
        tx.session_insert(&session).await?;
        let signed_in = next_tokens(&mut tx, &signer, (user_id, id, session.ends_at)).await?;
        let change = AuditEntry::new(Action::SignIn).on("session", id).after(json!({"by": session.method}));
        record_about_user(&mut tx, user_id, Some(origin), &change, AuditOutcome::Done).await?;
        tx.commit().await?;
        Ok(signed_in)
    }
}

/// The tokens with which a session goes on: whose it is, which, and when it ends however much it is used.
async fn next_tokens(
    tx: &mut Tx,
    signer: &Signer,
    (user, session, ends_at): (UserId, SessionId, Option<Timestamp>),
) -> Result<SignedIn> {
    let refresh_token = random_token("mcr_");
    let lasting = now() + REFRESH_LIFETIME;
    let until = ends_at.map_or(lasting, |ends_at| ends_at.min(lasting));
    tx.refresh_token_insert(&token_hash(refresh_token.expose()), session, until).await?;
    let access_token = signer.issue(user, session, now())?;
    Ok(SignedIn { access_token, refresh_token, expires_in: LIFETIME.num_seconds() })
}
