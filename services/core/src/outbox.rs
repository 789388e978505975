//! Transactional outbox: a notification is stored with the change that it reports, as a row and a job for each receiver, in the
//! same transaction. No event is missed and none is reported that did not happen, whichever process dies at whatever time.

use domain::alert::Alert;
use domain::approval::ApprovalState;
use domain::deployment::{Deployment, DeploymentStatus};
use domain::id::{DeliveryId, ProjectId, ScheduleId, TeamId, UserId};
use domain::notification::{Channel, Delivery, DeliveryState, EventType};
use domain::session::SecurityEvent;
use domain::time::now;
use jobs::payload::{AccountMailJob, NotifyJob, job_of};
use serde_json::{Value, json};
use store::{NewJob, StoreError, ToldDeployment};

use crate::text::cut;
use crate::unit_of_work::UnitOfWork;

/// Writes what is told of an event of a deployment, if anybody wants to know. The event itself is written already.
pub async fn notify_of_deployment(
    tx: &mut UnitOfWork,
    deployment: &Deployment,
    status: DeploymentStatus,
    message: &str,
) -> Result<(), StoreError> {
    if matches!(status, DeploymentStatus::Building | DeploymentStatus::Releasing | DeploymentStatus::Superseded) {
        return Ok(());
    }
    let channels = tx.channel_list_enabled(deployment.team_id, Some(deployment.project_id)).await?;
    if channels.is_empty() {
        return Ok(());
    }
    let Some(told) = tx.deployment_told(deployment.team_id, deployment.id).await? else { return Ok(()) };
    let Some(event) = event_of(status, &told) else { return Ok(()) };
    write(tx, &channels, event, &of_deployment(deployment, status, &told, message)).await
}

/// Maps the status of a deployment to the event for receivers; of a queued one only its beginning and its approval count.
fn event_of(status: DeploymentStatus, told: &ToldDeployment) -> Option<EventType> {
    let is_first = told.event_count == 1;
    match (status, told.approval) {
        (DeploymentStatus::Queued, Some(ApprovalState::Pending)) => is_first.then_some(EventType::DeploymentWaitingForApproval),
        (DeploymentStatus::Queued, None) => is_first.then_some(EventType::DeploymentQueued),
        (DeploymentStatus::Queued, Some(ApprovalState::Approved)) => Some(EventType::DeploymentQueued),
        (DeploymentStatus::Live, _) => Some(EventType::DeploymentLive),
        (DeploymentStatus::Failed, _) => Some(EventType::DeploymentFailed),
        (DeploymentStatus::Cancelled, _) => Some(EventType::DeploymentCancelled),
        _ => None,
    }
}

/// Writes what is told of an alert about a team. One about a schedule is its project's, too.
pub(crate) async fn notify_of_alert(tx: &mut UnitOfWork, alert: &Alert) -> Result<(), StoreError> {
    let Some(team) = alert.team_id else { return Ok(()) };
    let project = match alert.subject.parse::<ScheduleId>() {
        Ok(schedule) => tx.schedule_project(team, schedule).await?,
        Err(_) => None,
    };
    let channels = tx.channel_list_enabled(team, project.as_ref().map(|(id, _)| *id)).await?;
    write(tx, &channels, EventType::AlertRaised, &of_alert(alert, team, project)).await
}

async fn write(tx: &mut UnitOfWork, channels: &[Channel], event: EventType, data: &Value) -> Result<(), StoreError> {
    for channel in channels.iter().filter(|channel| channel.events.contains(event)) {
        write_to(tx, channel, event, data).await?;
    }
    Ok(())
}

/// Writes a delivery, or one for each recipient of a channel, with its job.
pub async fn write_to(
    tx: &mut UnitOfWork,
    channel: &Channel,
    event: EventType,
    data: &Value,
) -> Result<Vec<Delivery>, StoreError> {
    let recipients: Vec<_> =
        if channel.recipients.is_empty() { vec![None] } else { channel.recipients.iter().copied().map(Some).collect() };
    let mut written = Vec::with_capacity(recipients.len());
    for recipient_id in recipients {
        let at = now();
        let delivery = Delivery {
            id: DeliveryId::new(),
            team_id: channel.team_id,
            channel_id: channel.id,
            recipient_id,
            event,
            event_at: at,
            data: data.clone(),
            state: DeliveryState::Pending,
            tries: 0,
            attempts: 0,
            next_attempt_at: Some(at),
            error: None,
            finished_at: None,
        };
        tx.delivery_insert(&delivery).await?;
        enqueue_attempt(tx, &delivery).await?;
        written.push(delivery);
    }
    Ok(written)
}

