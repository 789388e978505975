//! What routes and the layers around them work with.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use metrics_exporter_prometheus::PrometheusHandle;
use schema::ApiSchema;
use services::{RateLimiter, Services};
use url::Url;

use crate::public_url::PublicUrl;

/// How long an answer may take apart from uploads and subscriptions.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// What the routes of every process work with.
#[derive(Clone)]
pub(crate) struct MachineState {
    pub services: Services,
    pub metrics: PrometheusHandle,
}

/// What the routes of the API work with.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub machine: MachineState,
    pub schema: ApiSchema,
    pub limiter: Arc<RateLimiter>,
    pub public: PublicUrl,
    /// Which other sites' scripts may use the API.
    pub allowed_origins: Arc<[Url]>,
}

impl FromRef<ApiState> for MachineState {
    fn from_ref(state: &ApiState) -> Self {
        state.machine.clone()
    }
}

impl FromRef<ApiState> for Services {
    fn from_ref(state: &ApiState) -> Self {
        state.machine.services.clone()
    }
}
