//! An installation of a test's own: its servers, its processes, and what a client asks of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;

use reqwest::header::HOST;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{PostgresServer, Proxy, Redis};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::containers::ENGINE;
use crate::roles::Role;

/// Longer than anything takes on a busy machine, a lost edge and a lease that has to run out included.
pub const PATIENCE: Duration = Duration::from_mins(2);

pub const BINARY: &str = env!("CARGO_BIN_EXE_mikrocloud");

/// Lease of a job whose worker is silent, seconds.
pub const LEASE: u64 = 3;

/// Number of processes of each role.
pub struct Shape {
    pub apis: usize,
    pub workers: usize,
    pub edges: usize,
}

/// A running installation. Dropped, all of it is killed.
pub struct Cluster {
    pub directory: TempDir,
    pub postgres: PostgresServer,
    pub redis: Redis,
    /// Proxy between the processes and their database.
    pub to_postgres: Proxy,
    pub to_redis: Proxy,
    pub roles: Vec<Role>,
    /// Number of requests that a user may make per hour, for processes that start from now on; any number when 0.
    pub rate_limit: u32,
    /// Variables in place of those of [`Self::env`], for processes that start from now on.
    pub settings: Vec<(&'static str, String)>,
    token: String,
    http: reqwest::Client,
}

impl Cluster {
    /// Starts everything. `None` where a server is not installed, which is said.
    pub async fn start(shape: Shape) -> Option<Self> {
        Self::start_with(shape, Vec::new()).await
    }

    /// Starts everything with these variables in place of those of [`Self::env`].
    pub async fn start_with(shape: Shape, settings: Vec<(&'static str, String)>) -> Option<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (postgres, redis) = (PostgresServer::start()?, Redis::start()?);
        let (to_postgres, to_redis) = (Proxy::to(postgres.port()).await, Proxy::to(redis.port()).await);
        let directory = TempDir::with_prefix("mikrocloud-cluster-").unwrap();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let mut cluster = Self {
            directory,
            postgres,
            redis,
            to_postgres,
            to_redis,
            roles: Vec::new(),
            rate_limit: 0,
            settings,
            token: String::new(),
            http,
        };
        let link = cluster.migrate().await;
        for (kind, count) in [("api", shape.apis), ("edge", shape.edges), ("worker", shape.workers)] {
            for number in 1..=count {
                let role = Role::new(&cluster, kind, number);
                cluster.roles.push(role);
            }
        }
        for index in 0..cluster.roles.len() {
            let command = cluster.command_of(index);
            cluster.roles[index].start(command).await;
        }
        cluster.token = cluster.sign_in(&link).await;
        Some(cluster)
    }

    /// The environment of every process.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let mut env = vec![
            ("DATABASE_URL", self.postgres.url_at(self.to_postgres.port())),
            ("REDIS_URL", format!("redis://127.0.0.1:{}", self.to_redis.port())),
            ("MIKROCLOUD_OBJECTS", format!("file://{}", self.directory.path().join("objects").display())),
            ("MIKROCLOUD_MASTER_KEY", "5a".repeat(32)),
            ("MIKROCLOUD_LEASE_SECONDS", LEASE.to_string()),
            ("MIKROCLOUD_SHUTDOWN_SECONDS", "2".to_owned()),
            ("MIKROCLOUD_RATE_LIMIT", self.rate_limit.to_string()),
            ("MIKROCLOUD_ANONYMOUS_RATE_LIMIT", "0".to_owned()),
            ("MIKROCLOUD_SIGN_IN_RATE_LIMIT", "0".to_owned()),
            ("MIKROCLOUD_CONFIG_DIR", self.directory.path().join("config").display().to_string()),
        ];
        env.extend(ENGINE.get().map(|address| ("DOCKER_HOST", (*address).to_owned())));
        env
    }

