//! Starts that cannot be: each process says which setting is wrong and what to do, and never shows a password.

use std::path::Path;
use std::process::Stdio;

use testkit::{PostgresServer, Redis};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{BINARY, Cluster, PATIENCE, Repository, Shape};
use crate::roles::free_port;

/// A database and a Redis for processes that do not come up.
struct Servers {
    postgres: PostgresServer,
    redis: Redis,
    directory: tempfile::TempDir,
}

impl Servers {
    /// `None` where a server is not installed, which is said.
    fn start() -> Option<Self> {
        Some(Self { postgres: PostgresServer::start()?, redis: Redis::start()?, directory: tempfile::tempdir().unwrap() })
    }

    /// Output of a command that ends by itself, and its exit status. Variables given come in place of the right ones; empty ones are not set.
    async fn run(&self, arguments: &[&str], env: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(BINARY);
        let objects = format!("file://{}", self.directory.path().join("objects").display());
        command.args(arguments).env_clear().env("PATH", std::env::var("PATH").unwrap()).env("MIKROCLOUD_OBJECTS", objects);
        command.env("DATABASE_URL", self.postgres.url_at(self.postgres.port())).env("REDIS_URL", self.redis.url());
        command.env("MIKROCLOUD_MASTER_KEY", "5a".repeat(32)).env("MIKROCLOUD_WAIT_SECONDS", "1");
        command.env("MIKROCLOUD_DATA", self.directory.path().join("data")).env("MIKROCLOUD_CONFIG_DIR", self.directory.path());
        for (name, value) in env {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let ended = timeout(PATIENCE, command.stdin(Stdio::null()).kill_on_drop(true).output()).await;
        let output = ended.unwrap_or_else(|_| panic!("{arguments:?} with {env:?} does not end")).unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"), "{output:?}");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Checks the message of each role that cannot start.
    async fn refused(&self, env: &[(&str, &str)], names: &[&str]) {
        for role in [
            &["api", "--listen", "127.0.0.1:0"],
            &["worker", "--health-listen", "127.0.0.1:0"],
            &["edge", "--listen", "127.0.0.1:0"],
        ] {
            let (status, said) = self.run(role, env).await;
            assert!(status == 1 || status == 2, "{role:?} with {env:?} ended with {status}: {said}");
            let last = said.lines().last().unwrap_or_default();
            assert!(names.iter().all(|name| said.contains(name)) && !last.is_empty(), "{role:?} with {env:?}: {said}");
            assert!(!said.contains("hunter2") && !said.contains("panicked"), "{role:?} with {env:?}: {said}");
        }
    }

    async fn migrate(&self) {
        let (status, said) = self.run(&["migrate"], &[]).await;
        assert_eq!(status, 0, "{said}");
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_named() {
    let Some(servers) = Servers::start() else { return };
    servers.migrate().await;
    let nobody = free_port();
    let database = format!("postgres://someone:hunter2@127.0.0.1:{nobody}/mikrocloud");
    let redis = format!("redis://:hunter2@127.0.0.1:{nobody}");
    for (variable, value, names) in [
        ("DATABASE_URL", "", ["DATABASE_URL"].as_slice()),
        ("DATABASE_URL", "mysql://someone:hunter2@127.0.0.1/x", &["DATABASE_URL", "postgres://"]),
        ("DATABASE_URL", "not an address", &["DATABASE_URL", "postgres://"]),
        ("DATABASE_URL", &database, &["DATABASE_URL", "refused"]),
        ("REDIS_URL", "", &["REDIS_URL"]),
        ("REDIS_URL", "http://:hunter2@127.0.0.1", &["redis://"]),
        ("REDIS_URL", &redis, &["Redis at", "refused"]),
        ("MIKROCLOUD_MASTER_KEY", "", &["MIKROCLOUD_MASTER_KEY"]),
        ("MIKROCLOUD_MASTER_KEY", "hunter2", &["MIKROCLOUD_MASTER_KEY", "64 hexadecimal digits"]),
    ] {
        servers.refused(&[(variable, value)], names).await;
    }
}

#[tokio::test]
async fn wrong_passwords_are_told_without_waiting() {
    let Some(servers) = Servers::start() else { return };
    servers.migrate().await;
    servers.redis.run(&["CONFIG", "SET", "requirepass", "right"]);
    let patient = ("MIKROCLOUD_WAIT_SECONDS", "600");
    let wrong = format!("redis://:hunter2@127.0.0.1:{}", servers.redis.port());
    servers.refused(&[patient], &["REDIS_URL", "password"]).await;
    servers.refused(&[patient, ("REDIS_URL", &wrong)], &["REDIS_URL", "password"]).await;
    servers.postgres.demand_password("right");
    let wrong = format!("postgres://postgres:hunter2@127.0.0.1:{}/postgres", servers.postgres.port());
    servers.refused(&[patient], &["DATABASE_URL", "password"]).await;
    servers.refused(&[patient, ("DATABASE_URL", &wrong)], &["DATABASE_URL", "password"]).await;
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_refused() {
    let Some(servers) = Servers::start() else { return };
    servers.migrate().await;
    servers.postgres.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    servers.refused(&[], &["takes no writes", "primary"]).await;
    let (status, said) = servers.run(&["migrate"], &[]).await;
    assert!(status == 1 && said.contains("takes no writes"), "{said}");
}

#[tokio::test]
async fn a_process_with_another_master_key_is_refused() {
    let Some(servers) = Servers::start() else { return };
    servers.migrate().await;
    let other = "a5".repeat(32);
    servers.refused(&[("MIKROCLOUD_MASTER_KEY", &other)], &["master key"]).await;
    let (status, said) = servers.run(&["migrate"], &[("MIKROCLOUD_MASTER_KEY", &other)]).await;
    assert!(status == 1 && said.contains("master key"), "{said}");
}

#[tokio::test]
async fn a_schema_that_is_missing_or_newer_is_told() {
    let Some(servers) = Servers::start() else { return };
    servers.refused(&[], &["mikrocloud migrate"]).await;
    servers.migrate().await;
    servers.postgres.sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (20990101000000, 'to come', true, '', 0);
         INSERT INTO installation (name, value) VALUES ('schema_compatible_with', '20990101000000')",
    );
    servers.refused(&[], &["newer MikroCloud"]).await;
    let (status, said) = servers.run(&["migrate"], &[]).await;
    assert!(status == 1 && said.contains("newer MikroCloud"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_full_stops_nothing() {
    let Some(mut cluster) = Cluster::start(Shape { apis: 2, workers: 1, edges: 1 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "page");
    let project = cluster.create_project("page", &repository).await;
    cluster.redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    // Requests are to be counted there, and cannot.
    cluster.rate_limit = 100_000;
    let api = cluster.of("api")[0];
    cluster.replace(api, Path::new(BINARY)).await;
    let commit = repository.commit(&[("index.html", "without Redis".to_owned())], "without Redis");
    cluster.trigger(&project, &commit).await;
    assert_eq!(cluster.ended(&project).await[0]["status"], "LIVE");
    cluster.shows("page", "without Redis").await;
    assert_eq!(cluster.status(0).await, 200);
    let logs: String = cluster.roles.iter().map(crate::roles::Role::log).collect();
    assert!(logs.contains("OOM"), "the reason is in the log: {logs}");
    cluster.redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    let commit = repository.commit(&[("index.html", "with Redis".to_owned())], "with Redis");
    cluster.trigger(&project, &commit).await;
    assert_eq!(cluster.ended(&project).await[0]["status"], "LIVE");
}
