//! Places in vendors' clouds as answers show them.

use domain::cloud::{self, PlaceDetails};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::protocol::capitals::Capitals;

/// State of a deployment in a place.
type TargetState = Capitals<cloud::TargetState>;

/// Place in a vendor's cloud.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Place)]
pub(in crate::rest) struct PlaceView {
    /// The cloud, such as `gcp`.
    cloud: String,
    /// Name of the account.
    account: String,
    /// The vendor's name of the region.
    region: String,
    /// State of the deployment there; null for an environment.
    state: Option<TargetState>,
    /// Condition that the deployment waits for, for people.
    detail: Option<String>,
    /// The cloud is simulated: nothing of it is real.
    simulated: bool,
}

impl From<PlaceDetails> for PlaceView {
    fn from(place: PlaceDetails) -> Self {
        Self {
            simulated: place.endpoint.is_some(),
            cloud: place.cloud,
            account: place.account,
            region: place.region,
            state: place.state.map(Capitals::from),
            detail: place.detail,
        }
    }
}
