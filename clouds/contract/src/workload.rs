//! The one place that picks the provider of a workload by its kind.

use domain::id::DeploymentId;
use domain::workload::WorkloadSpec;

use crate::{Cloud, CloudError, Desired, Observation, Progress, Scope, Started, ready};

/// Evaluates an expression with the provider of a workload's kind and its specification.
macro_rules! with_provider {
    ($cloud:expr, $spec:expr, |$provider:ident, $inner:ident| $call:expr) => {
        match $spec {
            WorkloadSpec::Static($inner) => {
                let $provider = $cloud.require(&$cloud.static_sites, "static sites")?;
                $call
            }
            WorkloadSpec::Server($inner) => {
                let $provider = $cloud.require(&$cloud.servers, "servers")?;
                $call
            }
            WorkloadSpec::Functions($inner) => {
                let $provider = $cloud.require(&$cloud.functions, "functions")?;
                $call
            }
        }
    };
}

impl Cloud {
    /// Makes a workload of any kind exist as described: see [`Provider::apply`](crate::Provider::apply).
    pub async fn apply(&self, scope: &Scope<'_>, desired: &Desired<WorkloadSpec>) -> Result<Progress<Started>, CloudError> {
        with_provider!(self, &desired.spec, |provider, spec| provider.apply(scope, &desired.with(spec.clone())).await)
    }

    /// State of a workload of this kind: see [`Provider::observe`](crate::Provider::observe).
    pub async fn observe(
        &self,
        scope: &Scope<'_>,
        deployment: DeploymentId,
        spec: &WorkloadSpec,
    ) -> Result<Observation, CloudError> {
        with_provider!(self, spec, |provider, _spec| provider.observe(scope, deployment).await)
    }

    /// Lets a workload of this kind rest: see [`Provider::rest`](crate::Provider::rest).
    pub async fn rest(&self, scope: &Scope<'_>, deployment: DeploymentId, spec: &WorkloadSpec) -> Result<Progress, CloudError> {
        with_provider!(self, spec, |provider, _spec| provider.rest(scope, deployment).await)
    }

    /// Makes a deployment's workload be gone, whatever kind it was: a provider deletes what it does not have without an error.
    pub async fn delete(&self, scope: &Scope<'_>, deployment: DeploymentId) -> Result<Progress, CloudError> {
        if let Some(provider) = &self.static_sites {
            ready!(provider.delete(scope, deployment).await?);
        }
        if let Some(provider) = &self.servers {
            ready!(provider.delete(scope, deployment).await?);
        }
        if let Some(provider) = &self.functions {
            ready!(provider.delete(scope, deployment).await?);
        }
        Ok(Progress::Ready(()))
    }
}
