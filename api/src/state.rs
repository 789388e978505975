//! State of the routes and of the layers around them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use metrics_exporter_prometheus::PrometheusHandle;
use schema::ApiSchema;
use services::{RateLimiter, Services};
use url::Url;

use crate::public_url::PublicUrl;

/// Timeout of a response, apart from uploads and subscriptions.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// State of the routes that every process has.
#[derive(Clone)]
pub(crate) struct MachineState {
    pub services: Services,
    pub metrics: PrometheusHandle,
}

/// State of the routes of the API.
#[derive(Clone)]
pub(crate) struct ApiState {
    pub machine: MachineState,
    pub schema: ApiSchema,
    pub limiter: Arc<RateLimiter>,
    pub public: PublicUrl,
    /// Other sites whose scripts may use the API.
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
