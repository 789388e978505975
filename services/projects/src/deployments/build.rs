//! The build phase: source, detection, build, artifact.

use std::path::Path;

use artifacts::{ArtifactLimits, Prepared};
use clouds_contract::{BuildOutcome, BuildRequest, Builds};
use domain::build::BuildPlan;
use domain::cloud::LOCAL;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::detect::{DOCKERFILES, SourceTree, detect, read_manifest};
use domain::environment::Environment;
use domain::manifest::{DeploySection, ManifestError};
use domain::project::Project;
use domain::source::Directory;
use jobs::payload::BuildJob;
use jobs::{JobAttempt, JobError, Outcome};
use services_clouds::Place;
use services_core::ServiceError;
use services_core::unit_of_work::UnitOfWork;
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
        // Builds are run on one's own machines, wherever the result goes.
        let cloud = self.home_cloud()?;
        let builder = cloud.require(&cloud.builds, "builder")?;
        let (plan, deploy) = self.plan(builder.as_ref(), directory, deployment.source.directory()).await?;
        // Before the build: nobody waits for one whose result has nowhere to go.
        let place = self.place_of_file(&deployment, &deploy).await?;
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
        self.publish(run, &deployment, &outcome, place, &log).await
    }

    /// Reads the project file and finds out how to build.
    async fn plan(
        &self,
        builder: &dyn Builds,
        directory: &Path,
        project: Option<&Directory>,
    ) -> Result<(BuildPlan, DeploySection), PhaseError> {
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
        Ok((plan, manifest.deploy))
    }

    /// Place that the project file names, if it is its word that counts.
    async fn place_of_file(&self, deployment: &Deployment, deploy: &DeploySection) -> Result<Named, PhaseError> {
        let cloud = match deploy.clouds.as_deref() {
            None | Some([]) => return Ok(Named::Nothing),
            Some([cloud]) => cloud,
            Some(_) => {
                let message = "deploy.clouds names several clouds: a project is deployed to one cloud at a time here";
                return Err(PhaseError::Failed(Failure::new("MANIFEST_INVALID", message)));
            }
        };
        let region = deploy.region.as_deref().filter(|_| cloud != LOCAL);
        let place = self.placements().choose(deployment.team_id, cloud, region).await.map_err(|error| as_failure(&error))?;
        let Some(place) = place.filter(|_| deployment.wanted_cloud.is_none()) else {
            return Ok(if deployment.wanted_cloud.is_some() { Named::Nothing } else { Named::Local });
        };
        let project = self.store().project_get(deployment.team_id, deployment.project_id).await?;
        let environment = self.store().environment_get(deployment.team_id, deployment.environment_id).await?;
        let (Some(project), Some(environment)) = (project, environment) else {
            return Err(JobError::Fail("the deployment has no project or environment".to_owned()).into());
        };
        Ok(Named::Place { place, project: Box::new(project), environment: Box::new(environment) })
    }

    /// Stores the artifact and hands over to the release, in one transaction.
    async fn publish(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        outcome: &BuildOutcome,
        place: Named,
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
        self.go_to_named(&mut tx, &deployment, place).await?;
        transitions::enqueue_release(&mut tx, &deployment).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        Ok(Outcome::Recorded)
    }
}

impl Deployments {
    /// Sends a deployment where the project file says.
    async fn go_to_named(&self, tx: &mut UnitOfWork, deployment: &Deployment, named: Named) -> Result<(), PhaseError> {
        match named {
            Named::Nothing => Ok(()),
            Named::Local => Ok(tx.deployment_target_delete(deployment.team_id, deployment.id).await?),
            Named::Place { place, project, environment } => {
                self.placements().send(tx, (&project.name, &environment), deployment.id, &place).await?;
                Ok(())
            }
        }
    }
}

/// Place that a project file names.
enum Named {
    /// It names none, or somebody named another when they asked.
    Nothing,
    /// One's own machines.
    Local,
    /// An account and region.
    Place {
        /// The place.
        place: Place,
        /// The project, whose name is part of names there.
        project: Box<Project>,
        /// The environment.
        environment: Box<Environment>,
    },
}

fn as_failure(error: &ServiceError) -> PhaseError {
    PhaseError::Failed(Failure::new("MANIFEST_INVALID", error.to_string()))
}
