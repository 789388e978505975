//! Telling Git hosts what becomes of their commits.

use domain::deployment::{Deployment, DeploymentStatus};
use domain::environment::Environment;
use domain::git_host::{GitConnection, Preview};
use domain::id::{EnvironmentId, TeamId};
use domain::project::Project;
use jobs::payload::{CommitStatusJob, PreviewCommentJob};
use jobs::{JobAttempt, JobError, Outcome};
use services_core::Result;
use services_core::alerts::raise;
use services_core::error::as_job_error;
use store::GitReport;

use super::api::{CommitState, CommitStatus, HostApi, HostError};
use super::comment::{Comment, mark};
use crate::GitConnections;

/// Number of attempts after which a host that does not answer no longer prevents the deletion of an environment.
const LAST_ATTEMPTS: i64 = 5;

/// Something that a host does not know yet.
struct News {
    connection: GitConnection,
    commit: String,
    status: CommitStatus,
    /// Mark by which a report is recognized as already made.
    told: String,
}

impl GitConnections {
    /// The work of a [`CommitStatusJob`].
    pub async fn run_commit_status(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: CommitStatusJob = run.payload()?;
        let Some(report) = self.store().git_report_get(job.team_id, job.deployment_id).await? else { return Ok(Outcome::Done) };
        let news = self.news_of(&report).await.map_err(|error| as_job_error(&error))?;
        let Some(news) = news else { return Ok(Outcome::Done) };
        let News { connection, told, .. } = &news;
        if let Some(ended) = self.give_up_telling(run, connection, self.tell_host(&news).await).await? {
            return Ok(ended);
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        tx.git_report_told(job.team_id, job.deployment_id, told).await?;
        tx.alert_resolve("git_report_failed", &connection.id.to_string()).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    /// Tells hosts how the deployments of an environment ended, whose rows are about to go: a commit must not seem to be deployed for ever.
    /// A host that refuses, or does not answer at the last attempt, is left with what it knows.
    pub(crate) async fn tell_last(&self, run: &JobAttempt, team: TeamId, environment: EnvironmentId) -> Result<(), JobError> {
        for report in self.store().git_report_list_of_environment(team, environment).await? {
            let Some(news) = self.news_of(&report).await.map_err(|error| as_job_error(&error))? else { continue };
            match self.tell_host(&news).await {
                Err(HostError::Later(problem)) if run.job.attempts < LAST_ATTEMPTS => return Err(JobError::Retry(problem)),
                Err(error) => tracing::warn!(%error, deployment.id = %report.deployment_id, "a Git host was not told of an end"),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Returns the status of a deployment to report, unless its host has it already.
    async fn news_of(&self, report: &GitReport) -> Result<Option<News>> {
        let connection = self.store().git_connection_get(report.team_id, report.connection_id).await?;
        let deployment = self.store().deployment_get(report.team_id, report.deployment_id).await?;
        let (Some(connection), Some(deployment)) = (connection, deployment) else { return Ok(None) };
        let status = self.commit_status(&deployment).await?;
        let (Some(status), Some(commit)) = (status, deployment.commit_sha) else { return Ok(None) };
        let told = format!("{:?}: {}", status.state, status.description);
        let is_known = report.reported.as_ref() == Some(&told);
        Ok((!is_known).then_some(News { connection, commit, status, told }))
    }

    async fn tell_host(&self, news: &News) -> Result<(), HostError> {
        match self.host_api(&news.connection).await? {
            Some(api) => api.set_status(&news.connection.repository, &news.commit, &news.status).await,
            None => Ok(()),
        }
    }

    /// The work of a [`PreviewCommentJob`].
    pub async fn run_preview_comment(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: PreviewCommentJob = run.payload()?;
        let Some(preview) = self.store().preview_get(job.team_id, job.preview_id).await? else { return Ok(Outcome::Done) };
        let connection = self.store().git_connection_get(job.team_id, preview.connection_id).await?;
        let project = self.store().project_get(job.team_id, preview.project_id).await?;
        let (Some(connection), Some(project)) = (connection, project) else { return Ok(Outcome::Done) };
        let body = self.comment_on(&connection, &project, &preview).await.map_err(|error| as_job_error(&error))?;
        let written = async {
            match self.host_api(&connection).await? {
                Some(api) => put_comment(&api, &connection, &preview, &body).await,
                None => Ok(None),
            }
        };
        let written = written.await;
        let comment = written.as_ref().ok().copied().flatten();
        if let Some(ended) = self.give_up_telling(run, &connection, written.map(drop)).await? {
            return Ok(ended);
        }
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        if let Some(comment) = comment {
            tx.preview_set_comment(job.team_id, preview.id, comment).await?;
        }
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }

    /// Converts a host's failure into the outcome of the job: a retry, or the end with an alert, as a team without reports
    /// searches for its mistake elsewhere.
    async fn give_up_telling(
        &self,
        run: &JobAttempt,
        connection: &GitConnection,
        done: Result<(), HostError>,
    ) -> Result<Option<Outcome>, JobError> {
        let message = match done {
            Ok(()) => return Ok(None),
            Err(HostError::Later(message)) if run.job.attempts < run.job.max_attempts => return Err(JobError::Retry(message)),
            Err(error) => format!("{} is not told what becomes of commits: {error}", connection.repository),
        };
        let mut tx = self.begin().await?;
        tx.job_fence(run.fence).await?;
        raise(&mut tx, Some(connection.team_id), "git_report_failed", &connection.id.to_string(), message).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Some(Outcome::Recorded))
    }

    async fn commit_status(&self, deployment: &Deployment) -> Result<Option<CommitStatus>> {
        let (team, environment_id) = (deployment.team_id, deployment.environment_id);
        let project = self.store().project_get(team, deployment.project_id).await?;
        let environment = self.store().environment_get(team, environment_id).await?;
        let (Some(project), Some(environment)) = (project, environment) else { return Ok(None) };
        let approval = self.store().approval_get_many(team, &[deployment.id]).await?.pop();
        let waits = approval.is_some_and(|approval| approval.state == domain::approval::ApprovalState::Pending);
        let url = self.environments().present_url(&project, &environment).await?;
        let failure = deployment.failure.as_ref().map(|failure| failure.message.replace(['\n', '\r'], " ")).unwrap_or_default();
        let (state, description) = match deployment.status {
            DeploymentStatus::Queued if waits => (CommitState::Pending, "waits for an approval".to_owned()),
            DeploymentStatus::Queued => (CommitState::Pending, "queued".to_owned()),
            DeploymentStatus::Building => (CommitState::Pending, "building".to_owned()),
            DeploymentStatus::Releasing => (CommitState::Pending, "releasing".to_owned()),
            DeploymentStatus::Live | DeploymentStatus::Superseded => (CommitState::Success, "deployed".to_owned()),
            DeploymentStatus::Failed => (CommitState::Failure, failure),
            DeploymentStatus::Cancelled => (CommitState::Cancelled, failure),
        };
        let target = url.filter(|_| state == CommitState::Success);
        Ok(Some(CommitStatus { state, context: context(&project, &environment), description, target }))
    }

    async fn comment_on(&self, connection: &GitConnection, project: &Project, preview: &Preview) -> Result<String> {
        let environment = match preview.environment_id {
            Some(id) => self.store().environment_get(preview.team_id, id).await?,
            None => None,
        };
        let (mut deployment, mut url) = (None, String::new());
        if let Some(environment) = &environment {
            url = self.environments().present_url(project, environment).await?.unwrap_or_default();
            let page = self.store().deployment_list(preview.team_id, project.id, Some(environment.id), None, 1).await?;
            deployment = page.items.into_iter().next();
        }
        let ids: Vec<_> = deployment.iter().map(|deployment| deployment.id).collect();
        let approval = self.store().approval_get_many(preview.team_id, &ids).await?.pop();
        let comment = Comment {
            host: connection.host,
            project: &project.name,
            preview,
            deployment: deployment.as_ref(),
            approval: approval.as_ref(),
            url: &url,
        };
        Ok(comment.markdown())
    }
}

/// Returns the name of the status, among others of a commit: one for each environment of each project.
fn context(project: &Project, environment: &Environment) -> String {
    format!("mikrocloud/{}/{}", project.name, environment.name)
}

/// Writes the comment anew, or for the first time; returns the host's number of it where that was not known.
async fn put_comment(api: &HostApi, connection: &GitConnection, preview: &Preview, body: &str) -> Result<Option<i64>, HostError> {
    let (repository, number) = (&connection.repository, preview.number);
    let known = match preview.comment_id {
        Some(id) => Some(id),
        // Whoever wrote it may have died before its number was written down.
        None => api.find_comment(repository, number, &mark(preview.id)).await?,
    };
    if let Some(id) = known {
        match api.update_comment(repository, number, id, body).await {
            // Somebody deleted it.
            Err(HostError::NotFound(_)) => {}
            done => return done.map(|()| Some(id)),
        }
    }
    api.create_comment(repository, number, body).await.map(Some)
}
