//! Servers that want TLS and passwords.

use std::path::Path;

use testkit::Certificate;

use crate::harness::{BINARY, Cluster, Repository, Shape};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_goes_live_over_tls_to_servers_with_passwords() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 1, workers: 1, edges: 1 }).await else { return };
    let certificate = Certificate::new(cluster.directory.path());
    cluster.postgres.demand_tls_and_password(&certificate, "geheim");
    let tls_port = cluster.redis.listen_with_tls(&certificate);
    cluster.redis.run(&["CONFIG", "SET", "requirepass", "auch geheim"]);

    let database = format!("postgres://postgres:geheim@127.0.0.1:{}/postgres?sslmode=verify-full", cluster.postgres.port());
    let authority = certificate.file().display().to_string();
    cluster.settings = vec![
        ("DATABASE_URL", format!("{database}&sslrootcert={authority}")),
        ("REDIS_URL", format!("rediss://:auch%20geheim@127.0.0.1:{tls_port}")),
        // The list of authorities that the machine trusts.
        ("SSL_CERT_FILE", authority),
    ];
    for index in 0..cluster.roles.len() {
        cluster.replace(index, Path::new(BINARY)).await;
    }
    let mut repository = Repository::new(cluster.directory.path(), "page");
    let project = cluster.create_project("page", &repository).await;
    let commit = repository.commit(&[("index.html", "over TLS".to_owned())], "over TLS");
    cluster.trigger(&project, &commit).await;
    assert_eq!(cluster.ended(&project).await[0]["status"], "LIVE");
    cluster.shows("page", "over TLS").await;

    // Whoever does not trust the authority is told so, without the password.
    cluster.settings[0].1 = database;
    cluster.settings.push(("MIKROCLOUD_WAIT_SECONDS", "1".to_owned()));
    cluster.settings.retain(|(name, _)| *name != "SSL_CERT_FILE");
    let refused = cluster.command(&["migrate"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("DATABASE_URL") && said.contains("certificate"), "{said}");
    assert!(!said.contains("geheim"), "{said}");
}
