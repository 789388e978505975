//! Tests of the changes that a project's new name entails, on both databases.

use std::collections::BTreeMap;

use clouds_contract::{CloudError, Route, Scope};
use domain::access::{Actor, Permission, Role, RoleRef};
use domain::artifact::Digest;
use domain::custom_domain::CustomDomain;
use domain::deployment::{Cause, Deployment, DeploymentStatus};
use domain::environment::environment_label;
use domain::id::{DeploymentId, DomainId, ResourceId};
use domain::name::ProjectName;
use domain::project::Project;
use domain::resource::{Resource, ResourceKind};
use domain::source::Source;
use domain::time::now;
use domain::workload::WorkloadKind;
use serde_json::json;
use services::{NewProject, ProjectEdit, Result, ServiceError};
use store::Store;

use crate::house::{TestHouse, open};

/// Returns the deployment that each label serves, as reported to the edge.
async fn routes(house: &TestHouse) -> BTreeMap<String, DeploymentId> {
    house.services.store().local_route_list().await.unwrap().into_iter().collect()
}

fn shown<const N: usize>(routes: [(&str, &Deployment); N]) -> BTreeMap<String, DeploymentId> {
    routes.into_iter().map(|(label, deployment)| (label.to_owned(), deployment.id)).collect()
}

/// Asks the cloud to show a deployment under a label, as a release does.
async fn switch(house: &TestHouse, deployment: &Deployment, label: &str) -> Result<(), CloudError> {
    let route = Route {
        label: label.to_owned(),
        team_id: deployment.team_id,
        project_id: deployment.project_id,
        environment_id: deployment.environment_id,
        deployment_id: deployment.id,
        kind: WorkloadKind::Static,
        before: None,
    };
    let scope = Scope::local(deployment.team_id, None);
    house.services.cloud("local").unwrap().traffic.switch(&scope, &route).await.map(|_| ())
}

/// Releases something new to an environment of a project, whatever the project is called by now.
async fn release(house: &TestHouse, project: &Project, environment: &str) -> Deployment {
    let project = house.services.store().project_get(project.team_id, project.id).await.unwrap().unwrap();
    let environment = house.environment(&project, environment).await;
    let label = environment_label(&project.name, &environment.name);
    let mut tx = house.services.store().begin().await.unwrap();
    let deployment = Deployment {
        id: DeploymentId::new(),
        team_id: project.team_id,
        project_id: project.id,
        environment_id: environment.id,
        number: tx.project_next_deployment(project.team_id, project.id).await.unwrap(),
        status: DeploymentStatus::Superseded,
        trigger: Cause::Build,
        source: Source::Upload { digest: Digest::from_bytes(&[1; 32]), directory: None },
        commit_sha: None,
        origin_id: None,
        artifact_digest: None,
        artifact_removed_at: None,
        workload: None,
        config_version: 0,
        failure: None,
        created_by: None,
        created_at: now(),
        changed_at: now(),
        deadline: None,
        event_count: 0,
        log_count: 0,
        address_name: None,
        wanted_cloud: None,
    };
    tx.deployment_insert(&deployment).await.unwrap();
    let resource = Resource {
        id: ResourceId::new(),
        team_id: project.team_id,
        project_id: project.id,
        deployment_id: None,
        environment_id: Some(environment.id),
        cloud: "local".to_owned(),
        kind: ResourceKind::Route,
        external_id: label.clone(),
        created_at: now(),
    };
    tx.resource_put(&resource).await.unwrap();
    tx.commit().await.unwrap();
    switch(house, &deployment, &label).await.unwrap();
    deployment
}

async fn rename(house: &TestHouse, actor: &Actor, project: &Project, name: &str) -> Result<Project> {
    let edit = ProjectEdit { name: Some(name.to_owned()), ..ProjectEdit::default() };
    house.services.projects().update(actor, project.id, edit, None).await
}

/// Removes what a project has in clouds, as the job of its deletion does, and then its rows.
async fn delete(house: &TestHouse, project: &Project) {
    let (store, team) = (house.services.store(), project.team_id);
    let labels = house.services.host_labels().unwrap();
    for resource in store.resource_list(team, project.id).await.unwrap() {
        labels.remove((team, project.id), &resource.external_id).await.unwrap();
    }
    let mut tx = store.begin().await.unwrap();
    tx.project_delete(team, project.id).await.unwrap();
    tx.commit().await.unwrap();
}

