//! The release phase: start the new, wait until it answers, switch, let the old go.

use std::time::Duration;

use artifacts::ArtifactError;
use clouds_contract::{Cloud, Desired, Observation, Progress, Route, Scope};
use domain::artifact::Digest;
use domain::cloud::TargetState;
use domain::deployment::{Deployment, DeploymentStatus, Failure};
use domain::environment::environment_label;
use domain::id::{PlacementId, ResourceId};
use domain::project::Project;
use domain::resource::{Resource, ResourceKind};
use domain::time::now;
use domain::workload::{WorkloadKind, WorkloadSpec};
use jobs::payload::ReleaseJob;
use jobs::{JobAttempt, JobError, Outcome, Topic};
use services_core::unit_of_work::UnitOfWork;
use store::DeploymentChange;

use super::changes::DeploymentLog;
use super::leave::{leave_others, let_rest};
use super::{PhaseError, deadlines, transitions};
use crate::Deployments;

/// Interval at which a cloud is polled.
const OBSERVE_EVERY: Duration = Duration::from_millis(50);

impl Deployments {
    /// The work of a [`ReleaseJob`].
    pub async fn run_release(&self, run: &JobAttempt) -> Result<Outcome, JobError> {
        let job: ReleaseJob = run.payload()?;
        let Some(deployment) = self.store().deployment_get(job.team_id, job.deployment_id).await? else {
            return Ok(Outcome::Done);
        };
        if !matches!(deployment.status, DeploymentStatus::Queued | DeploymentStatus::Releasing) {
            return Ok(Outcome::Done);
        }
        let result = self.release(run, &deployment).await;
        self.conclude(run, &deployment, result).await
    }

    async fn release(&self, run: &JobAttempt, deployment: &Deployment) -> Result<Outcome, PhaseError> {
        let log = DeploymentLog::new(self, deployment);
        let phase = deadlines::RELEASING;
        // Before the deployment: one that is renamed in between has left its old name with it.
        let project = self.store().project_get(deployment.team_id, deployment.project_id).await?;
        let deployment = self.advance(run, deployment, DeploymentStatus::Releasing, phase, "releasing").await?;
        let (Some(project), Some(artifact), Some(spec)) = (project, &deployment.artifact_digest, &deployment.workload) else {
            return Err(JobError::Fail("the deployment has no project or artifact".to_owned()).into());
        };
        let cloud = self.home_cloud()?;
        let there = self.artifact_store().is_there(artifact).await;
        if !there.map_err(|error| PhaseError::from(&error))? {
            return Err(PhaseError::from(&ArtifactError::Gone));
        }
        self.record_resource(run, &deployment, cloud, ResourceKind::Workload, &deployment.id.to_string()).await?;
        let scope = Scope::local(deployment.team_id, None);
        cloud.apply(&scope, &desired(&deployment, &project, artifact, spec)).await?;
        self.wait_until_ready(run, cloud, &deployment, spec, &log).await?;
        self.switch(run, cloud, &deployment, spec).await
    }

