//! The build phase: source, detection, build, artifact.

use std::path::Path;

use artifacts::{ArtifactLimits, Prepared};
use clouds_contract::{BuildOutcome, BuildRequest, Builds};
use domain::build::BuildPlan;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::detect::{DOCKERFILES, SourceTree, detect, read_manifest};
use domain::manifest::ManifestError;
use domain::source::Directory;
use jobs::payload::{BuildJob, ReleaseJob};
use jobs::{JobAttempt, JobError, Outcome};
use services_core::ServiceError;
use sources::DirectoryTree;
use store::DeploymentChange;

use super::changes::DeploymentLog;
use super::workspace::Workspace;
use super::{PhaseError, deadlines, in_time, transitions};
use crate::Deployments;
use crate::variables::open_variables;

impl Deployments {
    /// The work of a [`BuildJob`].
    pub async fn run_build(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: BuildJob = run.payload()?;
        let Some(deployment) = self.store().deployment_get(job.team_id, job.deployment_id).await? else {
            return Ok(Outcome::Done);
        };
        if !matches!(deployment.status, DeploymentStatus::Queued | DeploymentStatus::Building) {
            return Ok(Outcome::Done);
        }
        let workspace = Workspace::create(&self.settings().directory, &deployment.id.to_string()).await?;
        let result = self.build_in(run, &deployment, &workspace.source()).await;
        workspace.remove().await;
        self.conclude(run, &deployment, result).await
    }

    async fn build_in(&self, run: &JobAttempt, deployment: &Deployment, directory: &Path) -> Result<Outcome, PhaseError> {
        let log = DeploymentLog::new(self, deployment);
        if deployment.status == DeploymentStatus::Building {
            log.say("The build was interrupted and starts again").await?;
        }
        let deployment = self.advance(run, deployment, DeploymentStatus::Building, deadlines::BUILDING, "building").await?;
        let commit = self.fetch_source(run, &deployment, directory, &log).await?;
        if let Some(commit) = &commit {
            let (mut tx, _) = self.fenced(run, &deployment).await?;
            tx.deployment_set_commit(deployment.team_id, deployment.id, commit).await?;
            tx.commit().await?;
        }
        let cloud = self.cloud_of(&deployment)?;
        let builder = cloud.require(&cloud.builds, "builder")?;
        let plan = self.plan(builder.as_ref(), directory, deployment.source.directory()).await?;
        log.say(format!("Detected {}: {}", plan.framework, plan.reason)).await?;
        for note in &plan.notes {
            log.say(format!("Note: {note}")).await?;
        }
        let request = BuildRequest {
            deployment_id: deployment.id,
            project_id: deployment.project_id,
            directory: directory.to_owned(),
            plan,
            variables: open_variables(self.store(), self.sealer(), &deployment).await?,
            limits: self.settings().build_limits,
        };
        let outcome = builder.build(request, &log, run.stop.clone()).await?;
        self.publish(run, &deployment, &outcome, &log).await
    }

    /// Reads the project file and finds out how to build.
    async fn plan(&self, builder: &dyn Builds, directory: &Path, project: Option<&Directory>) -> Result<BuildPlan, PhaseError> {
        let tree = DirectoryTree::open(directory);
        let mut tree = tree.map_err(|error| PhaseError::Failed(Failure::new("SOURCE_UNREADABLE", error.to_string())))?;
        let invalid = |error: ManifestError| PhaseError::Failed(Failure::new("MANIFEST_INVALID", error.to_string()));
        let manifest = read_manifest(&tree, project.map(Directory::as_str)).map_err(invalid)?;
        let place = manifest.build.directory.as_deref().unwrap_or_default();
        if DOCKERFILES.iter().any(|file| tree.exists(format!("{place}/{file}").trim_start_matches('/'))) {
            tree = tree.with_container_engine(builder.container_engine().await);
        }
        let planned = tokio::task::spawn_blocking(move || {
            let plan = detect(&tree, &manifest).map_err(|error| Failure::new(error.code, error.message))?;
            Ok((manifest, plan))
        });
        let planned = planned.await.map_err(|error| JobError::Retry(error.to_string()))?;
        let (manifest, plan) = planned.map_err(PhaseError::Failed)?;
        match manifest.deploy.clouds.as_deref() {
            None | Some([]) => {}
            Some([cloud]) => {
                self.check_cloud(cloud).map_err(|error| as_failure(&error))?;
            }
            Some(_) => {
                let message = "deploy.clouds names several clouds: a project is deployed to one cloud at a time here";
                return Err(PhaseError::Failed(Failure::new("MANIFEST_INVALID", message)));
            }
        }
        Ok(plan)
    }

    /// Stores the artifact and hands over to the release, in one transaction.
    async fn publish(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        outcome: &BuildOutcome,
        log: &DeploymentLog,
    ) -> Result<Outcome, PhaseError> {
        let limits = self.settings().build_limits;
        let limits = ArtifactLimits { bytes: limits.output_mib * 1024 * 1024, files: limits.output_files };
        let prepared = Prepared::of(&outcome.output, &limits).await.map_err(|error| PhaseError::from(&error))?;
        let (team, id) = (deployment.team_id, deployment.id);
        let stored = prepared.stored().clone();
        let size = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        // Referred to before it is kept: what nobody refers to may be removed at any moment.
        let (mut tx, _) = self.fenced(run, deployment).await?;
        let object = tx.artifact_put(&stored.digest, size(stored.bytes), size(stored.files)).await?;
        tx.deployment_set_artifact(team, id, &stored.digest, &outcome.workload).await?;
        tx.commit().await?;
        self.artifact_store().keep(prepared, object).await.map_err(|error| PhaseError::from(&error))?;
        log.say(format!("Built {} files ({} bytes), artifact {}", stored.files, stored.bytes, stored.digest)).await?;
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        let to = DeploymentStatus::Releasing;
        let change = DeploymentChange {
            from: DeploymentStatus::Building,
            to,
            deadline: Some(in_time(deadlines::RELEASING)),
            failure: None,
        };
        tx.deployment_change(team, id, &change).await?;
        transitions::record_event(&mut tx, &deployment, to, "built, releasing").await?;
        let payload = ReleaseJob { version: 1, team_id: team, environment_id: deployment.environment_id, deployment_id: id };
        tx.enqueue(&payload).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}

fn as_failure(error: &ServiceError) -> PhaseError {
    PhaseError::Failed(Failure::new("MANIFEST_INVALID", error.to_string()))
}