    /// A command of the binary in the environment of this installation.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(Path::new(BINARY), arguments)
    }

    /// The same command of some version's binary.
    pub fn command_with(&self, binary: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary);
        let passed_on = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("MIKROCLOUD_"));
        command.args(arguments).env_clear().envs(passed_on).envs(self.env()).envs(self.settings.clone());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn command_of(&self, index: usize) -> Command {
        let role = &self.roles[index];
        let arguments: Vec<_> = role.arguments.iter().map(String::as_str).collect();
        match role.clock {
            None => self.command_with(&role.binary, &arguments),
            Some(clock) => {
                let wrapped =
                    [&["--exclude-monotonic", "-f", clock, role.binary.to_str().unwrap()], arguments.as_slice()].concat();
                self.command_with(Path::new("faketime"), &wrapped)
            }
        }
    }

    async fn migrate(&self) -> String {
        // Two at once: one does it, the other finds it done.
        let (one, two) = tokio::join!(self.command(&["migrate"]).output(), self.command(&["migrate"]).output());
        let outputs = [one.unwrap(), two.unwrap()];
        assert!(outputs.iter().all(|output| output.status.success()), "{outputs:?}");
        let text: String = outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).collect();
        let links: Vec<&str> = text.lines().filter_map(|line| line.split("token=").nth(1)).collect();
        assert_eq!(links.len(), 1, "one owner is made: {text}");
        links[0].trim().to_owned()
    }

    /// Signs somebody in by a link's token, and returns a key of theirs.
    pub async fn sign_in(&self, link: &str) -> String {
        let body = json!({"token": link, "password": "correct horse battery staple"});
        let answer = self.http.post(self.api_url(0, "/auth/link")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let access = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        let query = "mutation { createApiKey(input: {name: \"test\"}) { secret userErrors { message } } }";
        let request = self.http.post(self.api_url(0, "/graphql")).bearer_auth(access).json(&json!({"query": query}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["data"]["createApiKey"]["secret"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The API key of the owner.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The processes of a role, as indices.
    pub fn of(&self, kind: &str) -> Vec<usize> {
        (0..self.roles.len()).filter(|index| self.roles[*index].kind == kind).collect()
    }

    pub fn api_url(&self, number: usize, path: &str) -> String {
        let apis = self.of("api");
        format!("http://127.0.0.1:{}{path}", self.roles[apis[number % apis.len()]].port)
    }

    /// Ends a process as an upgrade does, and starts this version's in its place.
    pub async fn replace(&mut self, index: usize, binary: &Path) {
        self.roles[index].terminate().await;
        binary.clone_into(&mut self.roles[index].binary);
        self.supervise().await;
    }

    /// Starts what has ended, as systemd or Kubernetes would.
    pub async fn supervise(&mut self) {
        for index in 0..self.roles.len() {
            if self.roles[index].has_ended() {
                let command = self.command_of(index);
                self.roles[index].start(command).await;
            }
        }
    }

    /// The data of a GraphQL request, asked of one api process after the other until one answers.
    pub async fn graphql(&mut self, query: &str, variables: Value) -> Value {
        let started = Instant::now();
        let body = json!({"query": query, "variables": variables});
        for number in 0.. {
            let request = self.http.post(self.api_url(number, "/graphql")).bearer_auth(&self.token).json(&body);
            let reason = match request.send().await {
                Err(error) => error.to_string(),
                Ok(response) => match response.json::<Value>().await {
                    Ok(mut answer) if answer["errors"].is_null() => return answer["data"].take(),
                    Ok(answer) => {
                        let code = &answer["errors"][0]["extensions"]["code"];
                        assert!(code == "INTERNAL" || code == "UNAVAILABLE", "{query}: {answer}");
                        answer.to_string()
                    }
                    Err(error) => error.to_string(),
                },
            };
            assert!(started.elapsed() < PATIENCE, "no answer to {query}: {reason}");
            self.supervise().await;
            sleep(Duration::from_millis(100)).await;
        }
        unreachable!()
    }

    /// The whole answer of one of the api processes to somebody's request.
    pub async fn ask(&self, number: usize, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        let request = self.http.post(self.api_url(number, "/graphql")).bearer_auth(token).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The status of a request to one of the api processes.
    pub async fn status(&self, number: usize) -> u16 {
        let body = json!({"query": "{ me { role } }"});
        let request = self.http.post(self.api_url(number, "/graphql")).bearer_auth(&self.token).json(&body);
        request.send().await.unwrap().status().as_u16()
    }

    /// Creates a project that is deployed from a repository.
    pub async fn create_project(&mut self, name: &str, repository: &Repository) -> String {
        let query =
            "mutation($input: CreateProjectInput!) { createProject(input: $input) { project { id } userErrors { message } } }";
        let input = json!({"name": name, "repository": repository.url()});
        let created = self.graphql(query, json!({"input": input})).await;
        created["createProject"]["project"]["id"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned()
    }

    /// Asks for a deployment of a commit. Asked again after an answer that was lost, there may be two.
    pub async fn trigger(&mut self, project: &str, commit: &str) -> String {
        let query = "mutation($input: TriggerDeploymentInput!) {
            triggerDeployment(input: $input) { deployment { id } userErrors { message } } }";
        let input = json!({"projectId": project, "reference": commit});
        let triggered = self.graphql(query, json!({"input": input})).await;
        triggered["triggerDeployment"]["deployment"]["id"].as_str().unwrap_or_else(|| panic!("{triggered}")).to_owned()
    }

    /// All deployments of a project, newest first.
    pub async fn deployments(&mut self, project: &str) -> Vec<Value> {
        let query = "query($id: ID, $after: String) { project(id: $id) { deployments(first: 50, after: $after) {
            nodes { id number status commitSha failure { code message } events(first: 20) { number projectNumber status } }
            pageInfo { hasNextPage endCursor } } } }";
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut data = self.graphql(query, json!({"id": project, "after": after})).await;
            let page = data["project"]["deployments"].take();
            all.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] != true {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    /// Waits until all deployments of a project have ended, and returns them.
    pub async fn ended(&mut self, project: &str) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let all = self.deployments(project).await;
            let moving: Vec<_> = all
                .iter()
                .filter(|deployment| matches!(deployment["status"].as_str(), Some("QUEUED" | "BUILDING" | "RELEASING")))
                .collect();
            if moving.is_empty() {
                return all;
            }
            assert!(started.elapsed() < PATIENCE, "still moving: {moving:?}");
            self.supervise().await;
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// The page that a visitor of a label sees on one edge; `None` when it does not answer well.
    pub async fn visit(&self, edge: usize, label: &str) -> Option<String> {
        self.visit_host(edge, &format!("{label}.localhost:{}", self.roles[edge].port)).await
    }

    /// The same for a whole host name.
    pub async fn visit_host(&self, edge: usize, host: &str) -> Option<String> {
        let request = self.http.get(format!("http://127.0.0.1:{}/", self.roles[edge].port)).header(HOST, host);
        let response = request.send().await.ok().filter(|response| response.status().is_success())?;
        response.text().await.ok()
    }

    /// Waits until every edge shows this under a label.
    pub async fn shows(&mut self, label: &str, body: &str) {
        let started = Instant::now();
        for edge in self.of("edge") {
            let mut seen = None;
            while seen.as_deref() != Some(body) {
                assert!(started.elapsed() < PATIENCE, "{} shows {seen:?} and not `{body}` for {label}", self.roles[edge].name);
                self.supervise().await;
                seen = self.visit(edge, label).await;
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// The rows of a query on the database, as texts.
    pub async fn rows(&self, sql: &'static str) -> Vec<String> {
        use sqlx::Connection;
        let mut connection = sqlx::PgConnection::connect(&self.postgres.url_at(self.postgres.port())).await.unwrap();
        let rows = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for role in &self.roles {
                eprintln!("--- {} ---\n{}", role.name, role.log_tail());
            }
        }
        self.roles.clear();
        crate::processes::kill_all_of(self.directory.path());
    }
}

/// A repository with one branch.
pub struct Repository {
    directory: PathBuf,
    /// Body that each commit is to serve.
    pub bodies: HashMap<String, String>,
}

impl Repository {
    /// An empty one, below this directory.
    pub fn new(parent: &Path, name: &str) -> Self {
        let directory = parent.join("repositories").join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let repository = Self { directory, bodies: HashMap::new() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.directory.display())
    }

    /// Puts a file there, to be committed.
    pub fn copy(&self, file: &Path, name: &str) {
        std::fs::copy(file, self.directory.join(name)).unwrap();
    }

    /// Commits files, after which the project shows this body, and returns the commit.
    pub fn commit(&mut self, files: &[(&str, String)], body: &str) -> String {
        for (name, text) in files {
            std::fs::write(self.directory.join(name), text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "--message", body]);
        let commit = self.git(&["rev-parse", "HEAD"]);
        self.bodies.insert(commit.clone(), body.to_owned());
        commit
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = StdCommand::new("git").current_dir(&self.directory).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