/// Writes the job that makes the next attempt at a delivery.
pub async fn enqueue_attempt(tx: &mut UnitOfWork, delivery: &Delivery) -> Result<(), StoreError> {
    let Delivery { team_id, channel_id, id: delivery_id, next_attempt_at, .. } = *delivery;
    let job = job_of(&NotifyJob { version: 1, team_id, channel_id, delivery_id });
    tx.insert_job(&NewJob { run_at: next_attempt_at.unwrap_or(job.run_at), ..job }).await.map(drop)
}

/// Writes the job that tells a user by mail what happened to their account. It belongs to one of their teams, as all jobs do, and names the
/// event only: nobody who looks at jobs learns whose it is.
pub async fn notify_by_mail(tx: &mut UnitOfWork, user: UserId, event: &SecurityEvent) -> Result<(), StoreError> {
    let Some(team_id) = tx.team_list_of(user).await?.into_iter().next() else { return Ok(()) };
    tx.enqueue(&AccountMailJob { version: 1, team_id, event_id: event.id }).await
}

/// The longest text of others in a payload, characters: the whole stays below the 20 kB that Standard Webhooks asks for.
const LONGEST: usize = 2000;

/// Builds the stored data of a deployment's event.
fn of_deployment(deployment: &Deployment, status: DeploymentStatus, told: &ToldDeployment, message: &str) -> Value {
    let requested_by = told.created_by.map(|id| json!({"id": id, "name": told.created_by_name}));
    let failure = told.failure.as_ref().map(|failure| json!({"code": failure.code, "message": cut(&failure.message, LONGEST)}));
    json!({
        "team": {"id": deployment.team_id},
        "project": {"id": deployment.project_id, "name": told.project},
        "environment": {"id": deployment.environment_id, "name": told.environment},
        "deployment": {
            "id": deployment.id,
            "number": told.number,
            "status": status.name(),
            "trigger": told.trigger,
            "commit": told.commit_sha,
            "requestedBy": requested_by,
        },
        "failure": failure,
        "message": cut(message, LONGEST),
    })
}

/// Builds the stored data of an alert.
fn of_alert(alert: &Alert, team: TeamId, project: Option<(ProjectId, String)>) -> Value {
    json!({
        "team": {"id": team},
        "project": project.map(|(id, name)| json!({"id": id, "name": name})),
        "alert": {
            "id": alert.id,
            "kind": alert.kind,
            "subject": alert.subject,
            "message": cut(&alert.message, LONGEST),
            "raisedAt": alert.raised_at,
        },
        "message": cut(&alert.message, LONGEST),
    })
}

#[cfg(test)]
mod tests {
    use domain::deployment::Cause;

    use super::*;

    #[test]
    fn a_deployment_is_told_of_once_when_it_is_queued_and_once_when_it_waits_or_is_approved() {
        let told = |event_count, approval| ToldDeployment {
            project: "shop".to_owned(),
            environment: "production".to_owned(),
            number: 1,
            trigger: Cause::Build,
            commit_sha: None,
            failure: None,
            event_count,
            approval,
            created_by: None,
            created_by_name: None,
        };
        let queued = |count, approval| event_of(DeploymentStatus::Queued, &told(count, approval));
        assert_eq!((queued(1, None), queued(2, None)), (Some(EventType::DeploymentQueued), None));
        let (pending, approved) = (Some(ApprovalState::Pending), Some(ApprovalState::Approved));
        // The second event of one that waits names its commit.
        assert_eq!((queued(1, pending), queued(2, pending)), (Some(EventType::DeploymentWaitingForApproval), None));
        assert_eq!(queued(3, approved), Some(EventType::DeploymentQueued));
        for (status, event) in [
            (DeploymentStatus::Live, Some(EventType::DeploymentLive)),
            (DeploymentStatus::Failed, Some(EventType::DeploymentFailed)),
            (DeploymentStatus::Cancelled, Some(EventType::DeploymentCancelled)),
            (DeploymentStatus::Building, None),
            (DeploymentStatus::Superseded, None),
        ] {
            assert_eq!(event_of(status, &told(5, approved)), event, "{status:?}");
        }
    }

    #[test]
    fn long_texts_of_others_are_cut() {
        let alert = Alert {
            id: domain::id::AlertId::new(),
            team_id: None,
            kind: "run_failed".to_owned(),
            subject: "x".to_owned(),
            message: "ä".repeat(100_000),
            raised_at: now(),
            resolved_at: None,
        };
        let data = of_alert(&alert, TeamId::new(), None);
        assert!(data.to_string().len() < 20_000, "{}", data.to_string().len());
    }
}
