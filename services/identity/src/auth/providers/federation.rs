//! Signing in with a provider: a browser is sent there, and comes back with a proof.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::access::{Origin, RoleRef};
use domain::id::{TeamId, UserId};
use domain::secret::Secret;
use domain::team::{Membership, User};
use domain::time::now;
use serde::{Deserialize, Serialize};
use serde_json::json;
use services_core::access::is_service_account;
use services_core::audit::{Action, AuditEntry, record_in_team};
use services_core::{Result, ServiceError};
use store::{Identity, StoreError, Tx};
use url::Url;

use super::linking::LinkAsked;
use super::{Arrival, Departure, Provider, ProviderClaims, ProviderInfo};
use crate::SignInProviders;
use crate::auth::account::Account;
use crate::auth::flows::Flow;
use crate::auth::sessions::SignedIn;
use crate::auth::{random_token, token_hash};

/// A browser that was sent to a provider. It goes on only in the same browser: a link that somebody else began signs nobody in.
#[derive(Serialize, Deserialize)]
struct Away {
    provider: String,
    nonce: String,
    verifier: String,
    browser: String,
    next: String,
}

impl Flow for Away {
    const KIND: &'static str = "provider";
    const LIFETIME: TimeDelta = TimeDelta::minutes(15);
}

/// Redirect of a browser to a provider.
pub struct Leaving {
    /// The provider's address.
    pub to: Url,
    /// Secret that the browser has to present when it returns.
    pub browser: Secret,
}

/// Outcome of a sign-in with a provider.
pub enum Federated {
    /// Signed in; where to go on.
    Done(SignedIn, String),
    /// There is an account with this address: whether the two are linked is its owner's to say. The token of the question.
    Link(Secret),
}

impl SignInProviders {
    /// The providers there are.
    pub fn list(&self) -> Vec<ProviderInfo> {
        self.configured_providers().list()
    }

    /// Sends a browser to a provider; `redirect` is where it comes back to and `next` where it goes on then.
    pub async fn leave_for(&self, name: &str, redirect: &Url, next: &str) -> Result<Leaving> {
        let provider = self.configured_providers().find(name)?;
        let [nonce, verifier, browser] = std::array::from_fn(|_| random_token(""));
        let departure = Departure { nonce: nonce.expose().to_owned(), verifier: verifier.expose().to_owned() };
        let state = self
            .sessions()
            .begin_flow(&Away {
                provider: name.to_owned(),
                nonce: departure.nonce.clone(),
                verifier: departure.verifier.clone(),
                browser: token_hash(browser.expose()),
                next: next.to_owned(),
            })
            .await?;
        let to = provider.authorize(redirect, state.expose(), &departure).await?;
        Ok(Leaving { to, browser })
    }

    /// Takes a browser back from a provider: `state`, `code` and `issuer` are what it came with, `browser` what it was given.
    pub async fn return_from(&self, name: &str, back: Returned<'_>, present: Option<&Account>) -> Result<Federated> {
        const STALE: ServiceError =
            ServiceError::Unauthenticated("this sign-in was begun in another browser, took too long, or was used: begin again");
        let provider = self.configured_providers().find(name)?;
        let away: Away = self.sessions().flow(back.state).await?.ok_or(STALE)?;
        let browser = back.browser.map(|browser| Secret::new(token_hash(browser.expose())));
        if away.provider != name || browser.is_none_or(|browser| !browser.equals(away.browser.as_bytes())) {
            return Err(STALE);
        }
        if let (Some(named), Some(expected)) = (back.issuer, provider.issuer())
            && named != expected
        {
            return Err(ServiceError::Unauthenticated("the answer is another provider's: begin again"));
        }
        let mut tx = self.begin().await?;
        if !self.sessions().end_flow::<Away>(&mut tx, back.state).await? {
            return Err(STALE);
        }
        tx.commit().await?;
        let departure = Departure { nonce: away.nonce, verifier: away.verifier };
        let arrival = Arrival { code: back.code, redirect: back.redirect, departure: &departure };
        let claims = provider.claims(&arrival).await?;
        self.sign_in_as(provider, claims, away.next, present, back.origin).await
    }

    async fn sign_in_as(
        &self,
        provider: &Provider,
        claims: ProviderClaims,
        next: String,
        present: Option<&Account>,
        origin: &Arc<Origin>,
    ) -> Result<Federated> {
        let name = &provider.info.name;
        let mut tx = self.begin().await?;
        if let Some(user) = tx.identity_user(name, &claims.subject).await? {
            let email = claims.verified_email.as_deref().unwrap_or_default();
            tx.identity_touch(name, &claims.subject, email).await?;
            self.follow_groups(&mut tx, provider, user, &claims.groups, origin).await?;
            tx.hold(self.actors().change());
            tx.commit().await?;
            return Ok(Federated::Done(self.sessions().open(user, name.clone().into(), provider.session, origin).await?, next));
        }
        drop(tx);
        let email = claims.verified_email.clone().ok_or(ServiceError::Unauthenticated(
            "the provider does not say that your e-mail address is verified: verify it there and begin again",
        ))?;
        if !provider.takes(&email) || is_service_account(&email) {
            return Err(ServiceError::Unauthenticated("addresses such as yours cannot sign in here with this provider"));
        }
        if let Some(account) = self.store().credentials_get(&email).await? {
            let asked = LinkAsked { provider: name.clone(), claims, user: account.id, next };
            return Ok(Federated::Link(self.sessions().begin_flow(&asked).await?));
        }
        if present.is_some() {
            return Err(ServiceError::Unauthenticated(
                "the address at the provider is not that of your account: only an account with the same address can be linked",
            ));
        }
        let user = self.create_user_of(provider, &claims, &email, origin).await?;
        Ok(Federated::Done(self.sessions().open(user, name.clone().into(), provider.session, origin).await?, next))
    }

