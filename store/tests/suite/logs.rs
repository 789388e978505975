//! Log lines.

use chrono::TimeDelta;
use domain::deployment::DeploymentStatus;
use domain::event::{LogStream, NewLine};
use domain::id::{DeploymentId, ObjectId};
use domain::log_archive::{LogArchive, LogChunk};
use domain::time::now;
use store::Store;

use crate::fixture::{Tenant, digest, write};

fn lines(count: usize) -> Vec<NewLine> {
    (0..count).map(|number| NewLine { stream: LogStream::Build, text: format!("line {number}") }).collect()
}

/// An archive of these lines.
fn archive(tenant: &Tenant, first: i64, last: i64) -> LogArchive {
    let chunk = LogChunk { first, last, offset: 0, length: 7, digest: digest(1) };
    LogArchive {
        team_id: tenant.id(),
        deployment_id: tenant.deployment.id,
        first_number: first,
        last_number: last,
        object_id: ObjectId::new(),
        size_bytes: 7,
        chunks: vec![chunk],
    }
}

async fn numbers(store: &Store, tenant: &Tenant) -> Vec<i64> {
    let lines = store.log_list(tenant.id(), tenant.deployment.id, 0, 100_000).await.unwrap();
    lines.into_iter().map(|line| line.number).collect()
}

