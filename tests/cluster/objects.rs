//! The scaled-out form on an object store that is a server: artifacts, what is given up of them, and archived logs.

use serde_json::{Value, json};
use testkit::{ObjectServer, ObjectVendor, wait_until};

use crate::harness::{Cluster, PATIENCE, Repository, Shape};

async fn lines(cluster: &mut Cluster, deployment: &Value) -> Value {
    let query = "query($id: ID!) { deployment(id: $id) { logs(first: 100) { number text } } }";
    cluster.graphql(query, json!({"id": deployment["id"]})).await["deployment"]["logs"].take()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn artifacts_and_logs_are_kept_removed_and_read_in_s3() {
    let Some(server) = ObjectServer::start(ObjectVendor::Amazon) else { return };
    let mut env = server.env();
    env.push(("MIKROCLOUD_OBJECTS", server.address()));
    for variable in ["MIKROCLOUD_ARTIFACT_BUDGET_MIB", "MIKROCLOUD_ARTIFACT_GRACE_SECONDS", "MIKROCLOUD_LOG_ARCHIVE_HOURS"] {
        env.push((variable, "0".to_owned()));
    }
    let shape = Shape { apis: 1, workers: 2, edges: 2 };
    let Some(mut cluster) = Cluster::start_with(shape, env).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "page");
    let project = cluster.create_project("page", &repository).await;
    for body in ["one", "two", "three"] {
        let commit = repository.commit(&[("index.html", body.to_owned())], body);
        cluster.trigger(&project, &commit).await;
        let all = cluster.ended(&project).await;
        assert_eq!(all[0]["status"], "LIVE", "{}", all[0]);
        cluster.shows("page", body).await;
    }
    let all = cluster.ended(&project).await;
    let before = lines(&mut cluster, &all[2]).await;

    // Housekeeping begins with a worker, here with two at once.
    for worker in cluster.of("worker") {
        cluster.roles[worker].kill().await;
    }
    cluster.supervise().await;
    wait_until(PATIENCE, "the first artifact and the old logs to be gone", async || {
        let gone = cluster.rows("SELECT digest FROM artifacts WHERE deleted_at IS NOT NULL").await.len();
        let archived = cluster.rows("SELECT deployment_id::text FROM log_archives").await.len();
        gone == 1 && archived == 2
    })
    .await;
    assert_eq!(lines(&mut cluster, &all[2]).await, before, "the log is read as before");

    let query = "mutation($input: RollbackDeploymentInput!) {
        rollbackDeployment(input: $input) { deployment { id } userErrors { code } } }";
    let input = json!({"projectId": project, "toDeploymentId": all[2]["id"]});
    let refused = cluster.graphql(query, json!({"input": input})).await;
    assert_eq!(refused["rollbackDeployment"]["userErrors"][0]["code"], "ARTIFACT_REMOVED", "{refused}");
    let rolled_back = cluster.graphql(query, json!({"input": {"projectId": project}})).await;
    assert_eq!(rolled_back["rollbackDeployment"]["userErrors"], json!([]), "{rolled_back}");
    cluster.ended(&project).await;
    cluster.shows("page", "two").await;
    // What was removed is built again into an object of its own.
    cluster.trigger(&project, all[2]["commitSha"].as_str().unwrap()).await;
    cluster.ended(&project).await;
    cluster.shows("page", "one").await;
    let objects = cluster.rows("SELECT object_id::text FROM artifacts WHERE object_id IS NOT NULL AND removed_at IS NULL").await;
    assert_eq!(objects.len(), 1);
}
