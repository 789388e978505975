//! Deployments.

use chrono::TimeDelta;
use domain::approval::ApprovalState;
use domain::deployment::{Cause, Deployment, DeploymentStatus, Failure};
use domain::id::{DeploymentId, EnvironmentId, UserId};
use domain::source::Source;
use domain::time::now;
use domain::workload::{Server, WorkloadSpec};
use store::{DeploymentChange, NewJob, Store, StoreError};

use crate::fixture::{self, Tenant, digest, refused, write};

fn step(from: DeploymentStatus, to: DeploymentStatus) -> DeploymentChange {
    DeploymentChange { from, to, deadline: None, failure: None }
}

fn workload() -> WorkloadSpec {
    WorkloadSpec::Server(Server {
        directory: String::new(),
        path: Vec::new(),
        command: vec!["node".to_owned(), "it's \"quoted\".js".to_owned()],
        env: vec![("KEY".to_owned(), "line\nbreak".to_owned())],
        port: Some(65535),
        health_path: "/healthz".to_owned(),
        replicas: 3,
        memory_mib: 1 << 40,
        cpu: 0.1,
        image: None,
    })
}

/// Adds a deployment of the tenant's environment, later than those before.
async fn add(store: &Store, tenant: &Tenant, number: i64, status: DeploymentStatus) -> Deployment {
    let deployment = fixture::deployment(&tenant.environment, number, status);
    write(store, async |tx| tx.deployment_insert(&deployment).await).await;
    deployment
}

fn ids(deployments: &[Deployment]) -> Vec<DeploymentId> {
    deployments.iter().map(|deployment| deployment.id).collect()
}

