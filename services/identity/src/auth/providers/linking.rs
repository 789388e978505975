//! Linking an account of a provider with an account here. Both have the same address, which the provider has verified, and whose account
//! it is here says so: otherwise whoever takes over a mailbox, or a provider, would have all accounts.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::access::Origin;
use domain::id::UserId;
use domain::secret::Secret;
use domain::session::SecurityEventKind;
use serde::{Deserialize, Serialize};
use services_core::{Result, ServiceError};
use store::StoreError;

use super::ProviderClaims;
use super::federation::identity;
use crate::SignInProviders;
use crate::auth::account::{Account, tell_user};
use crate::auth::flows::Flow;
use crate::auth::sessions::SignedIn;

/// State of a pending question about linking two accounts.
#[derive(Serialize, Deserialize)]
pub(super) struct LinkAsked {
    pub provider: String,
    pub claims: ProviderClaims,
    pub user: UserId,
    pub next: String,
}

impl Flow for LinkAsked {
    const KIND: &'static str = "link-identity";
    const LIFETIME: TimeDelta = TimeDelta::minutes(15);
}

/// Question to the user before an account is linked with theirs.
pub struct LinkQuestion {
    /// The provider, for people.
    pub provider: String,
    /// The address of both accounts.
    pub email: String,
    /// Requires the password of the account here.
    pub needs_password: bool,
    /// Requires a code of its second factor.
    pub needs_code: bool,
}

const STALE: ServiceError = ServiceError::Unauthenticated("this took too long or was used: begin again");

impl SignInProviders {
    /// Returns the question, for a browser in which somebody may be signed in.
    pub async fn link_question(&self, token: &str, present: Option<&Account>) -> Result<LinkQuestion> {
        let asked: LinkAsked = self.sessions().flow(token).await?.ok_or(STALE)?;
        self.question(&asked, present).await
    }

    async fn question(&self, asked: &LinkAsked, present: Option<&Account>) -> Result<LinkQuestion> {
        let provider = self.configured_providers().find(&asked.provider)?.info.label.clone();
        let email = asked.claims.verified_email.clone().ok_or(STALE)?;
        if present.is_some_and(|account| account.user_id == asked.user) {
            return Ok(LinkQuestion { provider, email, needs_password: false, needs_code: false });
        }
        let has_password = self.accounts().password_hash(&email).await?.is_some();
        if !has_password && !self.store().identity_list(asked.user).await?.is_empty() {
            return Err(ServiceError::Unauthenticated(
                "your account here signs in with another provider: sign in with that one first, then link this one from your account",
            ));
        }
        // Without a password and without a provider nobody has been in yet: the invitation was for this address.
        let needs_code = has_password && self.second_factors().state(asked.user).await?.enabled;
        Ok(LinkQuestion { provider, email, needs_password: has_password, needs_code })
    }

    /// Links the accounts and signs in; where to go on.
    pub async fn link_identity(
        &self,
        token: &str,
        password: Option<Secret>,
        code: Option<&str>,
        present: Option<&Account>,
        origin: &Arc<Origin>,
    ) -> Result<(SignedIn, String)> {
        let asked: LinkAsked = self.sessions().flow(token).await?.ok_or(STALE)?;
        let question = self.question(&asked, present).await?;
        if question.needs_password {
            let password = password.unwrap_or_else(|| Secret::new(""));
            let user = self.sessions().check_credentials(&question.email, password, origin).await?;
            if user != asked.user {
                return Err(STALE);
            }
        }
        if question.needs_code {
            self.second_factors().check_code(asked.user, code.unwrap_or_default(), origin).await?;
        }
        let provider = self.configured_providers().find(&asked.provider)?;
        let mut tx = self.begin().await?;
        if !self.sessions().end_flow::<LinkAsked>(&mut tx, token).await? {
            return Err(STALE);
        }
        tx.identity_insert(&identity(&asked.provider, &asked.claims, asked.user)).await.map_err(|error| match error {
            StoreError::Exists => STALE,
            error => error.into(),
        })?;
        tx.signin_link_use_all(asked.user).await?;
        tell_user(&mut tx, asked.user, SecurityEventKind::IdentityLinked, origin).await?;
        tx.commit().await?;
        // Not in the same transaction: it locks one team after the other, and the logs of all of them are locked by now.
        let mut tx = self.begin().await?;
        self.follow_groups(&mut tx, provider, asked.user, &asked.claims.groups, origin).await?;
        tx.hold(self.actors().change());
        tx.commit().await?;
        Ok((self.sessions().open(asked.user, asked.provider.into(), provider.session, origin).await?, asked.next))
    }

    /// Takes back that an account of a provider signs in. One way to sign in has to stay.
    pub async fn unlink_identity(&self, account: &Account, provider: &str, password: Option<Secret>) -> Result<()> {
        self.accounts().confirm(account, password).await?;
        let user = self.store().user_get(account.user_id).await?.ok_or(ServiceError::NotFound("user"))?;
        let has_password = self.accounts().password_hash(&user.email).await?.is_some();
        let others = self.store().identity_list(user.id).await?.iter().any(|identity| identity.provider != provider);
        if !has_password && !others {
            let message = "it is the only way you can sign in: set a password first";
            return Err(ServiceError::invalid("provider", "LAST_SIGN_IN", message));
        }
        let mut tx = self.begin().await?;
        if !tx.identity_delete(user.id, provider).await? {
            return Err(ServiceError::NotFound("linked account"));
        }
        tell_user(&mut tx, user.id, SecurityEventKind::IdentityUnlinked, &account.origin).await?;
        Ok(tx.commit().await?)
    }
}
