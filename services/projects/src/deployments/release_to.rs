//! The release in a vendor's cloud: as far as can be done now, again and again, with the environment held in between
//! (docs/adr/0025-clouds-of-vendors.md).

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{
    Address, Base, CloudError, Desired, ErrorKind, Inputs, Observation, Outputs, Progress, Retry, Route, Wait,
};
use domain::artifact::Digest;
use domain::cloud::{Placement, TargetState};
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::id::{DeploymentId, PlacementId};
use domain::secret::Secret;
use domain::workload::WorkloadSpec;
use jobs::payload::ReleaseToJob;
use jobs::{JobAttempt, JobError, Later, Outcome};
use services_clouds::{PATIENCE, Readiness, SHORT_WAIT, Unusable, Work};

use super::changes::DeploymentLog;
use super::{PhaseError, in_time};
use crate::variables::open_variables;
use crate::{Deployments, ProjectServices};

/// Artifacts and variables of a deployment.
pub(super) struct DeploymentInputs {
    services: ProjectServices,
    deployment: Deployment,
}

#[async_trait]
impl Inputs for DeploymentInputs {
    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        let fetched = self.services.artifact_store().fetch(digest).await;
        fetched.map_err(|error| CloudError::internal("the artifact could not be fetched", error))
    }

    async fn variables(&self, _deployment: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        let opened = open_variables(self.services.store(), self.services.sealer(), &self.deployment).await;
        opened.map_err(|error| CloudError::internal("the variables could not be opened", error))
    }
}

/// One attempt at a release in a vendor's cloud.
struct Attempt<'a> {
    services: &'a Deployments,
    run: &'a JobAttempt,
    deployment: Deployment,
    placement: Placement,
    work: Work,
    inputs: DeploymentInputs,
    log: DeploymentLog,
    began: tokio::time::Instant,
}

impl Deployments {
    /// The work of a [`ReleaseToJob`].
    pub async fn run_release_to(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: ReleaseToJob = run.payload()?;
        let Some(deployment) = self.store().deployment_get(job.team_id, job.deployment_id).await? else {
            return Ok(Outcome::Done);
        };
        if !matches!(deployment.status, DeploymentStatus::Queued | DeploymentStatus::Releasing) {
            return Ok(Outcome::Done);
        }
        let result = match self.attempt(run, &deployment).await {
            Ok(Some(attempt)) => attempt.release().await,
            Ok(None) => Ok(Outcome::Done),
            Err(error) => Err(error),
        };
        self.conclude(run, &deployment, result).await
    }

    async fn attempt<'a>(&'a self, run: &'a JobAttempt, deployment: &Deployment) -> Result<Option<Attempt<'a>>, PhaseError> {
        let Some(placement) = self.placements().of_deployment(deployment.team_id, deployment.id).await? else { return Ok(None) };
        let work = match self.work_in(run, &placement).await? {
            Ok(work) => work,
            Err(Unusable(reason)) => return Err(PhaseError::Failed(Failure::new("ACCOUNT_UNUSABLE", reason))),
        };
        let deadline = chrono::Duration::from_std(work.cloud.about.release_deadline).unwrap_or(super::deadlines::RELEASING);
        let deployment = self.advance(run, deployment, DeploymentStatus::Releasing, deadline, "releasing").await?;
        self.extend(run, &deployment, placement.id, deadline).await?;
        Ok(Some(Attempt {
            services: self,
            run,
            log: DeploymentLog::new(self, &deployment),
            inputs: self.inputs_of(&deployment),
            deployment,
            placement,
            work,
            began: tokio::time::Instant::now(),
        }))
    }

    /// Gives a deployment that came from a build the time that a release takes there. Its first attempt does; later ones find it given.
    async fn extend(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        placement: PlacementId,
        deadline: chrono::Duration,
    ) -> Result<(), PhaseError> {
        if run.job.waits_for.is_some() {
            return Ok(());
        }
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        // The environment may have left the place while this one was built.
        tx.placement_use(deployment.team_id, placement).await?;
        let status = deployment.status;
        let change = store::DeploymentChange { from: status, to: status, deadline: Some(in_time(deadline)), failure: None };
        tx.deployment_change(deployment.team_id, deployment.id, &change).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) fn inputs_of(&self, deployment: &Deployment) -> DeploymentInputs {
        let services: &ProjectServices = self;
        DeploymentInputs { services: services.clone(), deployment: deployment.clone() }
    }
}

