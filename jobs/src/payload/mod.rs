//! What jobs there are: payload, queue and rules of each. Payloads hold ids only and carry a version; the handlers are in `worker`.

mod domains;
mod git_hosts;
mod notify;

use std::time::Duration;

use domain::id::{DeploymentId, EnvironmentId, JobId, ProjectId, ScheduleId, TeamId};
use domain::time::{Timestamp, now};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::NewJob;
use uuid::Uuid;

pub use domains::CheckDomainJob;
pub use git_hosts::{CommitStatusJob, PreviewCommentJob, WebhookJob};
pub use notify::{AccountMailJob, LetterJob, NotifyJob};

use crate::trace;

/// A kind of job.
pub trait Payload: Serialize + DeserializeOwned + Send + Sync {
    /// Its name, which never changes: rows carry it.
    const KIND: &'static str;
    /// The queue it waits in.
    const QUEUE: &'static str;
    /// How often a worker may take it before it goes to the dead set.
    const MAX_ATTEMPTS: i64;
    /// How long one attempt may take before it is stopped.
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
pub const QUEUES: [&str; 8] = [
    BuildJob::QUEUE,
    ReleaseJob::QUEUE,
    RetireJob::QUEUE,
    RunJob::QUEUE,
    WebhookJob::QUEUE,
    CommitStatusJob::QUEUE,
    NotifyJob::QUEUE,
    CheckDomainJob::QUEUE,
];

/// A job to be written with the change that causes it.
#[expect(clippy::expect_used, reason = "payloads are plain fields, which always serialise")]
pub fn job_of<P: Payload>(payload: &P) -> NewJob {
    NewJob {
        id: JobId::new(),
        team_id: payload.team_id(),
        kind: P::KIND,
        queue: P::QUEUE,
        payload: serde_json::to_value(payload).expect("a payload serialises"),
        subject_id: payload.subject_id(),
        priority: 100,
        exclusion_key: payload.exclusion_key(),
        deduplication_key: None,
        run_at: now(),
        max_attempts: P::MAX_ATTEMPTS,
        trace: trace::current().next(),
    }
}

/// Fetches a deployment's source and builds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The deployment to build.
    pub deployment_id: DeploymentId,
}

impl Payload for BuildJob {
    const KIND: &'static str = "build";
    const QUEUE: &'static str = "build";
    const MAX_ATTEMPTS: i64 = 4;
    const TIMEOUT: Duration = Duration::from_mins(45);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.deployment_id.uuid())
    }
}

/// Finds out which commit a deployment is to be built from, so that those who are asked to approve it know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The deployment that waits for an approval.
    pub deployment_id: DeploymentId,
}

impl Payload for ResolveJob {
    const KIND: &'static str = "resolve";
    // The workers that build are those that reach repositories.
    const QUEUE: &'static str = BuildJob::QUEUE;
    const MAX_ATTEMPTS: i64 = 4;
    const TIMEOUT: Duration = Duration::from_mins(6);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.deployment_id.uuid())
    }
}

/// Starts what was built and switches its environment to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The environment that is switched; one release at a time.
    pub environment_id: EnvironmentId,
    /// The deployment to release.
    pub deployment_id: DeploymentId,
}

impl Payload for ReleaseJob {
    const KIND: &'static str = "release";
    const QUEUE: &'static str = "release";
    const MAX_ATTEMPTS: i64 = 6;
    const TIMEOUT: Duration = Duration::from_mins(10);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.deployment_id.uuid())
    }

    fn exclusion_key(&self) -> Option<String> {
        Some(format!("release:{}", self.environment_id))
    }
}

/// Removes from its cloud what a failed, cancelled or long superseded deployment left there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetireJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The deployment whose resources go.
    pub deployment_id: DeploymentId,
}

impl Payload for RetireJob {
    const KIND: &'static str = "retire";
    const QUEUE: &'static str = "cleanup";
    const MAX_ATTEMPTS: i64 = 12;
    const TIMEOUT: Duration = Duration::from_mins(5);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    // The deployment is no subject: its being retired does not mean that it still moves.
    fn exclusion_key(&self) -> Option<String> {
        Some(format!("retire:{}", self.deployment_id))
    }
}

/// Deletes a project: first everything it has in a cloud, then its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteProjectJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The project to delete.
    pub project_id: ProjectId,
}

impl Payload for DeleteProjectJob {
    const KIND: &'static str = "delete_project";
    const QUEUE: &'static str = "cleanup";
    const MAX_ATTEMPTS: i64 = 50;
    const TIMEOUT: Duration = Duration::from_mins(10);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.project_id.uuid())
    }

    fn exclusion_key(&self) -> Option<String> {
        Some(format!("delete:{}", self.project_id))
    }
}

/// Deletes an environment: first everything it has in a cloud, then its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteEnvironmentJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The environment to delete.
    pub environment_id: EnvironmentId,
}

impl Payload for DeleteEnvironmentJob {
    const KIND: &'static str = "delete_environment";
    const QUEUE: &'static str = "cleanup";
    const MAX_ATTEMPTS: i64 = 50;
    const TIMEOUT: Duration = Duration::from_mins(10);

    fn team_id(&self) -> TeamId {
        self.team_id
    }

    fn subject_id(&self) -> Option<Uuid> {
        Some(self.environment_id.uuid())
    }

    // Not while it is being switched: a release that has begun to would bring back what is removed here.
    fn exclusion_key(&self) -> Option<String> {
        Some(format!("release:{}", self.environment_id))
    }
}

/// Does what a schedule says, for one of its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunJob {
    /// Version of this payload.
    pub version: u8,
    /// The team.
    pub team_id: TeamId,
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The time that it is for.
    pub due_at: Timestamp,
}

impl Payload for RunJob {
    const KIND: &'static str = "run";
    const QUEUE: &'static str = "schedule";
    const MAX_ATTEMPTS: i64 = 3;
    const TIMEOUT: Duration = Duration::from_mins(15);

    fn team_id(&self) -> TeamId {
        self.team_id
    }
}