testkit::on_both_databases! {
    crate::common::open;

    async fn a_deployment_is_read_back_as_written(store: Store) {
        let tenant = Tenant::new(&store).await;
        assert_eq!(store.deployment_get(tenant.id(), tenant.deployment.id).await.unwrap().as_ref(), Some(&tenant.deployment));
        let full = Deployment {
            trigger: Cause::Rollback,
            source: Source::Git { repository: "git@example.org:a/b.git".parse().unwrap(), reference: Some("main".parse().unwrap()), directory: Some("apps/web".parse().unwrap()) },
            commit_sha: Some("0123abcd".to_owned()),
            origin_id: Some(tenant.deployment.id),
            artifact_digest: Some(digest(7)),
            workload: Some(workload()),
            config_version: i64::MAX,
            created_by: Some(UserId::new()),
            deadline: Some(now() + TimeDelta::minutes(10)),
            ..fixture::deployment(&tenant.environment, i64::MAX, DeploymentStatus::Releasing)
        };
        write(&store, async |tx| {
            tx.artifact_put(&digest(7), 1, 1).await?;
            tx.deployment_insert(&full).await
        })
        .await;
        assert_eq!(store.deployment_get(tenant.id(), full.id).await.unwrap().as_ref(), Some(&full));
        let many = store.deployment_get_many(tenant.id(), &[full.id, DeploymentId::new()]).await.unwrap();
        assert_eq!(many, [full]);
        assert_eq!(store.deployment_get_many(tenant.id(), &[]).await.unwrap(), []);
    }

    async fn a_number_and_an_artifact_are_checked(store: Store) {
        let tenant = Tenant::new(&store).await;
        let same = fixture::deployment(&tenant.environment, 1, DeploymentStatus::Queued);
        let error = refused(&store, async |tx| tx.deployment_insert(&same).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        let unknown = Deployment { artifact_digest: Some(digest(9)), ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Queued) };
        let error = refused(&store, async |tx| tx.deployment_insert(&unknown).await).await;
        assert!(matches!(error, StoreError::Database(_)), "{error:?}");
    }

    async fn a_step_is_taken_only_from_the_status_it_names(store: Store) {
        use DeploymentStatus::{Building, Failed, Queued};
        let Tenant { team, deployment, .. } = Tenant::new(&store).await;
        let deadline = Some(now() + TimeDelta::minutes(1));
        let failure = Some(Failure::new("BUILD_FAILED", "it's \"broken\"\n"));
        write(&store, async |tx| tx.deployment_change(team.id, deployment.id, &DeploymentChange { deadline, ..step(Queued, Building) }).await)
            .await;
        let building = store.deployment_get(team.id, deployment.id).await.unwrap().unwrap();
        assert_eq!((building.status, building.deadline, building.failure), (Building, deadline, None));
        assert!(building.changed_at >= deployment.changed_at);
        let error = refused(&store, async |tx| tx.deployment_change(team.id, deployment.id, &step(Queued, Building)).await).await;
        assert!(matches!(error, StoreError::Changed), "{error:?}");
        let failed = DeploymentChange { failure: failure.clone(), ..step(Building, Failed) };
        write(&store, async |tx| tx.deployment_change(team.id, deployment.id, &failed).await).await;
        let kept = store.deployment_get(team.id, deployment.id).await.unwrap().unwrap();
        assert_eq!((kept.status, kept.deadline, kept.failure), (Failed, None, failure));
    }

    async fn of_twenty_that_take_the_same_step_one_does(store: Store) {
        let Tenant { team, deployment, .. } = Tenant::new(&store).await;
        let takers: Vec<_> = (0..20)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut tx = store.begin().await?;
                    let change = step(DeploymentStatus::Queued, DeploymentStatus::Building);
                    tx.deployment_change(team.id, deployment.id, &change).await?;
                    tx.commit().await
                })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            match taker.await.unwrap() {
                Ok(()) => taken += 1,
                Err(error) => assert!(matches!(error, StoreError::Changed), "{error:?}"),
            }
        }
        assert_eq!(taken, 1);
    }

    async fn an_environment_shows_one_deployment(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Live).await;
        let next = add(&store, &tenant, 2, DeploymentStatus::Releasing).await;
        let live = step(DeploymentStatus::Releasing, DeploymentStatus::Live);
        let error = refused(&store, async |tx| tx.deployment_change(tenant.id(), next.id, &live).await).await;
        assert!(matches!(error, StoreError::Exists), "{error:?}");
        write(&store, async |tx| {
            let superseded = step(DeploymentStatus::Live, DeploymentStatus::Superseded);
            tx.deployment_change(tenant.id(), tenant.deployment.id, &superseded).await?;
            tx.deployment_change(tenant.id(), next.id, &live).await
        })
        .await;
        let shown = write(&store, async |tx| tx.deployment_list_live(tenant.id(), tenant.environment.id).await).await;
        assert_eq!(ids(&shown), [next.id]);
        let previous = store.deployment_previous(tenant.id(), tenant.environment.id).await.unwrap();
        assert_eq!(previous.map(|deployment| deployment.id), Some(tenant.deployment.id));
    }

    async fn the_previous_is_the_one_superseded_last(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Live).await;
        assert_eq!(store.deployment_previous(tenant.id(), tenant.environment.id).await.unwrap(), None);
        let older = add(&store, &tenant, 2, DeploymentStatus::Superseded).await;
        add(&store, &tenant, 3, DeploymentStatus::Superseded).await;
        let superseded = step(DeploymentStatus::Superseded, DeploymentStatus::Superseded);
        write(&store, async |tx| tx.deployment_change(tenant.id(), older.id, &superseded).await).await;
        let previous = store.deployment_previous(tenant.id(), tenant.environment.id).await.unwrap().unwrap();
        assert_eq!(previous.id, older.id, "the time it was superseded counts, not its number");
    }

    async fn what_a_build_finds_is_recorded(store: Store) {
        let Tenant { team, deployment, .. } = Tenant::new(&store).await;
        write(&store, async |tx| {
            tx.deployment_set_commit(team.id, deployment.id, "0123abcd").await?;
            tx.artifact_put(&digest(3), 10, 2).await?;
            tx.deployment_set_artifact(team.id, deployment.id, &digest(3), &workload()).await
        })
        .await;
        let kept = store.deployment_get(team.id, deployment.id).await.unwrap().unwrap();
        assert_eq!((kept.commit_sha.as_deref(), kept.artifact_digest, kept.workload), (Some("0123abcd"), Some(digest(3)), Some(workload())));
    }

    async fn a_switch_begins_only_while_releasing(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Releasing).await;
        let (team, id) = (tenant.id(), tenant.deployment.id);
        assert!(!write(&store, async |tx| tx.deployment_is_switching(team, id).await).await);
        assert!(write(&store, async |tx| tx.deployment_begin_switch(team, id).await).await);
        assert!(write(&store, async |tx| tx.deployment_begin_switch(team, id).await).await, "it may be repeated");
        assert!(write(&store, async |tx| tx.deployment_is_switching(team, id).await).await);
        let cancelled = add(&store, &tenant, 2, DeploymentStatus::Cancelled).await;
        assert!(!write(&store, async |tx| tx.deployment_begin_switch(team, cancelled.id).await).await);
        assert!(!write(&store, async |tx| tx.deployment_is_switching(team, DeploymentId::new()).await).await);
    }

    async fn those_that_wait_and_those_that_move_are_listed_oldest_first(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Live).await;
        let queued = [add(&store, &tenant, 2, DeploymentStatus::Queued).await.id, add(&store, &tenant, 3, DeploymentStatus::Queued).await.id];
        let building = add(&store, &tenant, 4, DeploymentStatus::Building).await.id;
        let releasing = add(&store, &tenant, 5, DeploymentStatus::Releasing).await.id;
        add(&store, &tenant, 6, DeploymentStatus::Failed).await;
        let waiting = write(&store, async |tx| tx.deployment_list_queued(tenant.id(), tenant.environment.id).await).await;
        assert_eq!(ids(&waiting), queued);
        let moving = write(&store, async |tx| tx.deployment_list_moving(tenant.id(), tenant.project.id).await).await;
        assert_eq!(ids(&moving), [queued[0], queued[1], building, releasing]);
        let found = write(&store, async |tx| tx.deployment_find(tenant.id(), building).await).await.unwrap();
        assert_eq!(found.status, DeploymentStatus::Building);
        let mut counts = store.deployment_status_counts().await.unwrap();
        counts.sort_by_key(|(status, _)| status.name());
        let expected = [("building", 1), ("failed", 1), ("live", 1), ("queued", 2), ("releasing", 1)];
        assert_eq!(counts.into_iter().map(|(status, count)| (status.name(), count)).collect::<Vec<_>>(), expected);
    }

    async fn pages_follow_each_other_in_a_project_and_in_one_environment(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Failed).await;
        let preview = fixture::environment(&tenant.project, "preview");
        let mut all = vec![tenant.deployment.id];
        write(&store, async |tx| {
            tx.environment_insert(&preview).await?;
            for number in 2..=250 {
                let environment = if number % 2 == 0 { &preview } else { &tenant.environment };
                let deployment = fixture::deployment(environment, number, DeploymentStatus::Failed);
                tx.deployment_insert(&deployment).await?;
                all.push(deployment.id);
            }
            Ok(())
        })
        .await;
        all.reverse();
        assert_eq!(store.deployment_count(tenant.id(), tenant.project.id).await.unwrap(), 250);
        let of_preview: Vec<_> = all.iter().copied().step_by(2).collect();
        for (environment, expected) in [(None, &all), (Some(preview.id), &of_preview)] {
            for size in [9, 25, 125, 250] {
                let (mut seen, mut after) = (Vec::new(), None);
                loop {
                    let page = store.deployment_list(tenant.id(), tenant.project.id, environment, after, size).await.unwrap();
                    seen.extend(ids(&page.items));
                    after = seen.last().copied();
                    assert_eq!(page.has_more, seen.len() < expected.len());
                    if !page.has_more {
                        break;
                    }
                }
                assert_eq!(&seen, expected, "pages of {size}");
            }
        }
    }

    async fn a_deployment_that_moves_without_a_job_is_stranded(store: Store) {
        let tenant = Tenant::new(&store).await;
        add(&store, &tenant, 2, DeploymentStatus::Failed).await;
        assert_eq!(ids(&store.deployment_list_stranded().await.unwrap()), [tenant.deployment.id]);
        let job = NewJob { subject_id: Some(tenant.deployment.id.uuid()), ..fixture::job(tenant.id()) };
        write(&store, async |tx| tx.job_insert(&job).await).await;
        assert_eq!(store.deployment_list_stranded().await.unwrap(), []);
        write(&store, async |tx| tx.job_cancel_subject(tenant.id(), tenant.deployment.id.uuid()).await).await;
        assert_eq!(ids(&store.deployment_list_stranded().await.unwrap()), [tenant.deployment.id]);
    }

    async fn a_deployment_that_waits_for_an_approval_is_not_stranded(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, id) = (tenant.id(), tenant.deployment.id);
        let approval = fixture::approval(&tenant.deployment);
        write(&store, async |tx| tx.approval_insert(&approval).await).await;
        assert_eq!(store.approval_list_pending(team, 10).await.unwrap(), std::slice::from_ref(&approval));
        assert_eq!(store.deployment_list_stranded().await.unwrap(), []);
        let by = Some(UserId::new());
        let end = async || write(&store, async |tx| tx.approval_end(team, id, ApprovalState::Approved, by, Some("fine")).await).await;
        assert_eq!((end().await, end().await), (true, false), "it ends once");
        let ended = write(&store, async |tx| tx.approval_find(team, id).await).await.unwrap();
        assert_eq!((ended.state, ended.decided_by, ended.reason.as_deref()), (ApprovalState::Approved, by, Some("fine")));
        assert_eq!(store.approval_get_many(team, &[id]).await.unwrap(), [ended]);
        assert_eq!(store.approval_list_pending(team, 10).await.unwrap(), []);
        assert_eq!(ids(&store.deployment_list_stranded().await.unwrap()), [id]);
    }

    async fn a_deployment_whose_commit_nobody_looks_for_is_stranded_before_its_approval(store: Store) {
        let tenant = Tenant::new(&store).await;
        let source = Source::Git { repository: "https://example.org/x".parse().unwrap(), reference: None, directory: None };
        let deployment = Deployment { source, ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Queued) };
        let job = NewJob { subject_id: Some(deployment.id.uuid()), ..fixture::job(tenant.id()) };
        write(&store, async |tx| {
            tx.deployment_insert(&deployment).await?;
            tx.approval_insert(&fixture::approval(&tenant.deployment)).await?;
            tx.approval_insert(&fixture::approval(&deployment)).await?;
            tx.job_insert(&job).await
        })
        .await;
        assert_eq!(store.deployment_list_stranded().await.unwrap(), [], "a job looks for it");
        write(&store, async |tx| tx.job_cancel_subject(tenant.id(), deployment.id.uuid()).await).await;
        assert_eq!(ids(&store.deployment_list_stranded().await.unwrap()), [deployment.id]);
        write(&store, async |tx| tx.deployment_set_commit(tenant.id(), deployment.id, "0123").await).await;
        assert_eq!(store.deployment_list_stranded().await.unwrap(), []);
    }

    async fn a_deployment_past_its_deadline_is_overdue(store: Store) {
        let tenant = Tenant::new(&store).await;
        let deadline = now();
        let moving = Deployment { deadline: Some(deadline), ..fixture::deployment(&tenant.environment, 2, DeploymentStatus::Building) };
        let ended = Deployment { deadline: Some(deadline), ..fixture::deployment(&tenant.environment, 3, DeploymentStatus::Failed) };
        write(&store, async |tx| {
            tx.deployment_insert(&moving).await?;
            tx.deployment_insert(&ended).await
        })
        .await;
        assert_eq!(store.deployment_list_overdue(deadline).await.unwrap(), []);
        let after = deadline + TimeDelta::microseconds(1);
        assert_eq!(ids(&store.deployment_list_overdue(after).await.unwrap()), [moving.id]);
    }

    async fn superseded_deployments_beyond_the_newest_may_go(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Live).await;
        let mut superseded = Vec::new();
        for number in 2..=6 {
            let deployment = add(&store, &tenant, number, DeploymentStatus::Superseded).await;
            // The third has nothing left in its cloud.
            if number != 3 {
                write(&store, async |tx| tx.resource_put(&fixture::resource(&deployment)).await).await;
            }
            superseded.push(deployment.id);
        }
        let beyond = store.deployment_list_beyond(tenant.id(), tenant.environment.id, 2).await.unwrap();
        assert_eq!(ids(&beyond), [superseded[2], superseded[0]]);
        assert_eq!(store.deployment_list_beyond(tenant.id(), tenant.environment.id, 4).await.unwrap(), []);
        assert_eq!(store.deployment_list_beyond(tenant.id(), EnvironmentId::new(), 0).await.unwrap(), []);
    }
}