impl Attempt<'_> {
    async fn release(mut self) -> Result<Outcome, PhaseError> {
        let team = self.deployment.team_id;
        let project = self.services.store().project_get(team, self.deployment.project_id).await?;
        let (Some(project), Some(artifact), Some(spec)) =
            (project, self.deployment.artifact_digest.clone(), self.deployment.workload.clone())
        else {
            return Err(JobError::Fail("the deployment has no project or artifact".to_owned()).into());
        };
        let outputs = match self.bases(&spec).await? {
            Ok(outputs) => outputs,
            Err(later) => return Ok(later),
        };
        self.work = self.work.on(outputs);
        let desired = Desired {
            deployment_id: self.deployment.id,
            team_id: team,
            project_id: self.deployment.project_id,
            environment_id: self.deployment.environment_id,
            label: self.deployment.label(&project.name),
            artifact,
            spec,
        };
        if let Some(later) = self.start(&desired).await? {
            return Ok(later);
        }
        if let Some(later) = self.until_ready(&desired.spec).await? {
            return Ok(later);
        }
        self.switch(&desired.spec).await
    }

    /// Outputs of the bases that the kind of workload needs; what it needs and the cloud has not is refused before anything is made.
    async fn bases(&self, spec: &WorkloadSpec) -> Result<Result<Outputs, Outcome>, PhaseError> {
        let about = self.work.cloud.about;
        let needed: Option<&[Base]> = match spec {
            WorkloadSpec::Static(_) => about.static_sites.as_ref().map(|site| site.bases),
            WorkloadSpec::Server(_) => about.servers.as_ref().map(|server| server.bases),
            WorkloadSpec::Functions(_) => None,
        };
        let Some(needed) = needed else {
            let message = format!(
                "{} are not yet on {}: deploy with `--cloud local`, which has them",
                match spec {
                    WorkloadSpec::Static(_) => "static sites",
                    WorkloadSpec::Server(_) => "servers",
                    WorkloadSpec::Functions(_) => "functions",
                },
                about.title
            );
            return Err(PhaseError::Failed(Failure::new("NOT_ON_THIS_CLOUD", message)));
        };
        let Placement { team_id, account_id, region, .. } = &self.placement;
        loop {
            match self.services.bases().need((*team_id, *account_id, region), needed, self.deployment.created_at).await? {
                Readiness::Ready(outputs) => return Ok(Ok(outputs)),
                Readiness::Failed(problem) => return Err(PhaseError::Failed(Failure::new("BASE_FAILED", problem))),
                Readiness::Preparing(what) => {
                    let wait = Wait { detail: format!("preparing {what}"), retry_after: self.look_every() };
                    if let Some(later) = self.wait(wait).await? {
                        return Ok(Err(later));
                    }
                }
            }
        }
    }

    async fn start(&self, desired: &Desired<WorkloadSpec>) -> Result<Option<Outcome>, PhaseError> {
        loop {
            let scope = self.work.scope(&self.inputs, &self.log);
            match self.work.cloud.apply(&scope, desired).await {
                Ok(Progress::Ready(started)) => {
                    let url = started.address.map(|address| address.url);
                    self.note(TargetState::Applying, None, url.as_deref()).await?;
                    return Ok(None);
                }
                Ok(Progress::Pending(wait)) => {
                    if let Some(later) = self.wait(wait).await? {
                        return Ok(Some(later));
                    }
                }
                Err(error) => return self.trouble(error).await.map(Some),
            }
        }
    }

    async fn until_ready(&self, spec: &WorkloadSpec) -> Result<Option<Outcome>, PhaseError> {
        loop {
            let scope = self.work.scope(&self.inputs, &self.log);
            match self.work.cloud.observe(&scope, self.deployment.id, spec).await {
                Ok(Observation::Ready { .. }) => {
                    self.note(TargetState::Ready, None, None).await?;
                    return Ok(None);
                }
                Ok(Observation::Failed { code, message }) => return Err(PhaseError::Failed(Failure { code, message })),
                Ok(Observation::Absent) => {
                    return Err(JobError::Retry("the cloud does not have what was applied".to_owned()).into());
                }
                Ok(Observation::Pending { detail }) => {
                    if let Some(later) = self.wait(Wait { detail, retry_after: self.look_every() }).await? {
                        return Ok(Some(later));
                    }
                }
                Err(error) => return self.trouble(error).await.map(Some),
            }
        }
    }

    /// Switches the environment to the deployment. From the first step on it can no longer be cancelled.
    async fn switch(&self, spec: &WorkloadSpec) -> Result<Outcome, PhaseError> {
        let Deployment { team_id, environment_id, id, .. } = self.deployment;
        let environment = self.services.store().environment_get(team_id, environment_id).await?;
        let environment = environment.ok_or_else(|| JobError::Fail("the environment is gone".to_owned()))?;
        if let Some(newer) = self.services.newer_live(&self.deployment).await? {
            let message = format!("deployment number {} is newer and live already", newer.number);
            return Err(PhaseError::Overtaken(Failure::new("SUPERSEDED", message)));
        }
        let (mut tx, _) = self.services.fenced(self.run, &self.deployment).await?;
        if !tx.deployment_begin_switch(team_id, id).await? {
            return Err(JobError::Stopped.into());
        }
        tx.commit().await?;
        let route = Route {
            label: self.placement.label.clone(),
            team_id,
            project_id: self.deployment.project_id,
            environment_id,
            deployment_id: id,
            kind: spec.workload_kind(),
            before: environment.live_deployment_id,
        };
        loop {
            let scope = self.work.scope(&self.inputs, &self.log);
            match self.work.cloud.traffic.switch(&scope, &route).await {
                Ok(Progress::Ready(address)) => return self.live(spec, &address).await,
                Ok(Progress::Pending(wait)) => {
                    if let Some(later) = self.wait(wait).await? {
                        return Ok(later);
                    }
                }
                Err(error) => return self.trouble(error).await,
            }
        }
    }

    async fn live(&self, spec: &WorkloadSpec, address: &Address) -> Result<Outcome, PhaseError> {
        let placement = (self.placement.id, spec.workload_kind());
        self.services.record_live(self.run, &self.deployment, &address.url, Some(placement)).await
    }

    /// Pause between two looks at what a cloud names no pause for.
    fn look_every(&self) -> Duration {
        Duration::from_millis(if self.work.account.is_simulated() { 50 } else { 3000 })
    }

    /// Sits a short wait out, or hands the job back until it is over.
    async fn wait(&self, wait: Wait) -> Result<Option<Outcome>, PhaseError> {
        if wait.retry_after > SHORT_WAIT || self.began.elapsed() > PATIENCE {
            return self.later(wait).await.map(Some);
        }
        self.say(&wait.detail).await?;
        tokio::select! {
            () = tokio::time::sleep(wait.retry_after) => Ok(None),
            () = self.run.stop.cancelled() => Err(JobError::Stopped.into()),
        }
    }

    async fn later(&self, wait: Wait) -> Result<Outcome, PhaseError> {
        self.say(&wait.detail).await?;
        Ok(Outcome::Later(Later { after: wait.retry_after, holds: true, waits_for: wait.detail }))
    }

    /// Says what is waited for, once.
    async fn say(&self, detail: &str) -> Result<(), PhaseError> {
        let Deployment { team_id, id, .. } = self.deployment;
        let target = self.services.store().deployment_target_get(team_id, id).await?;
        if target.is_some_and(|target| target.detail.as_deref() == Some(detail)) {
            return Ok(());
        }
        self.note(TargetState::Applying, Some(detail), None).await?;
        self.log.say(format!("Releasing: {detail}")).await?;
        Ok(())
    }

    async fn note(&self, state: TargetState, detail: Option<&str>, url: Option<&str>) -> Result<(), PhaseError> {
        let (mut tx, deployment) = self.services.fenced(self.run, &self.deployment).await?;
        tx.deployment_target_change(deployment.team_id, deployment.id, state, detail, url).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Turns a vendor's error into a wait, or into the end of the deployment.
    async fn trouble(&self, error: CloudError) -> Result<Outcome, PhaseError> {
        self.services.note_refusal(&self.work.account, &error).await?;
        let after = match (error.kind, error.retry) {
            (ErrorKind::Cancelled, _) => return Err(JobError::Stopped.into()),
            (ErrorKind::SignedOut, _) => return Err(PhaseError::Failed(Failure::new("CLOUD_SIGNED_OUT", error.message))),
            (ErrorKind::Internal, _) => return Err(JobError::Retry(jobs::handler::chain(&error)).into()),
            (_, Retry::Never | Retry::Reconnect) => return Err(PhaseError::Failed(Failure::new(error.code, error.message))),
            (_, Retry::After(after)) => after,
            (_, Retry::Soon | Retry::Look | Retry::Reread) => Duration::from_secs(5),
        };
        tracing::info!(deployment.id = %self.deployment.id, error = jobs::handler::chain(&error), context = ?error.context(),
            "a cloud could not do what was asked; it is asked again");
        self.later(Wait {
            detail: format!("{} to answer again: {}", self.work.cloud.about.title, error.message),
            retry_after: after,
        })
        .await
    }
}