testkit::on_both_databases! {
    crate::common::open;

    async fn lines_are_read_back_in_order_from_any_number(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, deployment) = (tenant.id(), tenant.deployment.id);
        let streams = [LogStream::System, LogStream::Build, LogStream::Stdout, LogStream::Stderr];
        let written: Vec<_> = streams.map(|stream| NewLine { stream, text: format!("\u{1b}[1m{} \u{1f600}", stream.name()) }).into();
        assert_eq!(write(&store, async |tx| tx.log_insert(team, deployment, &written).await).await, Some(4));
        let kept = store.log_list(team, deployment, 0, 100).await.unwrap();
        assert_eq!(kept.iter().map(|line| NewLine { stream: line.stream, text: line.text.clone() }).collect::<Vec<_>>(), written);
        assert_eq!(store.log_list(team, deployment, 1, 2).await.unwrap(), kept[1..3]);
        assert_eq!(store.deployment_get(team, deployment).await.unwrap().unwrap().log_count, 4);
    }

    async fn no_lines_change_nothing_and_a_deployment_that_is_gone_says_so(store: Store) {
        let tenant = Tenant::new(&store).await;
        assert_eq!(write(&store, async |tx| tx.log_insert(tenant.id(), tenant.deployment.id, &[]).await).await, Some(0));
        assert_eq!(write(&store, async |tx| tx.log_insert(tenant.id(), DeploymentId::new(), &lines(3)).await).await, None);
        assert!(numbers(&store, &tenant).await.is_empty());
    }

    async fn writers_at_once_leave_no_gap(store: Store) {
        let tenant = Tenant::new(&store).await;
        let (team, deployment) = (tenant.id(), tenant.deployment.id);
        let sizes = [1_usize, 7, 40, 1000, 1001, 2500];
        let writers: Vec<_> = (0..24)
            .map(|writer| {
                let (store, size) = (store.clone(), sizes[writer % sizes.len()]);
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let last = tx.log_insert(team, deployment, &lines(size)).await.unwrap().unwrap();
                    // Every sixth gives up: its numbers are another's then.
                    if writer % 6 == 2 {
                        return 0..=0;
                    }
                    tx.commit().await.unwrap();
                    last + 1 - i64::try_from(size).unwrap()..=last
                })
            })
            .collect();
        let mut told = Vec::new();
        for writer in writers {
            told.extend(writer.await.unwrap().filter(|number| *number > 0));
        }
        told.sort_unstable();
        let total = 4 * (1 + 7 + 1000 + 1001 + 2500);
        assert_eq!(told, (1..=total).collect::<Vec<i64>>(), "what writers were told");
        assert_eq!(numbers(&store, &tenant).await, told);
    }

    async fn only_the_newest_lines_survive_a_purge(store: Store) {
        let (long, short) = (Tenant::new(&store).await, Tenant::new(&store).await);
        write(&store, async |tx| {
            tx.log_insert(long.id(), long.deployment.id, &lines(25)).await?;
            tx.log_insert(short.id(), short.deployment.id, &lines(10)).await?;
            tx.log_purge(10).await
        })
        .await;
        assert_eq!(numbers(&store, &long).await, (16..=25).collect::<Vec<i64>>());
        assert_eq!(numbers(&store, &short).await, (1..=10).collect::<Vec<i64>>());
        let next = write(&store, async |tx| tx.log_insert(long.id(), long.deployment.id, &lines(1)).await).await;
        assert_eq!(next, Some(26), "numbers go on where they were");
    }

    async fn archived_lines_are_in_one_place_and_go_with_their_project(store: Store) {
        let tenant = Tenant::with_status(&store, DeploymentStatus::Superseded).await;
        let (team, id) = (tenant.id(), tenant.deployment.id);
        let (before, later) = (now() - TimeDelta::hours(1), now() + TimeDelta::hours(1));
        assert_eq!(store.log_list_archivable(later, 10).await.unwrap(), [], "it has no lines");
        write(&store, async |tx| tx.log_insert(team, id, &lines(30)).await).await;
        assert_eq!(store.log_list_archivable(later, 10).await.unwrap(), [(team, id)]);
        assert_eq!(store.log_list_archivable(before, 10).await.unwrap(), [], "it ended just now");
        let archive = archive(&tenant, 1, 20);
        assert!(write(&store, async |tx| tx.log_archive_insert(&archive).await).await);
        assert_eq!(numbers(&store, &tenant).await, (21..=30).collect::<Vec<i64>>());
        assert_eq!(store.log_archive_list(team, id, 19).await.unwrap(), std::slice::from_ref(&archive));
        assert_eq!(store.log_archive_list(team, id, 20).await.unwrap(), []);
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.log_archive_insert(&self::archive(&tenant, 1, 25)).await.unwrap(), "another was quicker");
        drop(tx);
        assert_eq!(numbers(&store, &tenant).await.len(), 10, "nothing is lost");
        assert!(write(&store, async |tx| tx.log_archive_insert(&self::archive(&tenant, 21, 30)).await).await);
        assert_eq!(store.log_archive_list(team, id, 0).await.unwrap().len(), 2);
        assert_eq!(store.log_archive_objects(team, tenant.project.id).await.unwrap().len(), 2);
        assert_eq!(store.log_archive_usage(team).await.unwrap(), 14);
        assert_eq!(write(&store, async |tx| tx.log_insert(team, id, &lines(1)).await).await, Some(31), "numbers go on");
        write(&store, async |tx| tx.project_delete(team, tenant.project.id).await).await;
        assert_eq!(store.log_archive_object_list().await.unwrap(), []);
    }

    async fn lines_of_what_runs_or_still_logs_stay(store: Store) {
        let live = Tenant::with_status(&store, DeploymentStatus::Live).await;
        write(&store, async |tx| tx.log_insert(live.id(), live.deployment.id, &lines(1)).await).await;
        let ended = Tenant::with_status(&store, DeploymentStatus::Failed).await;
        let between = now() + TimeDelta::microseconds(1);
        write(&store, async |tx| tx.log_insert(ended.id(), ended.deployment.id, &lines(1)).await).await;
        let last = store.log_list(ended.id(), ended.deployment.id, 0, 1).await.unwrap()[0].at;
        assert_eq!(store.log_list_archivable(between.min(last), 10).await.unwrap(), []);
        assert_eq!(store.log_list_archivable(last + TimeDelta::microseconds(1), 10).await.unwrap().len(), 1);
    }
}
