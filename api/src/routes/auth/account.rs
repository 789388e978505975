//! The page of one's account.

use axum::extract::State;
use axum::response::Response;
use services::{ServiceError, Services};

use crate::pages::{self, AccountPage, Page};
use crate::problem::Problem;
use crate::routes::input::{Client, Visitor, without_session};
use crate::state::ApiState;

/// Renders the page of the user's own account.
pub async fn page(State(services): State<Services>, Visitor(account): Visitor) -> Result<Page, Problem> {
    let user = account.user_id;
    let shown = AccountPage {
        email: services.user(user).await?.email,
        session: account.session_id,
        sessions: services.accounts().list_sessions(user).await?,
        second_factor: services.second_factors().state(user).await?,
        identities: services.accounts().identities(user).await?.into_iter().map(|identity| identity.provider).collect(),
        events: services.accounts().security_events(user).await?,
        providers: services.providers().list(),
    };
    services.accounts().acknowledge_security_events(&account).await?;
    Ok(pages::account(&shown))
}

/// Ends all sessions of whoever is signed in.
pub async fn sign_out_everywhere(State(state): State<ApiState>, client: Client) -> Result<Response, Problem> {
    const NOBODY: ServiceError = ServiceError::Unauthenticated("nobody is signed in in this browser");
    let services = &state.machine.services;
    let account = client.account(services).await?.ok_or(NOBODY)?;
    services.accounts().sign_out_everywhere(&account).await?;
    let page = pages::done("Signed out", "All your sessions are ended, and all command lines are signed out.");
    Ok(without_session(&state.public, page))
}
