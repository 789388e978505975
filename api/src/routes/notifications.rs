//! The pages on which a team sees what it was told of, and sends it once more.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::WithRejection;
use chrono::TimeDelta;
use domain::id::{ChannelId, DeliveryId, TeamId};
use domain::notification::DeliveryState;
use domain::time::now;
use serde::Deserialize;
use services::{DeliveryFilter, ServiceError, Services};

use super::input::{Address, Input, Member, Visitor};
use crate::pages;
use crate::pages::notifications as page;
use crate::pages::notifications::{ChannelPage, DeliveryPage, Replayed};

/// Number of deliveries on a page.
const AT_ONCE: i64 = 50;

/// Selection of the channel's deliveries to display.
#[derive(Deserialize)]
pub struct Shown {
    state: Option<DeliveryState>,
    after: Option<DeliveryId>,
    /// Number of deliveries that were just resent.
    replayed: Option<u32>,
    #[serde(default)]
    more: bool,
}

/// Of how long ago all is sent once more that failed.
#[derive(Deserialize)]
pub struct Span {
    hours: u32,
}

type ChannelPath = Address<Path<(TeamId, ChannelId)>>;
type DeliveryPath = Address<Path<(TeamId, ChannelId, DeliveryId)>>;

/// Renders the result as a page, or redirects to the next address. Errors are rendered as a page, too.
async fn answer<A: IntoResponse>(work: impl Future<Output = services::Result<A>>) -> Response {
    work.await.map_or_else(|error| pages::failed("Notifications", error), IntoResponse::into_response)
}

/// Renders the selection of a team; skipped for users who are in only one.
pub async fn teams(State(services): State<Services>, Visitor(account): Visitor) -> Response {
    answer(async {
        let teams = services.accounts().teams_of(&account).await?;
        Ok(match &*teams {
            [team] => Redirect::to(&page::of_team(team.id)).into_response(),
            teams => page::teams(teams).into_response(),
        })
    })
    .await
}

/// The channels of a team.
pub async fn channels(State(services): State<Services>, Member(actor): Member) -> Response {
    answer(async {
        let channels = services.channels().list(&actor, None).await?;
        let projects: Vec<_> = channels.iter().filter_map(|channel| channel.project_id).collect();
        let projects = if projects.is_empty() { Vec::new() } else { services.projects().get_many(&actor, &projects).await? };
        Ok(page::channels(&channels, &projects))
    })
    .await
}

/// A channel with what was sent to it.
pub async fn channel(
    State(services): State<Services>,
    Member(actor): Member,
    WithRejection(Path((_, id)), _): ChannelPath,
    WithRejection(Query(Shown { state, after, replayed, more }), _): Address<Query<Shown>>,
) -> Response {
    answer(async {
        let channel = services.channels().get(&actor, id).await?;
        let filter = DeliveryFilter { state, since: None };
        let deliveries = services.deliveries().list(&actor, id, filter, after, AT_ONCE).await?;
        let replayed = replayed.map(|count| Replayed { count, has_more: more });
        Ok(page::channel(&ChannelPage { channel, deliveries, state, replayed }))
    })
    .await
}

/// Enables a channel that is disabled.
pub async fn enable(
    State(services): State<Services>,
    Member(actor): Member,
    WithRejection(Path((_, id)), _): ChannelPath,
) -> Response {
    answer(async {
        services.channels().enable(&actor, id, true).await?;
        Ok(Redirect::to(&page::of_channel(actor.team_id, id)))
    })
    .await
}

/// Sends all of a channel once more that failed lately.
pub async fn replay_failed(
    State(services): State<Services>,
    Member(actor): Member,
    WithRejection(Path((_, id)), _): ChannelPath,
    input: Input<Span>,
) -> Response {
    answer(async {
        let hours = input.body.hours;
        if !page::SPANS.iter().any(|(offered, _)| *offered == hours) {
            return Err(ServiceError::invalid("hours", "OUT_OF_RANGE", "choose one of the times that the page offers"));
        }
        let done = services.deliveries().replay_failed(&actor, id, now() - TimeDelta::hours(hours.into())).await?;
        let path = page::of_channel(actor.team_id, id);
        Ok(Redirect::to(&format!("{path}?replayed={}&more={}", done.count, done.has_more)))
    })
    .await
}

/// A delivery with each attempt at it.
pub async fn delivery(
    State(services): State<Services>,
    Member(actor): Member,
    WithRejection(Path((_, id, delivery)), _): DeliveryPath,
) -> Response {
    answer(async {
        let (channel, delivery, attempts) = services.deliveries().delivery_of(&actor, id, delivery).await?;
        Ok(page::delivery(&DeliveryPage { channel, delivery, attempts }))
    })
    .await
}

/// Sends a delivery once more.
pub async fn replay(
    State(services): State<Services>,
    Member(actor): Member,
    WithRejection(Path((_, _, id)), _): DeliveryPath,
) -> Response {
    answer(async { Ok(Redirect::to(&page::of_delivery(&services.deliveries().replay(&actor, id).await?))) }).await
}
