//! Servers: an image of the deployment, run as a service of ECS on Fargate behind the account's load balancer.

use std::sync::Arc;

use async_trait::async_trait;
use clouds_contract::{
    CloudError, Desired, Entry, EntryState, Managed as _, Observation, Owner, Progress, Provider, Scope, Started, ensure, ready,
};
use domain::event::NewLine;
use domain::id::DeploymentId;
use domain::secret::Secret;
use domain::time::now;
use domain::workload::{Server, WorkloadKind};
use images::docker_archive;

use crate::base::{BALANCER_HOST, CLUSTER, LISTENER, NETWORK, ROLE, SUBNETS, TASK_GROUP, of_base};
use crate::client::Client;
use crate::managed::files::short;
use crate::managed::rule::{self, header};
use crate::managed::service::{self, Rollout};
use crate::managed::target_group::healthy;
use crate::managed::{
    Distribution, ImageThing, LogGroup, Origin, Parameter, Repository, Rule, ServerOrigin, Service, ServiceWanted, TargetGroup,
    TargetsWanted, Task, TaskDefinition, Wanted, distribution, ensure_at, image, task_definition,
};
use crate::release::{RuleState, check_kind, delete, own, place, targets, unroute};
use crate::sizes::{Size, size};
use crate::variables::passed;

/// Port of a server that has none of its own.
const PORT: u16 = 8080;

/// Servers of an account.
pub(crate) struct Servers {
    client: Arc<Client>,
}

/// Things of an environment that a deployment is made in.
struct Surroundings {
    repository: String,
    logs: String,
    /// The distribution is on its way to all edges; what it waits for.
    front: Progress,
}

impl Servers {
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// Makes what the deployments of the environment share.
    async fn surroundings(&self, scope: &Scope<'_>) -> Result<Progress<Surroundings>, CloudError> {
        let (client, region, placement) = (self.client.as_ref(), scope.region, place(scope)?.placement);
        let owner = Owner::Placement(placement);
        let tags = scope.whose.tags(owner);
        let repository = Repository { client, owner, region, tags: Some(tags.clone()) };
        let repository = ready!(ensure(&repository, scope).await?).id;
        let logs = ready!(ensure(&LogGroup { client, owner, region, tags: Some(tags.clone()) }, scope).await?).id;
        let (listener, balancer) = (of_base(scope, LISTENER)?, of_base(scope, BALANCER_HOST)?);
        let rule = Rule { client, placement, region, tags: Some(tags.clone()) };
        ready!(ensure_at(&rule, scope, &[(rule::LISTENER, &listener)]).await?);
        let entry = scope.journal.open(&rule.key(), rule.naming()).await?;
        let server = ServerOrigin { balancer: balancer.clone(), header: header(placement, &entry) };
        let wanted = Wanted { origin: Origin::Server(server), tags };
        let distribution = Distribution { client, placement, region, wanted: Some(wanted) };
        // It takes minutes: everything else is made meanwhile.
        let front = ensure_at(&distribution, scope, &[(distribution::BALANCER, &balancer)]).await?.map(drop);
        Ok(Progress::Ready(Surroundings { repository, logs, front }))
    }

    /// Makes everything that a task needs. Returns the ARN of its definition, and its port.
    async fn task(
        &self,
        scope: &Scope<'_>,
        desired: &Desired<Server>,
        variables: Vec<(String, Secret)>,
        around: &Surroundings,
    ) -> Result<Progress<(String, u16)>, CloudError> {
        let (client, region, deployment) = (self.client.as_ref(), scope.region, desired.deployment_id);
        let owner = Owner::Deployment(deployment);
        if let Some(made) = made(own(scope, deployment, task_definition::KIND).await?) {
            return Ok(Progress::Ready(made));
        }
        let tags = scope.whose.tags(owner);
        let thing = ImageThing { client, owner, region, tag: short(deployment), make: Some((scope, desired)) };
        let image = ready!(ensure_at(&thing, scope, &[(image::REPOSITORY, &around.repository)]).await?).id;
        let (mut plain, mut parameters) = (own_variables(desired, &variables), Vec::new());
        for (variable, value) in variables {
            if value.expose().is_empty() {
                // Parameters are never empty.
                plain.push((variable, String::new()));
                continue;
            }
            let content = Some((value, tags.clone()));
            let thing = Parameter { client, deployment, region, variable: variable.clone(), content };
            parameters.push((variable, ready!(ensure(&thing, scope).await?).id));
        }
        let port = port(scope, desired).await?;
        let size = size(desired.spec.cpu, desired.spec.memory_mib);
        let (role, logs) = (of_base(scope, ROLE)?, around.logs.clone());
        let task = Task { image, port, size, role, logs, plain, parameters, tags };
        let thing = TaskDefinition { client, owner, region, task: Some(task) };
        let known = [(task_definition::PORT, port.to_string())];
        let known = known.each_ref().map(|(name, value)| (*name, value.as_str()));
        Ok(ensure_at(&thing, scope, &known).await?.map(|found| (found.id, port)))
    }

