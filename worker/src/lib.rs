#![doc = include_str!("../README.md")]

use async_trait::async_trait;
use futures::future::BoxFuture;
use jobs::payload::{
    AccountMailJob, BuildJob, CheckDomainJob, CleanPlacementJob, CommitStatusJob, DeleteEnvironmentJob, DeleteProjectJob,
    DismantleBaseJob, LetterJob, NotifyJob, PrepareBaseJob, PreviewCommentJob, ReleaseJob, ReleaseToJob, ResolveJob, RestJob,
    RetireFromJob, RetireJob, ScheduleRunJob, VerifyAccountJob, WebhookJob,
};
use jobs::{Handler, JobAttempt, JobError, Outcome, Registration};
use services::Services;

/// A use case as the handler of a job.
struct UseCase {
    services: Services,
    call: fn(Services, JobAttempt) -> BoxFuture<'static, Result<Outcome, JobError>>,
}

#[async_trait]
impl Handler for UseCase {
    async fn run(&self, run: JobAttempt) -> Result<Outcome, JobError> {
        (self.call)(self.services.clone(), run).await
    }
}

/// One row for each job: its payload, and the use case that does its work.
macro_rules! table {
    ($services:ident: $($payload:ident => $resource:ident.$use_case:ident,)*) => {
        vec![$(Registration::of::<$payload>(UseCase {
            services: $services.clone(),
            call: |services, run| Box::pin(async move { services.$resource().$use_case(&run).await }),
        })),*]
    };
}

/// The handler of every job there is.
pub fn registrations(services: &Services) -> Vec<Registration> {
    table! { services:
        BuildJob => deployments.run_build,
        ResolveJob => deployments.run_resolve,
        ReleaseJob => deployments.run_release,
        RetireJob => deployments.run_retirement,
        ScheduleRunJob => schedules.run,
        NotifyJob => deliveries.deliver,
        AccountMailJob => letters.mail_account_event,
        LetterJob => letters.send,
        DeleteProjectJob => projects.run_deletion,
        DeleteEnvironmentJob => environments.run_deletion,
        WebhookJob => git.run_webhook,
        CheckDomainJob => domains.run_check,
        CommitStatusJob => git.run_commit_status,
        PreviewCommentJob => git.run_preview_comment,
        ReleaseToJob => deployments.run_release_to,
        RestJob => deployments.run_rest,
        RetireFromJob => deployments.run_retire_from,
        CleanPlacementJob => deployments.run_clean_placement,
        PrepareBaseJob => bases.run_preparation,
        DismantleBaseJob => bases.run_dismantling,
        VerifyAccountJob => cloud_accounts.run_verification,
    }
}
