//! The audit log of requests that nobody waits for any more, on both databases.

use std::time::Duration;

use domain::access::{Role, RoleRef};
use services::NewProject;
use store::Store;
use testkit::wait_until;

use crate::house::{TestHouse, drop_after, open};

testkit::on_both_databases! {
    open;

    async fn a_refusal_is_written_down_though_its_client_hangs_up(store: Store) {
        let house = TestHouse::new(store.clone()).await;
        let viewer = house.member("eve", RoleRef::BuiltIn(Role::Viewer)).await;
        let input = NewProject { name: "shop".to_owned(), ..NewProject::default() };
        drop_after(1, house.services.projects().create(&viewer, input)).await;
        wait_until(Duration::from_secs(20), "the refusal", async || {
            let rows = store.audit_range(viewer.team_id, 0, i64::MAX, 1000).await.unwrap();
            rows.iter().any(|row| row.entry.contains(r#""denied""#))
        })
        .await;
    }
}