testkit::on_both_databases! {
    open;

    async fn a_new_name_takes_routes_and_inventory_along(store: Store) {
        let house = TestHouse::new(store).await;
        let owner = &house.owner;
        let (shop, shopping) = (house.project(owner, "a").await, house.project(owner, "a-b").await);
        let (live, preview) = (release(&house, &shop, "production").await, release(&house, &shop, "preview").await);
        let other = release(&house, &shopping, "production").await;
        let domain = CustomDomain {
            id: DomainId::new(),
            team_id: owner.team_id,
            project_id: shop.id,
            environment_id: live.environment_id,
            name: "www.example.org".parse().unwrap(),
            token: "4f9a".to_owned(),
            problem: None,
            checked_at: None,
            next_check_at: None,
            verified_at: Some(now()),
            created_by: owner.user_id,
            created_at: now(),
        };
        let mut tx = house.services.store().begin().await.unwrap();
        tx.domain_insert(&domain).await.unwrap();
        assert!(tx.domain_checked(&domain).await.unwrap());
        tx.commit().await.unwrap();
        let renamed = rename(&house, owner, &shop, "b").await.unwrap();
        let expected = [("b", &live), ("b--preview", &preview), ("a-b", &other), ("www.example.org", &live)];
        assert_eq!(routes(&house).await, shown(expected));
        let inventory = house.services.projects().resources(owner, shop.id).await.unwrap();
        assert_eq!(inventory.iter().map(|resource| resource.external_id.as_str()).collect::<Vec<_>>(), ["b", "b--preview"]);

        let next = release(&house, &renamed, "production").await;
        let expected = [("b", &next), ("b--preview", &preview), ("a-b", &other), ("www.example.org", &next)];
        assert_eq!(routes(&house).await, shown(expected));
        assert!(switch(&house, &next, "a").await.is_err(), "a release that began under the old name does not bring it back");
    }

    async fn the_address_of_a_deployment_stays_through_every_name(store: Store) {
        let house = TestHouse::new(store).await;
        let (owner, services) = (&house.owner, &house.services);
        let shop = house.project(owner, "a").await;
        let first = release(&house, &shop, "production").await;
        rename(&house, owner, &shop, "b").await.unwrap();
        let second = release(&house, &shop, "production").await;
        let shop = rename(&house, owner, &shop, "c").await.unwrap();
        let third = release(&house, &shop, "production").await;
        for (deployment, name) in [(first, "a"), (second, "b"), (third, "c")] {
            let deployment = services.deployments().get(owner, deployment.id).await.unwrap();
            let url = services.deployments().url(&shop, &deployment, None).unwrap();
            assert_eq!(url.unwrap(), format!("http://{name}--{}.localhost:8080", deployment.id.short()));
        }
    }

    async fn a_name_that_is_free_again_is_somebody_elses_as_a_whole(store: Store) {
        let house = TestHouse::new(store).await;
        let owner = &house.owner;
        let old = house.project(owner, "a").await;
        release(&house, &old, "production").await;
        rename(&house, owner, &old, "b").await.unwrap();
        let new = house.project(owner, "a").await;
        let live = release(&house, &new, "production").await;
        delete(&house, &old).await;
        assert_eq!(routes(&house).await, shown([("a", &live)]), "what another project had under the name is not removed with it");
        rename(&house, owner, &new, "c").await.unwrap();
        let stranger = house.team("Others").await;
        let theirs = house.project(&stranger, "a").await;
        let (live, theirs) = (release(&house, &new, "production").await, release(&house, &theirs, "production").await);
        assert_eq!(routes(&house).await, shown([("a", &theirs), ("c", &live)]));
    }

    async fn names_can_be_swapped(store: Store) {
        let house = TestHouse::new(store).await;
        let owner = &house.owner;
        let (one, two) = (house.project(owner, "a").await, house.project(owner, "b").await);
        let (of_one, of_two) = (release(&house, &one, "production").await, release(&house, &two, "production").await);
        for (project, name) in [(&one, "c"), (&two, "a"), (&one, "b")] {
            rename(&house, owner, project, name).await.unwrap();
        }
        assert_eq!(routes(&house).await, shown([("a", &of_two), ("b", &of_one)]));
    }

    async fn a_name_under_which_another_project_is_shown_is_taken(store: Store, database: &Database) {
        let house = TestHouse::new(store).await;
        let owner = &house.owner;
        let (old, other) = (house.project(owner, "a").await, house.project(owner, "other").await);
        release(&house, &old, "preview").await;
        // As an earlier version does it, whose process may still run.
        database.execute("UPDATE projects SET name = 'b' WHERE name = 'a'").await;
        let taken = |result: Result<Project>| matches!(result, Err(ServiceError::Invalid { code: "TAKEN", .. }));
        assert!(taken(rename(&house, owner, &other, "a").await));
        let input = NewProject { name: "a".to_owned(), ..NewProject::default() };
        assert!(taken(house.services.projects().create(owner, input).await));
    }

    async fn the_address_of_a_protected_environment_is_not_freed_by_everybody(store: Store) {
        let house = TestHouse::new(store).await;
        let shop = house.project(&house.owner, "shop").await;
        let live = release(&house, &shop, "production").await;
        house.services.environments().protect(&house.owner, shop.id, None, true).await.unwrap();
        let developer = house.member("dev", RoleRef::BuiltIn(Role::Developer)).await;
        let refused = rename(&house, &developer, &shop, "old").await;
        assert!(matches!(refused, Err(ServiceError::Denied(Permission::DeploymentApprove))), "{refused:?}");
        assert_eq!(routes(&house).await, shown([("shop", &live)]));
        let edit = ProjectEdit { name: Some("shop".to_owned()), reference: Some("main".to_owned()), ..ProjectEdit::default() };
        house.services.projects().update(&developer, shop.id, edit, None).await.unwrap();
        rename(&house, &house.owner, &shop, "old").await.unwrap();
        assert_eq!(routes(&house).await, shown([("old", &live)]));
    }

    async fn what_earlier_versions_left_behind_is_put_right(store: Store, database: &Database) {
        const HEAL: &str = include_str!("../../../../migrations/20261130000202_routes_follow_names.sql");
        let house = TestHouse::new(store).await;
        let owner = &house.owner;
        // `a` became `b` and was released again; then `a` was made anew, and its route took half of the old one's row.
        let old = house.project(owner, "a").await;
        let first = release(&house, &old, "production").await;
        let mut tx = house.services.store().begin().await.unwrap();
        let wish = json!({"label": format!("a--{}", first.id.short())});
        let workload = Resource {
            id: ResourceId::new(),
            team_id: owner.team_id,
            project_id: old.id,
            deployment_id: Some(first.id),
            environment_id: None,
            cloud: "local".to_owned(),
            kind: ResourceKind::Workload,
            external_id: first.id.to_string(),
            created_at: now(),
        };
        tx.resource_put(&workload).await.unwrap();
        assert!(tx.local_workload_put((owner.team_id, old.id, first.id), &wish, &json!({})).await.unwrap());
        tx.commit().await.unwrap();
        database.execute("UPDATE projects SET name = 'b' WHERE name = 'a'").await;
        let second = release(&house, &old, "production").await;
        database.execute("UPDATE local_routes SET label = 'kept' WHERE label = 'a'").await;
        let new = house.project(owner, "a").await;
        let third = release(&house, &new, "production").await;
        database.execute("UPDATE local_routes SET environment_id = (SELECT environment_id FROM local_routes WHERE label = 'b'),
            project_id = (SELECT project_id FROM local_routes WHERE label = 'b') WHERE label = 'a'").await;
        // `c` became `d`, and nothing was released since.
        let renamed = house.project(owner, "c").await;
        let fourth = release(&house, &renamed, "preview").await;
        database.execute("UPDATE projects SET name = 'd' WHERE name = 'c'").await;

        for statement in HEAL.split(";\n").filter(|statement| statement.lines().any(|line| !line.starts_with("--") && !line.is_empty())) {
            database.execute(String::leak(statement.to_owned())).await;
        }
        assert_eq!(routes(&house).await, shown([("a", &third), ("b", &second), ("d--preview", &fourth)]));
        for (project, labels) in [(&old, "b"), (&new, "a"), (&renamed, "d--preview")] {
            let inventory = house.services.projects().resources(owner, project.id).await.unwrap();
            let of_routes: Vec<_> = inventory.iter().filter(|resource| resource.kind == ResourceKind::Route).collect();
            assert_eq!(of_routes.iter().map(|resource| resource.external_id.as_str()).collect::<Vec<_>>(), [labels]);
        }
        let first = house.services.deployments().get(owner, first.id).await.unwrap();
        assert_eq!(first.address_name.as_ref().map(ProjectName::as_str), Some("a"));
        assert_eq!(house.services.deployments().get(owner, third.id).await.unwrap().address_name, None);
    }
}
