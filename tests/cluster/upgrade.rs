//! The version before and this one, beside each other on the schema of this one: the middle of an upgrade.

use std::path::Path;

use testkit::previous;

use crate::harness::{BINARY, Cluster, Repository, Shape};
use crate::invariants::check_deployments;

/// Commits, deploys and looks on every edge.
async fn deploy(cluster: &mut Cluster, project: &str, repository: &mut Repository, body: &str) {
    let commit = repository.commit(&[("index.html", body.to_owned())], body);
    cluster.trigger(project, &commit).await;
    let all = cluster.ended(project).await;
    check_deployments(&all);
    assert_eq!(all[0]["status"], "LIVE", "{}", all[0]);
    cluster.shows("page", body).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_are_replaced_one_after_the_other_while_deployments_go_on() {
    let Some(before) = previous::binary() else { return };
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 2, edges: 2 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "page");
    let project = cluster.create_project("page", &repository).await;
    let migrated = cluster.command_with(&before, &["migrate"]).output().await.unwrap();
    assert!(migrated.status.success(), "going back is the same steps as going forward: {migrated:?}");

    // Everything of the version before, then one process more of this version each time.
    for index in 0..cluster.roles.len() {
        cluster.replace(index, &before).await;
    }
    deploy(&mut cluster, &project, &mut repository, "all of before").await;
    let this = Path::new(BINARY);
    for index in 0..cluster.roles.len() {
        cluster.replace(index, this).await;
        let name = cluster.roles[index].name.clone();
        deploy(&mut cluster, &project, &mut repository, &format!("with this version's {name}")).await;
    }
    // And back.
    for worker in cluster.of("worker") {
        cluster.replace(worker, &before).await;
    }
    deploy(&mut cluster, &project, &mut repository, "built by the version before").await;
    let left = cluster.rows("SELECT kind || ' ' || state FROM jobs WHERE state <> 'done'").await;
    assert!(left.is_empty(), "{left:?}");
}
