//! The cloud that a deployment is asked for, on both databases.

use clouds_contract::Cloud;
use services::ServiceError;
use store::Store;

use crate::house::{TestHouse, open};

testkit::on_both_databases! {
    open;

    async fn another_cloud_than_the_deployment_gets_is_refused(store: Store) {
        let house = TestHouse::new(store).await;
        assert_eq!(house.services.check_cloud("mars").unwrap_err().to_string(), "there is no cloud `mars` here: use local");
        let local = house.services.cloud("local").unwrap().clone();
        let services = house.with_clouds(vec![local.clone(), Cloud { name: "other", ..local }]);
        services.check_cloud("local").unwrap();
        let refused = services.check_cloud("other").unwrap_err();
        assert!(matches!(refused, ServiceError::Invalid { field: "cloud", code: "OTHER_CLOUD", .. }), "{refused}");
    }
}
