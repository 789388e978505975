use async_graphql::SimpleObject;
use domain::cloud::{PlaceDetails, TargetState};

/// Place in a vendor's cloud.
#[derive(SimpleObject)]
pub struct Place {
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// Name of the account.
    pub account: String,
    /// The vendor's name of the region.
    pub region: String,
    /// State of the deployment there; null for an environment.
    pub state: Option<TargetState>,
    /// Condition that the deployment waits for, for people.
    pub detail: Option<String>,
    /// The cloud is simulated: nothing of it is real.
    pub simulated: bool,
}

impl From<PlaceDetails> for Place {
    fn from(place: PlaceDetails) -> Self {
        Self {
            simulated: place.endpoint.is_some(),
            cloud: place.cloud,
            account: place.account,
            region: place.region,
            state: place.state,
            detail: place.detail,
        }
    }
}
