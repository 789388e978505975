//! Domains beside protected environments, on both databases.

use domain::access::{Actor, Permission, Role, RoleRef};
use domain::custom_domain::CustomDomain;
use domain::id::DomainId;
use domain::project::Project;
use domain::time::now;
use services::{Result, ServiceError};
use store::Store;

use crate::house::{TestHouse, open};

/// A project whose production is protected, with a domain on each environment.
struct Shop {
    house: TestHouse,
    project: Project,
    production: DomainId,
    staging: DomainId,
}

impl Shop {
    async fn new(store: Store) -> Self {
        let house = TestHouse::new(store).await;
        let project = house.project(&house.owner, "shop").await;
        house.environment(&project, "staging").await;
        house.environment(&project, "preview").await;
        house.services.environments().protect(&house.owner, project.id, None, true).await.unwrap();
        let add = async |environment: &str, name: &str| {
            let added = house.services.domains().add(&house.owner, project.id, Some(environment), name).await.unwrap().domain;
            let mut tx = house.services.store().begin().await.unwrap();
            assert!(tx.domain_checked(&CustomDomain { verified_at: Some(now()), ..added.clone() }).await.unwrap());
            tx.commit().await.unwrap();
            added.id
        };
        let (production, staging) = (add("production", "www.example.org").await, add("staging", "next.example.org").await);
        Self { house, project, production, staging }
    }

    /// Somebody who may do all that developers may, and these besides.
    async fn developer_with(&self, name: &str, besides: &[&str]) -> Actor {
        let usual = ["project-read", "project-write", "deployment-write", "member-read"];
        let names: Vec<_> = usual.iter().chain(besides).map(|name| (*name).to_owned()).collect();
        let role = self.house.services.roles().create(&self.house.owner, name, &names).await.unwrap();
        self.house.member(name, RoleRef::Custom(role.id)).await
    }
}

fn denied<T>(result: Result<T>) -> bool {
    match result {
        Err(ServiceError::Denied(permission)) => permission == Permission::DeploymentApprove,
        Err(error) => panic!("{error}"),
        Ok(_) => false,
    }
}

testkit::on_both_databases! {
    open;

    async fn what_a_domain_of_a_protected_environment_shows_is_for_who_may_approve_there(store: Store) {
        let shop = Shop::new(store).await;
        let services = &shop.house.services;
        let developer = shop.house.member("dev", RoleRef::BuiltIn(Role::Developer)).await;
        assert!(denied(services.domains().update(&developer, shop.production, "staging").await), "out of it");
        assert!(denied(services.domains().update(&developer, shop.staging, "production").await), "into it");
        assert!(denied(services.domains().remove(&developer, shop.production).await), "so that it can be added elsewhere");
        assert!(denied(services.domains().add(&developer, shop.project.id, None, "shop.example.org").await));
        let shown = services.domains().get(&developer, shop.production).await.unwrap();
        assert_eq!(shown.environment.as_str(), "production");

        assert!(!denied(services.domains().update(&developer, shop.production, "production").await), "it shows that already");
        assert!(!denied(services.domains().update(&developer, shop.staging, "preview").await));
        assert!(!denied(services.domains().remove(&developer, shop.staging).await));
        assert!(!denied(services.domains().add(&developer, shop.project.id, Some("staging"), "next.example.org").await));
    }

    async fn who_may_approve_or_take_the_protection_away_moves_domains(store: Store) {
        let shop = Shop::new(store).await;
        let services = &shop.house.services;
        for right in ["deployment-approve", "member-write"] {
            let other = shop.developer_with(&format!("with-{right}"), &[right]).await;
            assert!(!denied(services.domains().update(&other, shop.production, "staging").await));
            assert!(!denied(services.domains().update(&other, shop.production, "production").await));
            let name = format!("{right}.example.org");
            let added = services.domains().add(&other, shop.project.id, None, &name).await.unwrap().domain.id;
            assert!(!denied(services.domains().remove(&other, added).await));
        }
    }
}
