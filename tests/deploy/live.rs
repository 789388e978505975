//! The commands of `docker-compose.yml`, run as they stand there but for addresses, up to a deployment that is live.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::HOST;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{PostgresServer, Redis, wait_until};
use tokio::process::{Child, Command};

use crate::chart::queries;
use crate::compose::services;
use crate::tools::{installed, root, texts};

const PATIENCE: Duration = Duration::from_mins(2);
/// The shortest `stop_grace_period` of the services.
const GRACE: Duration = Duration::from_secs(20);
const BINARY: &str = env!("CARGO_BIN_EXE_mikrocloud");

/// A free port for each place where a service listens in its container.
fn port_of(ports: &mut Vec<(String, u16)>, service: &str) -> u16 {
    if let Some((_, port)) = ports.iter().find(|(name, _)| name == service) {
        return *port;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    ports.push((service.to_owned(), port));
    port
}

/// Stand-in for the engine.
struct Machine {
    directory: TempDir,
    postgres: PostgresServer,
    redis: Redis,
    services: Value,
    ports: Vec<(String, u16)>,
    running: Vec<Child>,
}

impl Machine {
    /// A text of the compose file with this machine's addresses in place of the containers'.
    fn here(&mut self, service: &str, text: &str) -> String {
        let addresses = ["0.0.0.0:", "127.0.0.1:", "http://127.0.0.1:", "edge:"];
        match addresses.into_iter().find_map(|before| text.strip_prefix(before).map(|port| (before, port.parse::<u16>()))) {
            Some((before, Ok(_))) => {
                let scheme = if before.starts_with("http") { "http://" } else { "" };
                format!("{scheme}127.0.0.1:{}", port_of(&mut self.ports, service))
            }
            _ => text.to_owned(),
        }
    }

    fn command(&mut self, service: &str, arguments: &[String]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments.iter().map(|argument| self.here(service, argument)).collect::<Vec<_>>()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let environment = self.services[service]["environment"].clone();
        for (name, value) in environment.as_object().unwrap() {
            if let Some(value) = value.as_str() {
                command.env(name, value);
            }
        }
        let inside = |name: &str| self.directory.path().join(name);
        command.env("DATABASE_URL", self.postgres.url_at(self.postgres.port())).env("REDIS_URL", self.redis.url());
        command.env("MIKROCLOUD_MASTER_KEY", "5a".repeat(32)).env("MIKROCLOUD_DATA", inside(service)).env("HOME", inside("home"));
        command.env("MIKROCLOUD_OBJECTS", format!("file://{}", inside("objects").display()));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn service(&mut self, service: &str) -> Command {
        let arguments = texts(&self.services[service]["command"]);
        self.command(service, &arguments)
    }

    fn start(&mut self, service: &str) {
        let log = File::create(self.log(service)).unwrap();
        let child = self.service(service).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.running.push(child);
    }

    fn log(&self, service: &str) -> PathBuf {
        self.directory.path().join(format!("{service}.log"))
    }

    /// Returns true if the health check of a service succeeds; the image's own one where it says none.
    async fn healthy(&mut self, service: &str) -> bool {
        let check = texts(&self.services[service]["healthcheck"]["test"]);
        let check =
            if check.is_empty() { vec!["health".to_owned(), "http://127.0.0.1:8080".to_owned()] } else { check[2..].to_vec() };
        let output = self.command(service, &check).output().await.unwrap();
        output.status.success()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in ["api", "worker1", "worker2", "edge"] {
                eprintln!("--- {service} ---\n{}", std::fs::read_to_string(self.log(service)).unwrap_or_default());
            }
        }
    }
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

/// Signs in with the link that `migrate` printed, and returns an API key.
async fn api_key(http: &reqwest::Client, api: &str, printed: &str) -> String {
    let token = printed.lines().find_map(|line| line.split("token=").nth(1)).unwrap().trim();
    let body = json!({"token": token, "password": "correct horse battery staple"});
    let answer = json_of(http.post(format!("{api}/auth/link")).json(&body)).await;
    let access = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let query = json!({"query": "mutation { createApiKey(input: {name: \"test\"}) { secret } }"});
    let answer = json_of(http.post(format!("{api}/graphql")).bearer_auth(access).json(&query)).await;
    answer["data"]["createApiKey"]["secret"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn client(machine: &mut Machine, arguments: &[&str]) -> Value {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let config = machine.directory.path().join("config");
    let output = machine.command("api", &arguments).env("MIKROCLOUD_CONFIG_DIR", config).output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

async fn rows(machine: &Machine, sql: String) -> Vec<i64> {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(&machine.postgres.url_at(machine.postgres.port())).await.unwrap();
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap()
}

fn machine(tools: &Path) -> Option<Machine> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (services, postgres, redis) = (services(tools)?, PostgresServer::start()?, Redis::start()?);
    let directory = TempDir::with_prefix("mikrocloud-deploy-").unwrap();
    Some(Machine { directory, postgres, redis, services, ports: Vec::new(), running: Vec::new() })
}

#[tokio::test]
async fn the_commands_of_the_compose_file_bring_a_deployment_live_and_their_health_checks_tell() {
    let Some(tools) = installed() else { return };
    let Some(mut machine) = machine(&tools) else { return };
    let migrated = machine.service("migrate").output().await.unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    assert!(!machine.healthy("api").await, "nothing runs yet");
    for service in ["api", "worker1", "worker2", "edge"] {
        machine.start(service);
    }
    for service in ["api", "worker1", "worker2", "edge"] {
        wait_until(PATIENCE, &format!("{service} is healthy"), async || machine.healthy(service).await).await;
    }
    let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let api = format!("http://127.0.0.1:{}", port_of(&mut machine.ports, "api"));
    let key = api_key(&http, &api, &String::from_utf8_lossy(&migrated.stdout)).await;
    client(&mut machine, &["login", "--url", &api, "--token", &key, "--json"]).await;
    let site = root().join("tests/fixtures/static");
    client(&mut machine, &["deploy", site.to_str().unwrap(), "--json"]).await;
    let edge = format!("http://127.0.0.1:{}/", port_of(&mut machine.ports, "edge"));
    let answer = http.get(edge).header(HOST, "static-site.localhost:8081").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // The queries by which the chart's workers are scaled are asked of the database that there is.
    for query in queries(&tools) {
        // What follows from the deployment, such as mail about the account, may be under way still.
        wait_until(PATIENCE, "no job waits or runs", async || rows(&machine, query.clone()).await == [0]).await;
    }
    // As an engine ends containers: SIGTERM, and in time.
    for child in &mut machine.running {
        let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = tokio::time::timeout(GRACE, child.wait()).await;
        assert!(ended.is_ok_and(|status| status.unwrap().success()), "a process did not end well when told to");
    }
}