    /// Makes the target group, puts it behind the environment's rule without visitors, and starts the tasks.
    async fn start(
        &self,
        scope: &Scope<'_>,
        desired: &Desired<Server>,
        (definition, port): (String, u16),
    ) -> Result<Progress, CloudError> {
        let (client, region) = (self.client.as_ref(), scope.region);
        let owner = Owner::Deployment(desired.deployment_id);
        let tags = scope.whose.tags(owner);
        let health_path = format!("/{}", desired.spec.health_path.trim_start_matches('/'));
        let wanted = TargetsWanted { network: of_base(scope, NETWORK)?, port, health_path, tags: tags.clone() };
        let thing = TargetGroup { client, owner, region, wanted: Some(wanted) };
        let targets = ready!(ensure(&thing, scope).await?).id;
        let rule = RuleState::get(client, scope).await?;
        let rule = rule.ok_or_else(|| CloudError::internal("the rule of the environment is gone", "it was just made"))?;
        let routes = rule.routes.clone().with(&targets);
        rule.set(client, scope, &routes).await?;
        let wanted = ServiceWanted {
            definition,
            targets,
            port,
            replicas: desired.spec.replicas,
            subnets: of_base(scope, SUBNETS)?.split(',').map(str::to_owned).collect(),
            group: of_base(scope, TASK_GROUP)?,
            tags,
        };
        let thing = Service { client, owner, region, wanted: Some(wanted) };
        let cluster = of_base(scope, CLUSTER)?;
        Ok(ensure_at(&thing, scope, &[(service::CLUSTER, &cluster)]).await?.map(drop))
    }

    /// The service of a deployment: its cluster, its name, and what ECS says of it.
    async fn service(
        &self,
        scope: &Scope<'_>,
        deployment: DeploymentId,
    ) -> Result<Option<(String, String, serde_json::Value)>, CloudError> {
        let Some(entry) = own(scope, deployment, service::KIND).await? else { return Ok(None) };
        let Some(cluster) = entry.outputs.get(service::CLUSTER) else { return Ok(None) };
        let service = service::get(&self.client, scope.region, cluster, &entry.name).await?;
        Ok(service.map(|service| (cluster.clone(), entry.name.clone(), service)))
    }
}

/// Task definition and port by the definition's entry, once it is there: images, parameters and definitions never change.
fn made(entry: Option<Entry>) -> Option<(String, u16)> {
    let entry = entry.filter(|entry| entry.state == EntryState::There)?;
    let port = entry.outputs.get(task_definition::PORT)?.parse().ok()?;
    Some((entry.external_id?, port))
}

/// Variables of the project's own, which those of the environment win over. An image that we put together has them already.
fn own_variables(desired: &Desired<Server>, variables: &[(String, Secret)]) -> Vec<(String, String)> {
    if desired.spec.image.is_none() {
        return Vec::new();
    }
    let own = desired.spec.env.iter().filter(|(name, _)| !variables.iter().any(|(other, _)| other == name));
    own.cloned().collect()
}

async fn port(scope: &Scope<'_>, desired: &Desired<Server>) -> Result<u16, CloudError> {
    let Some(settings) = &desired.spec.image else { return Ok(desired.spec.port.unwrap_or(PORT)) };
    let directory = scope.inputs.artifact(&desired.artifact).await?;
    docker_archive::port(&directory.join(docker_archive::ARCHIVE), settings.port).await
}

/// Lines for the log about what is other than asked for.
fn notes(desired: &Desired<Server>, reserved: &[String], size: Size) -> Vec<String> {
    let mut lines = Vec::new();
    if !reserved.is_empty() {
        lines.push(format!("MikroCloud sets {} itself: the environment's values are not used", reserved.join(", ")));
    }
    if f64::from(size.units) > desired.spec.cpu * 1024.0 || size.memory_mib != desired.spec.memory_mib {
        let cpu = f64::from(size.units) / 1024.0;
        lines.push(format!("Fargate gives each task {cpu} CPU and {} MiB, the next size it has", size.memory_mib));
    }
    lines
}

