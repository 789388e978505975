//! Answering an invitation to a team.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use services::{ServiceError, Services};

use super::LinkToken;
use crate::pages;
use crate::routes::input::{Client, Input, Visitor};
use crate::state::ApiState;

const TITLE: &str = "Invitation";

/// An answer.
#[derive(Deserialize)]
pub struct Reply {
    token: domain::secret::Secret,
    reply: Replied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Replied {
    Accept,
    Decline,
}

fn failed(error: ServiceError) -> Response {
    pages::failed(TITLE, error)
}

/// Renders the page of an invitation.
pub async fn page(State(services): State<Services>, Visitor(account): Visitor, Query(asked): Query<LinkToken>) -> Response {
    let shown = async {
        let question = services.invitations().question(&account, asked.token.expose()).await?;
        let email = services.user(account.user_id).await?.email;
        Ok::<_, ServiceError>(pages::invitation(asked.token.expose(), &question, &email))
    };
    shown.await.map_or_else(failed, IntoResponse::into_response)
}

/// Joins the team, or not.
pub async fn reply(State(state): State<ApiState>, client: Client, input: Input<Reply>) -> Response {
    const NOBODY: ServiceError =
        ServiceError::Unauthenticated("nobody is signed in in this browser: sign in and open the link again");
    let services = &state.machine.services;
    let replied = async {
        let account = client.account(services).await?.ok_or(NOBODY)?;
        Ok::<_, ServiceError>(match input.body.reply {
            Replied::Accept => {
                services.invitations().accept(&account, input.body.token.expose()).await?;
                pages::done("Welcome", "You are a member of the team now.")
            }
            Replied::Decline => {
                services.invitations().decline(&account, input.body.token.expose()).await?;
                pages::done("Declined", "You are not a member of the team.")
            }
        })
    };
    replied.await.map_or_else(failed, IntoResponse::into_response)
}
