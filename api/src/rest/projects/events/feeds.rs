//! Feeds of a deployment that end with it.

use domain::access::Actor;
use domain::deployment::{Deployment, DeploymentStatus};
use domain::event::{DeploymentEvent, LogLine};
use futures::stream::{self, BoxStream, StreamExt};
use services::{Feed, Result, Services};

/// Number of lines that are read at once.
const BATCH: i64 = 500;

/// Returns true if a deployment's status is final. A live deployment may be superseded, and its processes may write logs.
pub(in crate::rest) fn has_ended(status: DeploymentStatus) -> bool {
    matches!(status, DeploymentStatus::Superseded | DeploymentStatus::Failed | DeploymentStatus::Cancelled)
}

/// The events of a deployment with numbers above `after`, up to its last.
pub(in crate::rest) async fn events_until_end(
    services: &Services,
    actor: &Actor,
    deployment: &Deployment,
    after: i64,
) -> Result<Feed<DeploymentEvent>> {
    let known = deployment.event_count;
    if has_ended(deployment.status) && known <= after {
        return Ok(stream::empty().boxed());
    }
    let feed = services.feeds().deployment_events(actor, deployment.id, after).await?;
    // Those that are there already come first, also behind the one that tells of the end.
    let is_last = move |event: &DeploymentEvent| has_ended(event.status) && event.number >= known;
    let events = stream::unfold(Some(feed), move |feed| async move {
        let mut feed = feed?;
        let row = feed.next().await?;
        let ended = row.as_ref().is_ok_and(is_last);
        Some((row, (!ended).then_some(feed)))
    });
    Ok(events.boxed())
}

/// Signal received by a feed of lines.
enum Heard {
    Line(Result<LogLine>),
    Ended,
}

/// Progress of a feed of lines.
enum Lines {
    /// The deployment goes on.
    Following(BoxStream<'static, Heard>, i64),
    /// It has ended: what is left is read.
    Draining(i64),
    Over,
}

/// The log lines of a deployment with numbers above `after`, up to its last.
pub(in crate::rest) async fn lines_until_end(
    services: &Services,
    actor: &Actor,
    deployment: Deployment,
    after: i64,
) -> Result<Feed<LogLine>> {
    let begin = if has_ended(deployment.status) {
        Lines::Draining(after)
    } else {
        let lines = services.feeds().deployment_logs(actor, deployment.id, after).await?.map(Heard::Line);
        let events = services.feeds().deployment_events(actor, deployment.id, deployment.event_count).await?;
        // What becomes of the credential, the other feed says.
        let ended = |event: &Result<DeploymentEvent>| event.as_ref().is_ok_and(|event| has_ended(event.status));
        let end = events.filter(move |event| futures::future::ready(ended(event))).map(|_| Heard::Ended);
        Lines::Following(stream::select(lines, end).boxed(), after)
    };
    let (services, actor) = (services.clone(), actor.clone());
    let batches = stream::unfold(begin, move |state| {
        let (services, actor, deployment) = (services.clone(), actor.clone(), deployment.clone());
        async move { next(&services, &actor, &deployment, state).await }
    });
    Ok(batches.flat_map(stream::iter).boxed())
}

async fn next(services: &Services, actor: &Actor, of: &Deployment, state: Lines) -> Option<(Vec<Result<LogLine>>, Lines)> {
    match state {
        Lines::Following(mut heard, last) => match heard.next().await? {
            Heard::Line(Ok(line)) => {
                let number = line.number;
                Some((vec![Ok(line)], Lines::Following(heard, number)))
            }
            Heard::Line(Err(error)) => Some((vec![Err(error)], Lines::Over)),
            Heard::Ended => Some((Vec::new(), Lines::Draining(last))),
        },
        Lines::Draining(last) => {
            let read = async {
                services.feeds().check_standing(actor).await?;
                services.feeds().log_lines(actor, of, last, BATCH).await
            };
            match read.await {
                Ok(lines) => {
                    let last = lines.last()?.number;
                    Some((lines.into_iter().map(Ok).collect(), Lines::Draining(last)))
                }
                Err(error) => Some((vec![Err(error)], Lines::Over)),
            }
        }
        Lines::Over => None,
    }
}
