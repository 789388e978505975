//! Kinds of jobs: payload, queue and rules of each. Payloads hold ids only and carry a version; the handlers are in `worker`.

#[macro_use]
mod declare;
mod clouds;
mod notifications;
mod projects;
mod queue;

use std::time::Duration;

use domain::id::{JobId, TeamId};
use domain::time::now;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::NewJob;
use uuid::Uuid;

pub use clouds::{
    CLOUD, CleanPlacementJob, DismantleBaseJob, PrepareBaseJob, ReleaseToJob, RestJob, RetireFromJob, VerifyAccountJob,
};
pub use notifications::{AccountMailJob, LetterJob, NOTIFY, NotifyJob};
pub use projects::{
    BUILD, BuildJob, CLEANUP, CheckDomainJob, CommitStatusJob, DOMAINS, DeleteEnvironmentJob, DeleteProjectJob,
    PreviewCommentJob, RELEASE, REPORT, ReleaseJob, ResolveJob, RetireJob, SCHEDULE, ScheduleRunJob, WEBHOOK, WebhookJob,
};
pub use queue::Queue;

use crate::trace;

/// A kind of job.
pub trait Payload: Serialize + DeserializeOwned + Send + Sync {
    /// Its name, which never changes: rows carry it.
    const KIND: &'static str;
    /// The queue it waits in.
    const QUEUE: Queue;
    /// Maximum number of attempts before the job goes to the dead set.
    const MAX_ATTEMPTS: i64;
    /// Timeout of one attempt.
    const TIMEOUT: Duration;

    /// The team it works for.
    fn team_id(&self) -> TeamId;

    /// The entity that is stuck without it; none unless the job says so.
    fn subject_id(&self) -> Option<Uuid> {
        None
    }

    /// Jobs with the same key never run at once; one without a key runs beside any other.
    fn exclusion_key(&self) -> Option<String> {
        None
    }
}

/// Every queue, in the order workers are started.
pub const ALL_QUEUES: [Queue; 9] = [BUILD, RELEASE, CLEANUP, SCHEDULE, WEBHOOK, REPORT, NOTIFY, DOMAINS, CLOUD];

/// The names of all queues, in the same order.
pub const QUEUES: [&str; ALL_QUEUES.len()] = queue::names(ALL_QUEUES);

/// A job to be written with the change that causes it.
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "payloads are ids, numbers and times, which always serialise")]
pub fn job_of<P: Payload>(payload: &P) -> NewJob {
    NewJob {
        id: JobId::new(),
        team_id: payload.team_id(),
        kind: P::KIND,
        queue: P::QUEUE.name,
        payload: serde_json::to_value(payload).expect("ids, numbers and times always serialise"),
        subject_id: payload.subject_id(),
        priority: 100,
        exclusion_key: payload.exclusion_key(),
        deduplication_key: None,
        run_at: now(),
        max_attempts: P::MAX_ATTEMPTS,
        trace: trace::current().next(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use domain::id::{
        BaseId, ChannelId, CloudAccountId, DeliveryId, DeploymentId, DomainId, EnvironmentId, GitDeliveryId, LetterId,
        PlacementId, PreviewId, ProjectId, ScheduleId, SecurityEventId,
    };

    use super::*;

    fn check<P: Payload + PartialEq + Debug>(payload: &P) {
        let job = job_of(payload);
        assert_eq!(&serde_json::from_value::<P>(job.payload).unwrap(), payload);
    }

    #[test]
    fn a_row_keeps_what_the_handler_reads() {
        let (version, team_id, deployment_id, environment_id) = (1, TeamId::new(), DeploymentId::new(), EnvironmentId::new());
        check(&BuildJob { version, team_id, deployment_id });
        check(&ResolveJob { version, team_id, deployment_id });
        check(&ReleaseJob { version, team_id, environment_id, deployment_id });
        check(&RetireJob { version, team_id, deployment_id });
        check(&DeleteProjectJob { version, team_id, project_id: ProjectId::new() });
        check(&DeleteEnvironmentJob { version, team_id, environment_id });
        check(&ScheduleRunJob { version, team_id, schedule_id: ScheduleId::new(), due_at: now() });
        check(&WebhookJob { version, team_id, delivery_id: GitDeliveryId::new() });
        check(&CommitStatusJob { version, team_id, deployment_id });
        check(&PreviewCommentJob { version, team_id, preview_id: PreviewId::new() });
        check(&CheckDomainJob { version, team_id, domain_id: DomainId::new() });
        let (placement_id, base_id) = (PlacementId::new(), BaseId::new());
        check(&ReleaseToJob { version, team_id, environment_id, deployment_id });
        check(&RestJob { version, team_id, environment_id, deployment_id });
        check(&RetireFromJob { version, team_id, environment_id, deployment_id });
        check(&CleanPlacementJob { version, team_id, environment_id, placement_id });
        check(&PrepareBaseJob { version, team_id, base_id });
        check(&DismantleBaseJob { version, team_id, base_id });
        check(&VerifyAccountJob { version, team_id, account_id: CloudAccountId::new() });
        check(&NotifyJob { version, team_id, channel_id: ChannelId::new(), delivery_id: DeliveryId::new() });
        check(&AccountMailJob { version, team_id, event_id: SecurityEventId::new() });
        check(&LetterJob { version, team_id, letter_id: LetterId::new() });
    }
}
