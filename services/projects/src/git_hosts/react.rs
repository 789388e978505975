//! Reactions to a webhook.

use domain::access::Actor;
use domain::git_host::{
    GitConnection, GitEvent, GitHost, PullRequest, PullRequestAction, Push, WebhookDelivery, WebhookDeliveryState,
};
use domain::name::EnvironmentName;
use domain::project::Project;
use domain::source::Reference;
use jobs::payload::WebhookJob;
use jobs::{JobAttempt, JobError, Outcome};
use services_core::alerts::raise;
use services_core::error::as_job_error;
use services_core::{ErrorCode, Result, ServiceError};
use store::WebhookDeliveryOutcome;

use super::trigger::{HostTrigger, OVERTAKEN};
use crate::GitConnections;
use crate::deployments::{Trigger, TriggerSource};

/// Result of processing a delivery.
pub(super) enum Reaction {
    /// Success: the effects are recorded, together with the end of the job.
    Recorded,
    /// Nothing follows, and why.
    Ignored(String),
}

impl GitConnections {
    /// The work of a [`WebhookJob`].
    pub async fn run_webhook(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: WebhookJob = run.payload()?;
        let delivery = self.store().git_delivery_get(job.team_id, job.delivery_id).await?;
        let Some(delivery) = delivery.filter(|delivery| delivery.state == WebhookDeliveryState::Waiting) else {
            return Ok(Outcome::Done);
        };
        let connection = self.store().git_connection_get(job.team_id, delivery.connection_id).await?;
        let Some(connection) = connection else { return Ok(Outcome::Done) };
        match self.react(run, &connection, &delivery).await {
            Ok(Reaction::Recorded) => Ok(Outcome::Recorded),
            Ok(Reaction::Ignored(reason)) => {
                self.end_delivery(run, &connection, &delivery, WebhookDeliveryState::Ignored, reason).await
            }
            Err(ServiceError::Invalid { code: OVERTAKEN, message, .. }) => {
                self.end_delivery(run, &connection, &delivery, WebhookDeliveryState::Ignored, message).await
            }
            Err(error) if is_passing(&error) && run.job.attempts < run.job.max_attempts => Err(as_job_error(&error)),
            Err(error) => self.end_delivery(run, &connection, &delivery, WebhookDeliveryState::Failed, error.to_string()).await,
        }
    }

    async fn react(&self, run: &JobAttempt, connection: &GitConnection, delivery: &WebhookDelivery) -> Result<Reaction> {
        let event = self.store().git_delivery_event(connection.team_id, delivery.id).await?;
        let event = event.ok_or(ServiceError::NotFound("delivery"))?;
        let actor = self.connection_actor(connection).await?;
        let actor = actor.ok_or(ServiceError::Forbidden(
            "who connected the repository is no longer in the team: let somebody else disconnect it and connect it anew",
        ))?;
        let project = self.store().project_get(connection.team_id, connection.project_id).await?;
        let project = project.ok_or(ServiceError::NotFound("project"))?;
        match &event.what {
            GitEvent::Push(push) => self.push(run, (connection, delivery), &actor, &project, push).await,
            GitEvent::PullRequest(request) if request.action == PullRequestAction::Closed => {
                self.close_preview(run, (connection, delivery), &actor, request).await
            }
            GitEvent::PullRequest(request) => {
                self.show_pull_request(run, (connection, delivery), &actor, &project, request).await
            }
            _ => Ok(Reaction::Ignored("nothing follows from it".to_owned())),
        }
    }

    async fn push(
        &self,
        run: &JobAttempt,
        (connection, delivery): (&GitConnection, &WebhookDelivery),
        actor: &Actor,
        project: &Project,
        push: &Push,
    ) -> Result<Reaction> {
        let Some(environment) = environment_of(connection, project, push) else {
            let reason =
                format!("the branch `{}` deploys nowhere: it is not the project's, and no rule names it", push.branch.as_str());
            return Ok(Reaction::Ignored(reason));
        };
        let trigger = HostTrigger {
            fence: run.fence,
            team: connection.team_id,
            delivery: delivery.id,
            connection: connection.id,
            preview: None,
            commit: &push.commit,
            outside: None,
        };
        self.deploy_told(actor, project, environment.as_str(), push.branch.as_str(), &trigger).await
    }