    /// Makes the account of somebody whom the operator lets in by a group.
    async fn create_user_of(&self, provider: &Provider, claims: &ProviderClaims, email: &str, origin: &Origin) -> Result<UserId> {
        if provider.mapped(&claims.groups).is_empty() {
            return Err(ServiceError::Unauthenticated("nobody has invited this address: ask an owner or admin of your team"));
        }
        let name = claims.name.as_deref().unwrap_or(email);
        let name = name.chars().filter(|c| !c.is_control()).take(100).collect();
        let user = User { id: UserId::new(), email: email.to_owned(), name, created_at: now() };
        let mut tx = self.begin().await?;
        tx.user_insert(&user).await.map_err(|error| match error {
            StoreError::Exists => {
                ServiceError::Unavailable("somebody signs in with this address at this moment: try again".to_owned())
            }
            error => error.into(),
        })?;
        tx.identity_insert(&identity(&provider.info.name, claims, user.id)).await?;
        self.follow_groups(&mut tx, provider, user.id, &claims.groups, origin).await?;
        if tx.membership_count(user.id).await? == 0 {
            return Err(ServiceError::Unauthenticated("the team of your group is gone: ask whoever runs this MikroCloud"));
        }
        tx.commit().await?;
        Ok(user.id)
    }

    /// Makes a user a member where their groups say so, and no longer where they do not. What people gave stays.
    pub(super) async fn follow_groups(
        &self,
        tx: &mut Tx,
        provider: &Provider,
        user: UserId,
        groups: &[String],
        origin: &Origin,
    ) -> Result<()> {
        let name = &provider.info.name;
        let wanted = provider.mapped(groups);
        let present = tx.membership_by_provider(user, name).await?;
        // In one order, so that two sign-ins at once do not wait for each other.
        let mut teams: Vec<TeamId> = wanted.iter().map(|(team, _)| *team).chain(present.iter().copied()).collect();
        teams.sort();
        teams.dedup();
        for team in teams {
            if !tx.team_lock(team).await? {
                tracing::warn!(team.id = %team, provider = name, "a group is mapped to a team that does not exist");
                continue;
            }
            let role = wanted.iter().find(|(wanted, _)| *wanted == team).map(|(_, role)| *role);
            let standing = tx.standing_find(team, user).await?;
            let is_here = standing.is_some();
            let role_here = standing.map(|standing| standing.rights.role);
            let action = match (role, present.contains(&team)) {
                (Some(role), true) if role_here == Some(RoleRef::BuiltIn(role)) => continue,
                (Some(_), true) => Action::MemberSetRole,
                (Some(_), false) if !is_here => Action::MemberAdd,
                (None, true) => Action::MemberRemove,
                (_, false) => continue,
            };
            if let Some(role) = role {
                tx.membership_put(&Membership { team_id: team, user_id: user, role: RoleRef::BuiltIn(role) }).await?;
                tx.membership_of_provider(team, user, name).await?;
            } else {
                tx.membership_delete(team, user).await?;
            }
            let change = AuditEntry::new(action).on("member", user).detail("provider", name.as_str());
            let change = match role {
                Some(role) => change.after(json!({"role": role.name()})),
                None => change,
            };
            record_in_team(tx, team, user, origin, change).await?;
        }
        Ok(())
    }
}

/// Parameters with which a browser returned.
pub struct Returned<'a> {
    /// The state it was sent away with.
    pub state: &'a str,
    /// The provider's code.
    pub code: &'a str,
    /// The issuer that the provider names, if it does.
    pub issuer: Option<&'a str>,
    /// Secret that the browser was given.
    pub browser: Option<&'a Secret>,
    /// Address to which it returned.
    pub redirect: &'a Url,
    /// Origin of the request.
    pub origin: &'a Arc<Origin>,
}

/// An account of a provider as it is kept.
pub(super) fn identity(provider: &str, claims: &ProviderClaims, user_id: UserId) -> Identity {
    let at = now();
    Identity {
        provider: provider.to_owned(),
        subject: claims.subject.clone(),
        user_id,
        email: claims.verified_email.clone().unwrap_or_default(),
        created_at: at,
        used_at: at,
    }
}
