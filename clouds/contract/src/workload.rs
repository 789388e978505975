//! The one place that picks the provider of a workload by its kind.

use domain::id::DeploymentId;
use domain::workload::WorkloadSpec;

use crate::{Cloud, CloudError, Desired, Observation};

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
    /// Asks for a workload of any kind to exist as described: see [`Provider::apply`](crate::Provider::apply).
    pub async fn apply(&self, desired: &Desired<WorkloadSpec>) -> Result<(), CloudError> {
        with_provider!(self, &desired.spec, |provider, spec| provider.apply(&desired.with(spec.clone())).await)
    }

    /// State of a workload of this kind: see [`Provider::observe`](crate::Provider::observe).
    pub async fn observe(&self, deployment: DeploymentId, spec: &WorkloadSpec) -> Result<Observation, CloudError> {
        with_provider!(self, spec, |provider, _spec| provider.observe(deployment).await)
    }

    /// Asks for a deployment's workload to be gone, whatever kind it was: a provider deletes what it does not have without an error.
    pub async fn delete(&self, deployment: DeploymentId) -> Result<(), CloudError> {
        if let Some(provider) = &self.static_sites {
            provider.delete(deployment).await?;
        }
        if let Some(provider) = &self.servers {
            provider.delete(deployment).await?;
        }
        if let Some(provider) = &self.functions {
            provider.delete(deployment).await?;
        }
        Ok(())
    }
}
