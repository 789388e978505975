//! Environments and their variables.

use domain::environment::Environment;
use domain::id::{DeploymentId, EnvironmentId, ProjectId};
use store::{Store, StoreError};

use crate::fixture::{self, Tenant, refused, write};

/// The values at a version, as text.
async fn at(store: &Store, tenant: &Tenant, version: i64) -> Vec<(String, String)> {
    let values = store.variable_values(tenant.id(), tenant.environment.id, version).await.unwrap();
    values.into_iter().map(|value| (value.name, String::from_utf8(value.sealed).unwrap())).collect()
}

/// Sets a variable, or unsets it, as one change of the configuration.
async fn set(store: &Store, tenant: &Tenant, name: &str, value: Option<&str>) -> i64 {
    let (team, environment) = (tenant.id(), tenant.environment.id);
    write(store, async |tx| {
        let version = tx.environment_next_config(team, environment).await?;
        tx.variable_end(team, environment, name, version).await?;
        if let Some(value) = value {
            tx.variable_insert(team, environment, &fixture::variable(name, value.as_bytes()), version).await?;
        }
        Ok(version)
    })
    .await
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

testkit::on_both_databases! {
    crate::common::open;

    async fn an_environment_is_read_back_as_written(store: Store) {
        let Tenant { team, project, environment, .. } = Tenant::new(&store).await;
        assert_eq!(store.environment_get(team.id, environment.id).await.unwrap().as_ref(), Some(&environment));
        assert_eq!(store.environment_by_name(team.id, project.id, "production").await.unwrap().as_ref(), Some(&environment));
        assert_eq!(store.environment_by_name(team.id, project.id, "preview").await.unwrap(), None);
        assert_eq!(store.environment_get(team.id, EnvironmentId::new()).await.unwrap(), None);
        let found = write(&store, async |tx| tx.environment_find(team.id, project.id, "production").await).await;
        assert_eq!(found, Some(environment));
    }

    async fn a_project_has_one_environment_of_a_name(store: Store) {
        let Tenant { project, environment, .. } = Tenant::new(&store).await;
        let error = refused(&store, async |tx| tx.environment_insert(&fixture::environment(&project, "production")).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        let strange = Environment { id: EnvironmentId::new(), project_id: ProjectId::new(), ..environment };
        let error = refused(&store, async |tx| tx.environment_insert(&strange).await).await;
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    }

    async fn environments_of_some_projects_are_listed_oldest_first(store: Store) {
        let Tenant { team, project, environment, .. } = Tenant::new(&store).await;
        let preview = fixture::environment(&project, "preview");
        write(&store, async |tx| tx.environment_insert(&preview).await).await;
        assert_eq!(store.environment_list(team.id, &[project.id, ProjectId::new()]).await.unwrap(), [environment, preview]);
        assert_eq!(store.environment_list(team.id, &[]).await.unwrap(), []);
    }

    async fn the_live_deployment_is_recorded(store: Store) {
        let Tenant { team, environment, .. } = Tenant::new(&store).await;
        let live = DeploymentId::new();
        write(&store, async |tx| tx.environment_set_live(team.id, environment.id, live).await).await;
        assert_eq!(store.environment_get(team.id, environment.id).await.unwrap().unwrap().live_deployment_id, Some(live));
    }

    async fn variables_are_what_they_were_at_each_version(store: Store) {
        let tenant = Tenant::new(&store).await;
        assert_eq!(set(&store, &tenant, "A", Some("1")).await, 1);
        assert_eq!(set(&store, &tenant, "B", Some("one")).await, 2);
        assert_eq!(set(&store, &tenant, "A", Some("2")).await, 3);
        assert_eq!(set(&store, &tenant, "B", None).await, 4);
        assert_eq!(set(&store, &tenant, "B", Some("again")).await, 5);
        let expected: [&[(&str, &str)]; 7] = [
            &[],
            &[("A", "1")],
            &[("A", "1"), ("B", "one")],
            &[("A", "2"), ("B", "one")],
            &[("A", "2")],
            &[("A", "2"), ("B", "again")],
            &[("A", "2"), ("B", "again")],
        ];
        for (version, expected) in (0_i64..).zip(expected) {
            assert_eq!(at(&store, &tenant, version).await, pairs(expected), "version {version}");
        }
        let names: Vec<_> = store.variable_list(tenant.id(), tenant.environment.id).await.unwrap().into_iter().map(|v| v.name).collect();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(write(&store, async |tx| tx.variable_count(tenant.id(), tenant.environment.id).await).await, 2);
        assert_eq!(store.environment_get(tenant.id(), tenant.environment.id).await.unwrap().unwrap().config_version, 5);
    }

    async fn a_variable_has_one_value_at_a_time(store: Store) {
        let tenant = Tenant::new(&store).await;
        set(&store, &tenant, "A", Some("1")).await;
        let error = refused(&store, async |tx| {
            tx.variable_insert(tenant.id(), tenant.environment.id, &fixture::variable("A", b"2"), 2).await
        })
        .await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        assert!(write(&store, async |tx| tx.variable_end(tenant.id(), tenant.environment.id, "A", 2).await).await);
        assert!(!write(&store, async |tx| tx.variable_end(tenant.id(), tenant.environment.id, "A", 3).await).await);
    }

    async fn a_sealed_value_holds_any_bytes(store: Store) {
        let tenant = Tenant::new(&store).await;
        let bytes: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
        let new = fixture::variable("BYTES", &bytes);
        write(&store, async |tx| tx.variable_insert(tenant.id(), tenant.environment.id, &new, 1).await).await;
        let kept = store.variable_values(tenant.id(), tenant.environment.id, 1).await.unwrap();
        assert_eq!((kept[0].id, kept[0].sealed == bytes, kept.len()), (new.id, true, 1));
    }
}
