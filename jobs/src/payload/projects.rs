//! Jobs of projects: deployments, environments, schedules, what Git hosts tell and are told, and domains.

use std::time::Duration;

use domain::id::{DeploymentId, DomainId, EnvironmentId, GitDeliveryId, PreviewId, ProjectId, ScheduleId};
use domain::time::Timestamp;

use super::Queue;

/// Builds, and what else reaches repositories.
pub const BUILD: Queue = Queue { name: "build", concurrency: 2 };
/// Releases; they mostly wait, as do clean-ups, runs of schedules and exchanges with Git hosts.
pub const RELEASE: Queue = Queue { name: "release", concurrency: 16 };
/// Queue of jobs that remove resources from clouds.
pub const CLEANUP: Queue = Queue { name: "cleanup", concurrency: 4 };
/// Runs of schedules.
pub const SCHEDULE: Queue = Queue { name: "schedule", concurrency: 8 };
/// Queue of webhooks from Git hosts.
pub const WEBHOOK: Queue = Queue { name: "webhook", concurrency: 8 };
/// Queue of reports to Git hosts.
pub const REPORT: Queue = Queue { name: "report", concurrency: 8 };
/// Checks of domains: DNS servers that do not answer hold their places for a while.
pub const DOMAINS: Queue = Queue { name: "domains", concurrency: 32 };

job! {
    /// Fetches a deployment's source and builds it.
    BuildJob {
        /// The deployment to build.
        deployment_id: DeploymentId,
    }
    kind: "build", queue: BUILD, attempts: 4, timeout: Duration::from_mins(45),
    subject: deployment_id,
}

// The workers that build are those that reach repositories.
job! {
    /// Finds out which commit a deployment is to be built from, so that those who are asked to approve it know.
    ResolveJob {
        /// The deployment that waits for an approval.
        deployment_id: DeploymentId,
    }
    kind: "resolve", queue: BUILD, attempts: 4, timeout: Duration::from_mins(6),
    subject: deployment_id,
}

job! {
    /// Starts what was built and switches its environment to it.
    ReleaseJob {
        /// The environment that is switched; one release at a time.
        environment_id: EnvironmentId,
        /// The deployment to release.
        deployment_id: DeploymentId,
    }
    kind: "release", queue: RELEASE, attempts: 6, timeout: Duration::from_mins(10),
    subject: deployment_id,
    exclusion: "release" of environment_id,
}

// The deployment is no subject: its being retired does not mean that it still moves.
job! {
    /// Removes from its cloud what a failed, cancelled or long superseded deployment left there.
    RetireJob {
        /// The deployment whose resources go.
        deployment_id: DeploymentId,
    }
    kind: "retire", queue: CLEANUP, attempts: 12, timeout: Duration::from_mins(5),
    exclusion: "retire" of deployment_id,
}

job! {
    /// Deletes a project: first everything it has in a cloud, then its rows.
    DeleteProjectJob {
        /// The project to delete.
        project_id: ProjectId,
    }
    kind: "delete_project", queue: CLEANUP, attempts: 50, timeout: Duration::from_mins(10),
    subject: project_id,
    exclusion: "delete" of project_id,
}

// Not while the environment is being switched: a release that has begun to would bring back what is removed here.
job! {
    /// Deletes an environment: first everything it has in a cloud, then its rows.
    DeleteEnvironmentJob {
        /// The environment to delete.
        environment_id: EnvironmentId,
    }
    kind: "delete_environment", queue: CLEANUP, attempts: 50, timeout: Duration::from_mins(10),
    subject: environment_id,
    exclusion: "release" of environment_id,
}

job! {
    /// Does what a schedule says, for one of its times.
    ScheduleRunJob {
        /// The schedule.
        schedule_id: ScheduleId,
        /// The time that it is for.
        due_at: Timestamp,
    }
    kind: "run", queue: SCHEDULE, attempts: 3, timeout: Duration::from_mins(15),
}

job! {
    /// Does what follows from something that a Git host told.
    WebhookJob {
        /// Webhook that was received.
        delivery_id: GitDeliveryId,
    }
    kind: "webhook", queue: WEBHOOK, attempts: 20, timeout: Duration::from_mins(1),
}

// One after the other, so that the last one tells how it stands in the end. The deployment is no subject: that its host is told of it
// does not mean that it still moves.
job! {
    /// Tells a Git host how a deployment of one of its commits stands.
    CommitStatusJob {
        /// The deployment.
        deployment_id: DeploymentId,
    }
    kind: "commit_status", queue: REPORT, attempts: 12, timeout: Duration::from_mins(1),
    exclusion: "commit_status" of deployment_id,
}

// One after the other: there is one comment.
job! {
    /// Tells people at a pull request how its preview stands.
    PreviewCommentJob {
        /// The preview.
        preview_id: PreviewId,
    }
    kind: "preview_comment", queue: REPORT, attempts: 12, timeout: Duration::from_mins(1),
    exclusion: "preview_comment" of preview_id,
}

job! {
    /// Looks whether the DNS shows that a domain is a team's, and where it leads.
    CheckDomainJob {
        /// The domain.
        domain_id: DomainId,
    }
    kind: "check_domain", queue: DOMAINS, attempts: 5, timeout: Duration::from_mins(1),
}
