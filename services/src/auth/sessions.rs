//! Signing in and out. A session is a family of refresh tokens, each good for one use.

use chrono::Duration;
use domain::id::{SessionId, UserId};
use domain::secret::Secret;
use domain::time::now;
use store::Tx;

use super::{Tokens, passwords, random_token, token_hash};
use crate::{Result, ServiceError, Services};

const REFRESH_LIFETIME: Duration = Duration::days(30);
const LINK_LIFETIME: Duration = Duration::hours(24);

/// What somebody gets who signed in.
pub struct SignedIn {
    /// Good for [`Tokens::LIFETIME`].
    pub access_token: Secret,
    /// Good for one exchange at `/auth/refresh`, within 30 days.
    pub refresh_token: Secret,
    /// Lifetime of the access token, seconds.
    pub expires_in: i64,
}

/// Makes a one-time sign-in link's token within a transaction.
pub(crate) async fn signin_link(tx: &mut Tx, user: UserId) -> Result<Secret> {
    let token = random_token("");
    tx.signin_link_insert(&token_hash(token.expose()), user, now() + LINK_LIFETIME).await?;
    Ok(token)
}

impl Services {
    /// Signs in with address and password.
    pub async fn sign_in(&self, email: &str, password: Secret) -> Result<SignedIn> {
        let credentials = self.store().credentials_get(&email.trim().to_lowercase()).await?;
        let (user, hash) = credentials.map_or((None, None), |found| (Some(found.id), found.password_hash));
        match (user, passwords::verify(password, hash).await?) {
            (Some(user), true) => self.begin_session(user).await,
            _ => Err(ServiceError::Unauthenticated("address or password is wrong")),
        }
    }

    /// Signs in with a one-time link and sets the password to use from then on.
    pub async fn sign_in_with_link(&self, token: &str, password: Secret) -> Result<SignedIn> {
        passwords::check(&password)?;
        let hash = passwords::hash(password).await?;
        let mut tx = self.store().begin().await?;
        let user = tx.signin_link_use(&token_hash(token)).await?;
        let user = user.ok_or(ServiceError::Unauthenticated(
            "this sign-in link was used or has expired: `mikrocloud login --link` on the server's machine prints a new one",
        ))?;
        tx.user_set_password(user, &hash).await?;
        tx.commit().await?;
        self.begin_session(user).await
    }

    /// Exchanges a refresh token for the next one. One that was used before ends the whole session: somebody has a copy.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn> {
        const INVALID: ServiceError = ServiceError::Unauthenticated("the refresh token is not valid: sign in again");
        let hash = token_hash(token);
        let mut tx = self.store().begin().await?;
        let found = tx.refresh_token_get(&hash).await?.ok_or(INVALID)?;
        if found.revoked_at.is_some() || found.expires_at <= now() {
            return Err(INVALID);
        }
        if !tx.refresh_token_use(&hash).await? {
            tx.session_revoke(found.session_id).await?;
            let _rights = self.inner.recent.change();
            tx.commit().await?;
            tracing::warn!(session.id = %found.session_id, "a refresh token was used twice; its session is ended");
            return Err(ServiceError::Unauthenticated(
                "this refresh token was used before, so the session was ended: sign in again",
            ));
        }
        let signed_in = self.next_tokens(&mut tx, found.user_id, found.session_id).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Ends the session of a refresh token. Unknown tokens are no error: the caller wanted to be out, and is.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        let mut tx = self.store().begin().await?;
        if let Some(found) = tx.refresh_token_get(&token_hash(token)).await? {
            tx.session_revoke(found.session_id).await?;
            let _rights = self.inner.recent.change();
            tx.commit().await?;
        }
        Ok(())
    }

    async fn begin_session(&self, user: UserId) -> Result<SignedIn> {
        let session = SessionId::new();
        let mut tx = self.store().begin().await?;
        tx.session_insert(session, user).await?;
        let signed_in = self.next_tokens(&mut tx, user, session).await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    async fn next_tokens(&self, tx: &mut Tx, user: UserId, session: SessionId) -> Result<SignedIn> {
        let refresh_token = random_token("mcr_");
        tx.refresh_token_insert(&token_hash(refresh_token.expose()), session, now() + REFRESH_LIFETIME).await?;
        let access_token = self.inner.tokens.issue(user, session, now())?;
        Ok(SignedIn { access_token, refresh_token, expires_in: Tokens::LIFETIME.num_seconds() })
    }
}
