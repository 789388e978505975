//! Projects.

use domain::id::{ProjectId, TeamId};
use domain::project::{Project, ProjectBrief};
use store::{ProjectChange, Store, StoreError};

use crate::fixture::{self, Tenant, refused, write};

testkit::on_both_databases! {
    crate::common::open;

    async fn a_project_is_read_back_as_written(store: Store) {
        let Tenant { team, project, .. } = Tenant::new(&store).await;
        assert_eq!(store.project_get(team.id, project.id).await.unwrap().as_ref(), Some(&project));
        assert_eq!(store.project_by_name(team.id, project.name.as_str()).await.unwrap().as_ref(), Some(&project));
        assert_eq!(store.project_get(team.id, ProjectId::new()).await.unwrap(), None);
        assert_eq!(store.project_event_count(team.id, project.id).await.unwrap(), Some(0));
        assert_eq!(store.project_event_count(team.id, ProjectId::new()).await.unwrap(), None);
    }

    async fn a_name_belongs_to_one_project_of_all_teams(store: Store) {
        let taken = Tenant::new(&store).await.project;
        let other = Tenant::new(&store).await.id();
        let error = refused(&store, async |tx| {
            tx.project_insert(&Project { name: taken.name.clone(), ..fixture::project(other) }).await
        })
        .await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        let own = Tenant::new(&store).await;
        let rename = ProjectChange { name: Some(taken.name), ..ProjectChange::default() };
        let error = refused(&store, async |tx| tx.project_update(own.id(), own.project.id, &rename).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
    }

    async fn a_project_needs_its_team(store: Store) {
        let error = refused(&store, async |tx| tx.project_insert(&fixture::project(TeamId::new())).await).await;
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    }

    async fn pages_follow_each_other_whatever_their_size(store: Store) {
        let team = fixture::team();
        let projects: Vec<_> = (0..250).map(|_| fixture::project(team.id)).collect();
        write(&store, async |tx| {
            tx.team_insert(&team).await?;
            for project in &projects {
                tx.project_insert(project).await?;
            }
            Ok(())
        })
        .await;
        assert_eq!(store.project_count(team.id).await.unwrap(), 250);
        let newest_first: Vec<_> = projects.iter().rev().map(|project| project.id).collect();
        for size in [7, 50, 125, 249, 250, 251] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = store.project_list(team.id, after, size).await.unwrap();
                let briefs = store.project_brief_list(team.id, after, size).await.unwrap();
                let same: Vec<_> = page.items.iter().map(ProjectBrief::from).collect();
                assert_eq!((briefs.items, briefs.has_more), (same, page.has_more));
                seen.extend(page.items.iter().map(|project| project.id));
                after = seen.last().copied();
                assert_eq!(page.has_more, seen.len() < 250, "pages of {size}, {} seen", seen.len());
                if !page.has_more {
                    break;
                }
            }
            assert_eq!(seen, newest_first, "pages of {size}");
        }
        let beyond = store.project_list(team.id, newest_first.last().copied(), 10).await.unwrap();
        assert!(beyond.items.is_empty() && !beyond.has_more);
    }

    async fn many_are_read_at_once_and_none_for_no_ids(store: Store) {
        let (one, two) = (Tenant::new(&store).await, Tenant::new(&store).await);
        let found = store.project_get_many(one.id(), &[two.project.id, one.project.id, ProjectId::new()]).await.unwrap();
        assert_eq!(found, [one.project]);
        assert_eq!(store.project_get_many(two.id(), &[]).await.unwrap(), []);
    }

    async fn a_change_leaves_the_rest(store: Store) {
        let Tenant { team, project, .. } = Tenant::new(&store).await;
        let change = ProjectChange { name: Some("renamed".parse().unwrap()), reference: Some(Some("main".to_owned())), repository: None };
        let changed = write(&store, async |tx| tx.project_update(team.id, project.id, &change).await).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.reference.as_deref()), ("renamed", Some("main")));
        assert_eq!(changed.repository, project.repository);
        assert!(changed.updated_at > project.updated_at);
        assert_eq!(store.project_get(team.id, project.id).await.unwrap().as_ref(), Some(&changed));
        let emptied = ProjectChange { repository: Some(None), ..ProjectChange::default() };
        let changed = write(&store, async |tx| tx.project_update(team.id, project.id, &emptied).await).await.unwrap();
        assert_eq!((changed.repository, changed.name.as_str()), (None, "renamed"));
    }

    async fn a_project_is_marked_for_deletion_once_and_takes_no_change_then(store: Store) {
        let Tenant { team, project, .. } = Tenant::new(&store).await;
        assert!(write(&store, async |tx| tx.project_mark_deleting(team.id, project.id).await).await);
        assert!(!write(&store, async |tx| tx.project_mark_deleting(team.id, project.id).await).await);
        assert!(store.project_get(team.id, project.id).await.unwrap().unwrap().deleting_at.is_some());
        let change = ProjectChange { name: Some("renamed".parse().unwrap()), ..ProjectChange::default() };
        assert_eq!(write(&store, async |tx| tx.project_update(team.id, project.id, &change).await).await, None);
    }

    async fn deleting_a_project_deletes_what_belongs_to_it(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, deployment) = (tenant.id(), tenant.deployment.id);
        write(&store, async |tx| {
            tx.event_insert(tenant.key(), tenant.deployment.status, "queued").await?;
            tx.log_insert(team, deployment, &[domain::event::NewLine::system("hello")]).await?;
            tx.variable_insert(team, tenant.environment.id, &fixture::variable("KEY", b"sealed"), 1).await?;
            tx.resource_put(&fixture::resource(&tenant.deployment)).await
        })
        .await;
        write(&store, async |tx| tx.project_delete(team, tenant.project.id).await).await;
        assert_eq!(store.project_get(team, tenant.project.id).await.unwrap(), None);
        assert_eq!(store.environment_get(team, tenant.environment.id).await.unwrap(), None);
        assert_eq!(store.deployment_get(team, deployment).await.unwrap(), None);
        assert_eq!(store.event_list(team, deployment, 0, 10).await.unwrap(), []);
        assert_eq!(store.log_list(team, deployment, 0, 10).await.unwrap(), []);
        assert_eq!(store.resource_list(team, tenant.project.id).await.unwrap(), []);
        assert!(store.variable_values(team, tenant.environment.id, 1).await.unwrap().is_empty());
    }
}
