//! Notifications over several processes.

use serde_json::json;
use standardwebhooks::Webhook;

use crate::harness::{Cluster, Repository, Shape};
use crate::receiver::Receiver;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_delivered_by_one_of_two_workers_and_by_the_other_when_that_one_dies() {
    let settings = vec![("MIKROCLOUD_ALLOW_NETWORKS", "127.0.0.0/8".to_owned())];
    let Some(mut cluster) = Cluster::start_with(Shape { apis: 2, workers: 2, edges: 1 }, settings).await else { return };
    let receiver = Receiver::start().await;
    let mut repository = Repository::new(cluster.directory.path(), "page");
    let project = cluster.create_project("page", &repository).await;
    let create = "mutation($input: CreateNotificationChannelInput!) {
        createNotificationChannel(input: $input) { channel { id } secret userErrors { message } } }";
    let mut secrets = Vec::new();
    for (name, path) in [("ops", "/hook"), ("slow", "/slow")] {
        let input = json!({"kind": "WEBHOOK", "name": name, "url": receiver.url(path), "events": ["deployment.live"]});
        let created = cluster.graphql(create, json!({"input": input})).await["createNotificationChannel"].take();
        secrets.push(created["secret"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned());
    }
    for number in 1..=5 {
        let commit = repository.commit(&[("index.html", format!("page {number}"))], &format!("page {number}"));
        cluster.trigger(&project, &commit).await;
        cluster.ended(&project).await;
    }
    let taken = receiver.wait_for("/hook", 5).await;
    let mut ids: Vec<_> = taken.iter().map(|message| message.id().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), taken.len()), (5, 5), "each once");
    for message in &taken {
        assert!(Webhook::new(&secrets[0]).unwrap().verify(&message.body, &message.headers).is_ok(), "{message:?}");
    }
    // The receiver has the first of the others and does not answer: whichever worker waits for it dies, with all it has.
    let first = receiver.wait_for("/slow", 1).await.swap_remove(0);
    for worker in cluster.of("worker") {
        cluster.roles[worker].kill().await;
    }
    receiver.open();
    cluster.supervise().await;
    let again = receiver.wait_for("/slow", 6).await;
    let times = |id: &str| again.iter().filter(|message| message.id() == id).count();
    assert_eq!(times(first.id()), 2, "it was not known to be there");
    assert!(again.iter().filter(|message| message.id() != first.id()).all(|message| times(message.id()) == 1), "{again:?}");
    let waiting = "SELECT COUNT(*)::TEXT FROM notification_deliveries WHERE state <> 'delivered'";
    testkit::wait_until(crate::harness::PATIENCE, "all are delivered", async || cluster.rows(waiting).await == ["0"]).await;
}