    /// Writes into the inventory what is about to be made.
    async fn record_resource(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        cloud: &Cloud,
        kind: ResourceKind,
        external_id: &str,
    ) -> Result<(), PhaseError> {
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        let resource = Resource {
            id: ResourceId::new(),
            team_id: deployment.team_id,
            project_id: deployment.project_id,
            // A route outlives the deployment it shows first.
            deployment_id: (kind == ResourceKind::Workload).then_some(deployment.id),
            environment_id: (kind == ResourceKind::Route).then_some(deployment.environment_id),
            cloud: cloud.name.to_owned(),
            kind,
            external_id: external_id.to_owned(),
            created_at: now(),
        };
        tx.resource_put(&resource).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn wait_until_ready(
        &self,
        run: &JobAttempt,
        cloud: &Cloud,
        deployment: &Deployment,
        spec: &WorkloadSpec,
        log: &DeploymentLog,
    ) -> Result<(), PhaseError> {
        let scope = Scope::local(deployment.team_id, None);
        let mut said = String::new();
        loop {
            match cloud.observe(&scope, deployment.id, spec).await? {
                Observation::Ready { .. } => return Ok(()),
                Observation::Failed { code, message } => return Err(PhaseError::Failed(Failure { code, message })),
                Observation::Absent => {
                    return Err(JobError::Retry("the cloud does not have what was applied".to_owned()).into());
                }
                Observation::Pending { detail } if detail != said => {
                    log.say(format!("Releasing: {detail}")).await?;
                    said = detail;
                }
                Observation::Pending { .. } => {}
            }
            tokio::select! {
                () = tokio::time::sleep(OBSERVE_EVERY) => {}
                () = run.stop.cancelled() => return Err(JobError::Stopped.into()),
            }
        }
    }

    /// Switches the environment to the deployment. From the first step on it can no longer be cancelled, so that what visitors see
    /// and what the status says never part.
    async fn switch(
        &self,
        run: &JobAttempt,
        cloud: &Cloud,
        deployment: &Deployment,
        spec: &WorkloadSpec,
    ) -> Result<Outcome, PhaseError> {
        let environment = self.store().environment_get(deployment.team_id, deployment.environment_id).await?;
        let environment = environment.ok_or_else(|| JobError::Fail("the environment is gone".to_owned()))?;
        if let Some(newer) = self.newer_live(deployment).await? {
            let message = format!("deployment number {} is newer and live already", newer.number);
            return Err(PhaseError::Overtaken(Failure::new("SUPERSEDED", message)));
        }
        // It may have another name than when the release began. One that it gets from here on takes its route along.
        let project = self.store().project_get(deployment.team_id, deployment.project_id).await?;
        let project = project.ok_or_else(|| JobError::Fail("the project is gone".to_owned()))?;
        let label = environment_label(&project.name, &environment.name);
        self.record_resource(run, deployment, cloud, ResourceKind::Route, &label).await?;
        let (mut tx, _) = self.fenced(run, deployment).await?;
        if !tx.deployment_begin_switch(deployment.team_id, deployment.id).await? {
            return Err(JobError::Stopped.into());
        }
        tx.commit().await?;
        let route = Route {
            label: label.clone(),
            team_id: deployment.team_id,
            project_id: deployment.project_id,
            environment_id: deployment.environment_id,
            deployment_id: deployment.id,
            kind: spec.workload_kind(),
            before: environment.live_deployment_id,
        };
        match cloud.traffic.switch(&Scope::local(deployment.team_id, None), &route).await? {
            Progress::Ready(address) => self.record_live(run, deployment, &address.url, None).await,
            Progress::Pending(wait) => Err(JobError::Retry(wait.detail).into()),
        }
    }

    /// The live deployment of the same environment, if it was asked for after this one.
    pub(super) async fn newer_live(&self, deployment: &Deployment) -> Result<Option<Deployment>, PhaseError> {
        let environment = self.store().environment_get(deployment.team_id, deployment.environment_id).await?;
        let Some(live) = environment.and_then(|environment| environment.live_deployment_id) else { return Ok(None) };
        let live = self.store().deployment_get(deployment.team_id, live).await?;
        Ok(live.filter(|live| live.number > deployment.number))
    }

    /// Records that a deployment is live: in a placement, or on one's own machines without one.
    pub(super) async fn record_live(
        &self,
        run: &JobAttempt,
        deployment: &Deployment,
        url: &str,
        placement: Option<(PlacementId, WorkloadKind)>,
    ) -> Result<Outcome, PhaseError> {
        let (mut tx, deployment) = self.fenced(run, deployment).await?;
        let (team, environment) = (deployment.team_id, deployment.environment_id);
        for before in tx.deployment_list_live(team, environment).await? {
            let change = DeploymentChange {
                from: DeploymentStatus::Live,
                to: DeploymentStatus::Superseded,
                deadline: None,
                failure: None,
            };
            tx.deployment_change(team, before.id, &change).await?;
            let message = format!("superseded by deployment {} (number {})", deployment.id, deployment.number);
            transitions::record_event(&mut tx, &before, DeploymentStatus::Superseded, &message).await?;
            let_rest(&mut tx, &before, placement.map(|(id, _)| id)).await?;
        }
        if let Some((id, kind)) = placement {
            tx.placement_show(team, id, (deployment.id, kind), url).await?;
            tx.deployment_target_change(team, deployment.id, TargetState::Shown, None, None).await?;
            self.hide_local_route(&mut tx, &deployment).await?;
        }
        leave_others(&mut tx, &deployment, placement.map(|(id, _)| id)).await?;
        let change =
            DeploymentChange { from: DeploymentStatus::Releasing, to: DeploymentStatus::Live, deadline: None, failure: None };
        tx.deployment_change(team, deployment.id, &change).await?;
        tx.environment_set_live(team, environment, deployment.id).await?;
        transitions::record_event(&mut tx, &deployment, DeploymentStatus::Live, &format!("live at {url}")).await?;
        tx.job_finish(run.fence).await?;
        tx.commit().await?;
        self.retire_beyond(team, environment).await?;
        Ok(Outcome::Recorded)
    }
}

impl Deployments {
    /// Hides what an environment shows on one's own machines: from now on it is seen elsewhere.
    async fn hide_local_route(&self, tx: &mut UnitOfWork, deployment: &Deployment) -> Result<(), PhaseError> {
        let Deployment { team_id, project_id, environment_id, .. } = *deployment;
        for resource in self.store().resource_list_of_environment(team_id, environment_id).await? {
            if resource.kind == ResourceKind::Route {
                tx.local_route_delete((team_id, project_id), &resource.external_id).await?;
                tx.resource_delete(&resource).await?;
                tx.publish(Topic::Edges);
            }
        }
        Ok(())
    }
}

fn desired(deployment: &Deployment, project: &Project, artifact: &Digest, spec: &WorkloadSpec) -> Desired<WorkloadSpec> {
    Desired {
        deployment_id: deployment.id,
        team_id: deployment.team_id,
        project_id: deployment.project_id,
        environment_id: deployment.environment_id,
        label: deployment.label(&project.name),
        artifact: artifact.clone(),
        spec: spec.clone(),
    }
}
