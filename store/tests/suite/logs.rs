//! Log lines.

use domain::event::{LogStream, NewLine};
use domain::id::DeploymentId;
use store::Store;

use crate::fixture::{Tenant, write};

fn lines(count: usize) -> Vec<NewLine> {
    (0..count).map(|number| NewLine { stream: LogStream::Build, text: format!("line {number}") }).collect()
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
}
