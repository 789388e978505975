//! The machine as a cloud like the others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clouds_contract::{
    About, Address, Builds, Cloud, CloudError, Desired, ErrorKind, HostLabels, Observation, Progress, Provider, Reach, Route,
    Rules, Scope, ServerAbout, SiteAbout, Started, Switch, Traffic,
};
use domain::id::{DeploymentId, ProjectId, TeamId};
use domain::workload::{FunctionSet, Server, StaticSite, WorkloadSpec};
use tokio::time::{Instant, timeout};

use crate::control::SharedControlPlane;
use crate::edge::Edge;

/// Timeout of a switch, until new requests use it.
const SWITCH_DEADLINE: Duration = Duration::from_secs(30);

/// Time for which a deletion waits for processes to end. Those that take longer end in the background.
const DELETE_DEADLINE: Duration = Duration::from_secs(8);

/// The edges, as who asks for something sees them: in this process, or on other machines.
#[async_trait]
pub trait Edges: Send + Sync + 'static {
    /// Says that the desired state changed: it is to be read again now.
    fn refresh(&self);

    /// Waits until new requests for this label go to this deployment, wherever they come in.
    async fn wait_shown(&self, label: &str, deployment_id: DeploymentId);

    /// Waits until this label shows nothing anywhere.
    async fn wait_hidden(&self, label: &str);

    /// Waits until nothing of this deployment is left.
    async fn wait_gone(&self, deployment_id: DeploymentId);

    /// Returns the address to which this process can send visitors' requests, such as `127.0.0.1:8080`; `None` if there is no
    /// edge.
    async fn address(&self) -> Option<String>;

    /// The address at which a label is seen.
    fn url(&self, label: &str) -> String;
}

#[async_trait]
impl Edges for Edge {
    fn refresh(&self) {
        Self::refresh(self);
    }

    async fn wait_shown(&self, label: &str, deployment_id: DeploymentId) {
        Self::wait_shown(self, label, deployment_id).await;
    }

    async fn wait_hidden(&self, label: &str) {
        Self::wait_hidden(self, label).await;
    }

    async fn wait_gone(&self, deployment_id: DeploymentId) {
        Self::wait_gone(self, deployment_id).await;
    }

    async fn address(&self) -> Option<String> {
        self.listening()
    }

    fn url(&self, label: &str) -> String {
        Self::url(self, label)
    }
}

/// Abilities of the local cloud.
static ABOUT: About = About {
    title: "Own machines",
    regions: &[],
    release_deadline: Duration::from_mins(10),
    static_sites: Some(SiteAbout {
        switch: Switch::Atomic,
        own_address: true,
        not_found_page: true,
        redirects: Rules::All,
        headers: Rules::All,
        bases: &[],
        idle: &[],
    }),
    servers: Some(ServerAbout {
        switch: Switch::Atomic,
        own_address: true,
        sleeps: false,
        variable_bytes: 64 * 1024,
        bases: &[],
        idle: &[],
    }),
};

/// The local cloud: wishes are recorded by the control plane and made true by the edges.
pub struct LocalCloud {
    edges: Arc<dyn Edges>,
    control: SharedControlPlane,
}

impl LocalCloud {
    /// Machines of one's own as a cloud. Only who builds needs a builder.
    pub fn cloud(edges: Arc<dyn Edges>, control: SharedControlPlane, builds: Option<Arc<dyn Builds>>) -> Cloud {
        let local = Arc::new(Self { edges, control });
        Cloud {
            name: domain::cloud::LOCAL,
            about: &ABOUT,
            account: None,
            static_sites: Some(Arc::clone(&local) as Arc<dyn Provider<StaticSite>>),
            servers: Some(Arc::clone(&local) as Arc<dyn Provider<Server>>),
            functions: Some(Arc::clone(&local) as Arc<dyn Provider<FunctionSet>>),
            builds,
            traffic: Arc::clone(&local) as Arc<dyn Traffic>,
            labels: Some(local),
        }
    }

    fn address_of(&self, label: &str) -> Address {
        let url = self.edges.url(label);
        // Where an edge is found is asked at the time of a request: edges come and go.
        Address { reach: Reach { base: url.clone(), host: host_of(&url) }, url, alias_target: None }
    }

    async fn put<S: Clone>(&self, desired: &Desired<S>, spec: fn(S) -> WorkloadSpec) -> Result<(), CloudError> {
        let wish = Desired {
            deployment_id: desired.deployment_id,
            team_id: desired.team_id,
            project_id: desired.project_id,
            environment_id: desired.environment_id,
            label: desired.label.clone(),
            artifact: desired.artifact.clone(),
            spec: spec(desired.spec.clone()),
        };
        self.control.put_workload(&wish).await?;
        self.edges.refresh();
        Ok(())
    }

    async fn observed(&self, deployment_id: DeploymentId) -> Result<Observation, CloudError> {
        Ok(self.control.workload(deployment_id).await?.map_or(Observation::Absent, |workload| workload.observed))
    }