#[async_trait]
impl Provider<Server> for Servers {
    async fn apply(&self, scope: &Scope<'_>, desired: &Desired<Server>) -> Result<Progress<Started>, CloudError> {
        check_kind(scope, WorkloadKind::Server).await?;
        let (variables, reserved) = passed(scope.inputs.variables(desired.deployment_id).await?)?;
        let around = ready!(self.surroundings(scope).await?);
        let is_new = own(scope, desired.deployment_id, service::KIND).await?.is_none_or(|entry| entry.state != EntryState::There);
        let task = ready!(self.task(scope, desired, variables, &around).await?);
        ready!(self.start(scope, desired, task).await?);
        if is_new {
            let lines = notes(desired, &reserved, size(desired.spec.cpu, desired.spec.memory_mib));
            scope.log.write(lines.into_iter().map(NewLine::system).collect()).await?;
        }
        Ok(around.front.map(|()| Started { address: None }))
    }

    async fn observe(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
        let Some((_, _, service)) = self.service(scope, deployment).await? else { return Ok(Observation::Absent) };
        let desired = service["desiredCount"].as_u64().unwrap_or_default();
        let pending = |detail: String| Ok(Observation::Pending { detail });
        match service::rollout(&service) {
            Rollout::Failed(reason) => {
                let message = format!("ECS could not start the program. {reason}");
                return Ok(Observation::Failed { code: "TASKS_FAILED".to_owned(), message });
            }
            Rollout::Going(reason) => return pending(format!("ECS to start the tasks: {reason}")),
            Rollout::Completed if desired == 0 => return pending("somebody to wake it: it rests".to_owned()),
            Rollout::Completed => {}
        }
        let Some(group) = targets(scope, deployment).await? else { return Ok(Observation::Absent) };
        let count = healthy(&self.client, scope.region, &group).await?;
        if u64::try_from(count).unwrap_or(u64::MAX) < desired {
            return pending(format!("the load balancer to find the tasks healthy ({count} of {desired})"));
        }
        Ok(Observation::Ready { since: now() })
    }

    /// Ends the tasks. What visitors see goes on.
    async fn rest(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        let group = targets(scope, deployment).await?;
        if let Some(rule) = RuleState::get(&self.client, scope).await?
            && rule.routes.shown() == group.as_deref()
            && group.is_some()
        {
            return Ok(Progress::Ready(()));
        }
        unroute(&self.client, scope, deployment).await?;
        if let Some((cluster, name, service)) = self.service(scope, deployment).await?
            && service["desiredCount"].as_u64() != Some(0)
        {
            service::scale(&self.client, scope.region, &cluster, &name, 0).await?;
        }
        Ok(Progress::Ready(()))
    }

    async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        delete(&self.client, scope, deployment).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired(spec: Server) -> Desired<Server> {
        Desired {
            deployment_id: DeploymentId::new(),
            team_id: domain::id::TeamId::new(),
            project_id: domain::id::ProjectId::new(),
            environment_id: domain::id::EnvironmentId::new(),
            label: "shop".to_owned(),
            artifact: "1".repeat(64).parse().unwrap(),
            spec,
        }
    }

    fn server() -> Server {
        Server {
            command: vec![],
            directory: String::new(),
            path: vec![],
            env: vec![("A".to_owned(), "own".to_owned()), ("B".to_owned(), "own".to_owned())],
            port: None,
            health_path: "/".to_owned(),
            replicas: 1,
            memory_mib: 512,
            cpu: 0.25,
            image: Some(domain::workload::Image::default()),
        }
    }

    #[test]
    fn variables_of_the_environment_win_over_the_projects_own() {
        let variables = [("A".to_owned(), Secret::new("theirs"))];
        assert_eq!(own_variables(&desired(server()), &variables), [("B".to_owned(), "own".to_owned())]);
        let files = desired(Server { image: None, ..server() });
        assert!(own_variables(&files, &variables).is_empty());
    }

    #[test]
    fn what_is_other_than_asked_for_is_said() {
        assert!(notes(&desired(server()), &[], size(0.25, 512)).is_empty());
        let lines = notes(&desired(Server { cpu: 0.3, ..server() }), &["PORT".to_owned()], size(0.3, 512));
        assert_eq!(lines[1], "Fargate gives each task 0.5 CPU and 1024 MiB, the next size it has");
        assert!(lines[0].contains("PORT"));
    }
}
