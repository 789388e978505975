//! Brings a deployment's files into a directory.

use std::path::Path;

use artifacts::ObjectError;
use domain::artifact::Digest;
use domain::deployment::{Deployment, Failure};
use domain::source::{Reference, Repository, Source};
use jobs::{JobAttempt, JobError};
use services_core::error::is_disk_full;
use sources::archive::{ArchiveError, UnpackLimits, UnpackSummary, unpack};
use sources::git::{GitOptions, SourceError, fetch_git};

use super::changes::DeploymentLog;
use super::{PhaseError, failure};
use crate::Deployments;
use crate::uploads::upload_name;

/// Number of attempts to fetch from a repository that does not answer.
const FETCH_ATTEMPTS: i64 = 2;

impl Deployments {
    /// Returns the options for fetching a deployment's repository: with the credentials of the project's connection to its Git
    /// host, if that is the repository.
    pub(super) async fn git_options(&self, deployment: &Deployment, repository: &Repository) -> Result<GitOptions, PhaseError> {
        let login = self.git().repository_login(deployment.team_id, deployment.project_id, repository).await;
        let login = login.map_err(JobError::Retry)?;
        Ok(GitOptions { env: self.settings().fetch_env.clone(), login, ..GitOptions::default() })
    }

    /// Fetches the source and returns the commit, for a Git repository. A commit that is known already, because it was approved or an
    /// interrupted build began with it, is what is fetched, wherever its branch is by now.
    pub(super) async fn fetch_source(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        target: &Path,
        log: &DeploymentLog,
    ) -> Result<Option<String>, PhaseError> {
        match &deployment.source {
            Source::Git { repository, reference, .. } => {
                let known = deployment.commit_sha.as_deref().map(str::parse::<Reference>).transpose();
                let known = known.map_err(|error| JobError::Fail(error.to_string()))?;
                let reference = known.as_ref().or(reference.as_ref());
                let reference_shown = reference.map_or("the default branch", |reference| reference.as_str());
                log.say(format!("Fetching {} at {reference_shown}", repository.as_str())).await?;
                let (options, stop) = (self.git_options(deployment, repository).await?, run.stop.clone());
                let fetched = fetch_git(repository, reference, target, &options, stop).await;
                let fetched = fetched.map_err(|error| fetch_error(run, &error))?;
                log.say(format!("Fetched commit {}", fetched.commit)).await?;
                Ok(Some(fetched.commit))
            }
            Source::Upload { digest, .. } => {
                let summary = self.unpack_upload(run, digest, target).await?;
                log.say(format!("Unpacked {} files ({} bytes)", summary.files, summary.bytes)).await?;
                Ok(None)
            }
        }
    }
}

impl Deployments {
    async fn unpack_upload(&self, run: &JobAttempt, digest: &Digest, target: &Path) -> Result<UnpackSummary, PhaseError> {
        let archive = target.with_extension("tar.gz");
        match self.objects().get(&upload_name(digest), &archive).await {
            Ok(()) => {}
            Err(ObjectError::Missing) => {
                let message = "the uploaded directory is no longer there: deploy it again";
                return Err(PhaseError::Failed(Failure::new("UPLOAD_GONE", message)));
            }
            Err(error) if is_disk_full(&error) => return Err(PhaseError::Failed(failure("DISK_FULL", &error))),
            Err(error) => return Err(PhaseError::Job(JobError::Retry(jobs::handler::chain(&error)))),
        }
        let target = target.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::open(&archive).map_err(ArchiveError::Io)?;
            let unpacked = unpack(std::io::BufReader::new(file), &target, &UnpackLimits::default());
            let _ = std::fs::remove_file(archive);
            unpacked
        });
        let unpacked = unpacked.await.map_err(|error| JobError::Retry(error.to_string()))?;
        unpacked.map_err(|error| stopped_or_failed(run, error.code(), &error))
    }
}

/// Converts a failure to fetch a repository into the outcome of its job.
pub(super) fn fetch_error(run: &JobAttempt, error: &SourceError) -> PhaseError {
    if error.is_retryable() && run.job.attempts < FETCH_ATTEMPTS {
        return PhaseError::Job(JobError::Retry(error.to_string()));
    }
    stopped_or_failed(run, error.code(), error)
}

fn stopped_or_failed(run: &JobAttempt, code: &'static str, error: &(dyn std::error::Error + 'static)) -> PhaseError {
    if run.stop.is_cancelled() {
        return PhaseError::Job(JobError::Stopped);
    }
    PhaseError::Failed(failure(code, error))
}
