//! Clouds that deployments are asked for, on both databases.

use services::ServiceError;
use store::Store;

use crate::house::{TestHouse, open};

testkit::on_both_databases! {
    open;

    async fn a_cloud_without_a_vendor_or_an_account_is_refused(store: Store) {
        let house = TestHouse::new(store).await;
        let team = house.owner.team_id;
        assert_eq!(house.services.placements().choose(team, "local", None).await.unwrap(), None);
        let refused = house.services.placements().choose(team, "mars", None).await.unwrap_err();
        assert!(matches!(refused, ServiceError::Invalid { field: "cloud", code: "UNKNOWN_CLOUD", .. }), "{refused}");
        let refused = house.services.placements().choose(team, "local", Some("eu-west")).await.unwrap_err();
        assert!(matches!(refused, ServiceError::Invalid { field: "region", code: "NO_REGIONS", .. }), "{refused}");
    }
}