    async fn show_pull_request(
        &self,
        run: &JobAttempt,
        (connection, delivery): (&GitConnection, &WebhookDelivery),
        actor: &Actor,
        project: &Project,
        request: &PullRequest,
    ) -> Result<Reaction> {
        let preview = self.open_preview(run, (connection, delivery), actor, request).await?;
        let trigger = HostTrigger {
            fence: run.fence,
            team: connection.team_id,
            delivery: delivery.id,
            connection: connection.id,
            preview: Some(preview.id),
            commit: &request.commit,
            outside: request.is_fork.then_some(request.author.as_str()),
        };
        // The repository that is connected has the commits of all its pull requests, those of forks as well.
        let reference = match connection.host {
            GitHost::GitHub => format!("refs/pull/{}/head", request.number),
            GitHost::GitLab => format!("refs/merge-requests/{}/head", request.number),
        };
        let environment = connection.host.preview_environment(request.number);
        self.deploy_told(actor, project, &environment, &reference, &trigger).await
    }

    async fn deploy_told(
        &self,
        actor: &Actor,
        project: &Project,
        environment: &str,
        reference: &str,
        trigger: &HostTrigger<'_>,
    ) -> Result<Reaction> {
        let input = Trigger {
            project: project.id,
            environment: Some(environment.to_owned()),
            cloud: None,
            region: None,
            source: TriggerSource::Git { repository: None, reference: Some(reference.to_owned()) },
            directory: None,
        };
        self.deployments().trigger_for(actor, input, trigger).await?;
        Ok(Reaction::Recorded)
    }

    /// Records what came of a delivery that triggered nothing; a failure raises an alert, for nobody looks at what did not happen.
    async fn end_delivery(
        &self,
        run: &JobAttempt,
        connection: &GitConnection,
        delivery: &WebhookDelivery,
        state: WebhookDeliveryState,
        outcome: String,
    ) -> Result<Outcome, JobError> {
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        if state == WebhookDeliveryState::Failed {
            let message = format!("{} of {} could not be acted on: {outcome}", delivery.event, connection.repository);
            let subject = connection.id.to_string();
            raise(&mut tx, Some(connection.team_id), "git_delivery_failed", &subject, message).await?;
        }
        tx.git_delivery_end(connection.team_id, delivery.id, &WebhookDeliveryOutcome { state, outcome, deployment_id: None })
            .await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}

/// Returns true if a later retry may succeed.
fn is_passing(error: &ServiceError) -> bool {
    matches!(error.code(), ErrorCode::Internal | ErrorCode::Unavailable)
        || matches!(error, ServiceError::Invalid { code: "BEING_DELETED", field: "environment", .. })
}

/// Returns the environment that commits of a branch are deployed to: production for the project's own branch, and others by the
/// rules.
fn environment_of(connection: &GitConnection, project: &Project, push: &Push) -> Option<EnvironmentName> {
    if let Some(rule) = connection.branches.iter().find(|rule| rule.branch == push.branch) {
        return Some(rule.environment.clone());
    }
    let own = match &project.reference {
        Some(reference) => reference.parse::<Reference>().ok(),
        None => push.default_branch.clone(),
    };
    (own.as_ref() == Some(&push.branch)).then(EnvironmentName::production)
}

#[cfg(test)]
mod tests {
    use domain::git_host::BranchRule;
    use domain::id::{GitConnectionId, ProjectId, TeamId, UserId};
    use domain::time::now;

    use super::*;

    #[test]
    fn a_branch_goes_where_the_rules_or_the_project_say() {
        let team_id = TeamId::new();
        let rule = |branch: &str, environment: &str| BranchRule {
            branch: branch.parse().unwrap(),
            environment: environment.parse().unwrap(),
        };
        let connection = GitConnection {
            id: GitConnectionId::new(),
            team_id,
            project_id: ProjectId::new(),
            host: GitHost::GitHub,
            api_url: GitHost::GitHub.public_api().to_owned(),
            repository: "octo/shop".parse().unwrap(),
            installation_id: None,
            reports: false,
            branches: vec![rule("develop", "staging")],
            previews: true,
            preview_hours: 1,
            created_by: UserId::new(),
            created_at: now(),
        };
        let project = |reference: Option<&str>| Project {
            id: connection.project_id,
            team_id,
            name: "shop".parse().unwrap(),
            repository: None,
            reference: reference.map(str::to_owned),
            created_at: now(),
            updated_at: now(),
            deleting_at: None,
        };
        for (own, default, branch, expected) in [
            (None, Some("main"), "main", Some("production")),
            (None, Some("main"), "other", None),
            (None, None, "main", None),
            (Some("release"), Some("main"), "release", Some("production")),
            (Some("release"), Some("main"), "main", None),
            (None, Some("main"), "develop", Some("staging")),
        ] {
            let push = Push {
                branch: branch.parse().unwrap(),
                commit: "6113728f27ae82c7b1a177c8d03f9e96e0adf246".parse().unwrap(),
                default_branch: default.map(|name| name.parse().unwrap()),
            };
            let found = environment_of(&connection, &project(own), &push);
            assert_eq!(found.as_ref().map(EnvironmentName::as_str), expected, "{own:?} {default:?} {branch}");
        }
    }
}