    async fn remove_workload(&self, deployment_id: DeploymentId) -> Result<(), CloudError> {
        self.control.delete_workload(deployment_id).await?;
        self.edges.refresh();
        if timeout(DELETE_DEADLINE, self.edges.wait_gone(deployment_id)).await.is_err() {
            tracing::warn!(%deployment_id, "a deleted workload takes long to end");
        }
        Ok(())
    }

    /// Returns true if the route is no longer the requested one, because of another switch meanwhile.
    async fn is_overtaken(&self, route: &Route) -> Result<bool, CloudError> {
        Ok(self.control.routes().await?.get(&route.label) != Some(&route.deployment_id))
    }
}

macro_rules! provide {
    ($($spec:ident => $variant:ident),*) => {$(
        #[async_trait]
        impl Provider<$spec> for LocalCloud {
            async fn apply(&self, _scope: &Scope<'_>, desired: &Desired<$spec>) -> Result<Progress<Started>, CloudError> {
                self.put(desired, WorkloadSpec::$variant).await?;
                Ok(Progress::Ready(Started { address: Some(self.address_of(&desired.label)) }))
            }

            async fn observe(&self, _scope: &Scope<'_>, deployment: DeploymentId) -> Result<Observation, CloudError> {
                self.observed(deployment).await
            }

            /// Those that are kept for a rollback go on running: how many is the team's own decision.
            async fn rest(&self, _scope: &Scope<'_>, _deployment: DeploymentId) -> Result<Progress, CloudError> {
                Ok(Progress::Ready(()))
            }

            async fn delete(&self, _scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
                self.remove_workload(deployment).await.map(Progress::Ready)
            }
        }
    )*};
}

provide!(StaticSite => Static, Server => Server, FunctionSet => Functions);

#[async_trait]
impl Traffic for LocalCloud {
    async fn switch(&self, _scope: &Scope<'_>, route: &Route) -> Result<Progress<Address>, CloudError> {
        let Some(workload) = self.control.workload(route.deployment_id).await? else {
            let message = format!("{} does not exist here: it cannot be shown", route.deployment_id);
            return Err(CloudError::new(ErrorKind::NotFound, "NOT_FOUND", message));
        };
        self.control.put_route(route).await?;
        let deadline = Instant::now() + SWITCH_DEADLINE;
        while Instant::now() < deadline {
            self.edges.refresh();
            let shown = self.edges.wait_shown(&route.label, route.deployment_id);
            if timeout(Duration::from_secs(1), shown).await.is_ok() || self.is_overtaken(route).await? {
                return Ok(Progress::Ready(self.address_of(&route.label)));
            }
        }
        let detail = match workload.observed {
            Observation::Failed { message, .. } | Observation::Pending { detail: message } => format!(": {message}"),
            Observation::Absent | Observation::Ready { .. } => String::new(),
        };
        let message =
            format!("{} does not answer, so `{}` goes on showing what it shows{detail}", route.deployment_id, route.label);
        Err(CloudError::new(ErrorKind::Unavailable, "SWITCH_TIMED_OUT", message))
    }

    async fn shown(&self, scope: &Scope<'_>) -> Result<Option<DeploymentId>, CloudError> {
        match &scope.whose.environment {
            Some(place) => self.current(&place.label).await,
            None => Ok(None),
        }
    }

    async fn remove(&self, scope: &Scope<'_>) -> Result<Progress, CloudError> {
        if let Some(place) = &scope.whose.environment {
            HostLabels::remove(self, (scope.whose.team, place.project), &place.label).await?;
        }
        Ok(Progress::Ready(()))
    }
}

#[async_trait]
impl HostLabels for LocalCloud {
    async fn current(&self, label: &str) -> Result<Option<DeploymentId>, CloudError> {
        Ok(self.control.routes().await?.get(label).copied())
    }

    async fn remove(&self, owner: (TeamId, ProjectId), label: &str) -> Result<(), CloudError> {
        self.control.delete_route(owner, label).await?;
        self.edges.refresh();
        // A repeated call finds it gone already; an edge that is stopping looks again after its start.
        let _ = timeout(Duration::from_secs(2), self.edges.wait_hidden(label)).await;
        Ok(())
    }

    async fn reach(&self, label: &str) -> Result<Reach, CloudError> {
        let address = self.edges.address().await.ok_or_else(|| {
            CloudError::new(ErrorKind::Unavailable, "NO_EDGE", "no edge is alive: start `mikrocloud edge` on a machine")
        })?;
        Ok(Reach { base: format!("http://{address}"), host: host_of(&self.edges.url(label)) })
    }

    fn url(&self, label: &str) -> String {
        self.edges.url(label)
    }
}

/// Host and port of an address.
fn host_of(url: &str) -> String {
    url.split("://").nth(1).unwrap_or(url).to_owned()
}
