//! A sandbox with an account, a journal, and sites and servers to deploy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clouds_aws::Aws;
use clouds_contract::conformance::{Fault, Faults, Fixture, Got, Process, Subject, Version};
use clouds_contract::guard::Probe;
use clouds_contract::testing::{Cut, MemoryJournal};
use clouds_contract::{
    Access, Address, Base, Cloud, CloudError, Credential, Desired, Endpoint, EnvironmentPlace, Inputs, LogSink, Vendor as _,
    Whose,
};
use domain::artifact::Digest;
use domain::event::NewLine;
use domain::id::{CloudAccountId, DeploymentId, EnvironmentId, PlacementId, ProjectId, TeamId};
use domain::secret::Secret;
use domain::workload::{Server, StaticSite, WorkloadSpec};
use sandbox::{Moto, Sandbox, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const REGION: &str = "eu-west-1";
pub const ACCOUNT: &str = "123456789012";

/// Bases of sites.
const SITES: &[Base] = &[Base::Front, Base::Files];

/// Bases of servers.
const SERVERS: &[Base] = &[Base::Containers];

/// Lines that were written.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

#[async_trait]
impl LogSink for Log {
    async fn write(&self, lines: Vec<NewLine>) -> Result<(), CloudError> {
        self.0.lock().unwrap().extend(lines.into_iter().map(|line| line.text));
        Ok(())
    }
}

/// A program that answers with the name of its version and the variable `GREETING`.
const PROGRAM: &str = r#"
import os, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(("VERSION " + os.environ.get("GREETING", "")).encode())
    def log_message(self, *rest):
        pass
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// Artifacts by digest, and one set of variables.
#[derive(Default)]
struct Files {
    artifacts: BTreeMap<String, TempDir>,
    variables: Vec<(String, Secret)>,
}

#[async_trait]
impl Inputs for Files {
    async fn artifact(&self, digest: &Digest) -> Result<PathBuf, CloudError> {
        Ok(self.artifacts[digest.as_str()].path().to_owned())
    }

    async fn variables(&self, _deployment: DeploymentId) -> Result<Vec<(String, Secret)>, CloudError> {
        Ok(self.variables.clone())
    }
}

/// Directory of recordings in the folder of a setting.
const RECORDINGS: &str = "recordings";

/// An account with an environment.
pub struct Setting {
    sandbox: Sandbox,
    pub journal: MemoryJournal,
    log: Log,
    http: reqwest::Client,
    access: Access,
    whose: Whose,
    files: Files,
    bases: Vec<Base>,
    /// Holds the program of moto, and what was recorded.
    folder: TempDir,
}

fn artifacts() -> Files {
    let mut files = Files { variables: vec![("GREETING".to_owned(), Secret::new("hello"))], ..Files::default() };
    for (name, digit) in [("one", '3'), ("two", '4')] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("server.py"), PROGRAM.replace("VERSION", name)).unwrap();
        files.artifacts.insert(digit.to_string().repeat(64), directory);
    }
    for (name, digit) in [("one", '1'), ("two", '2')] {
        let directory = tempfile::tempdir().unwrap();
        let pages = [
            ("index.html", "home"),
            ("about.html", "about"),
            ("docs/index.html", "docs"),
            ("docs/a b.html", "spaced"),
            ("404.html", "nothing here"),
            ("_headers", "/about\n  X-Version:"),
            (".secret", "hidden"),
        ];
        for (path, text) in pages {
            let path = directory.path().join("dist").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, format!("{text} {name}")).unwrap();
        }
        files.artifacts.insert(digit.to_string().repeat(64), directory);
    }
    files
}

impl Setting {
    /// An account at a sandbox of its own, for sites; `None` where moto is not installed.
    pub async fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let moto = Moto::Program(testkit::moto_server(folder.path())?);
        let record = Some(folder.path().join(RECORDINGS));
        let sandbox = Sandbox::start(Settings { moto, record, ..Settings::default() }).await.unwrap();
        // Follows no redirects.
        let endpoint = Endpoint { url: sandbox.url(), pace_percent: 1 };
        let http = clouds_wire::Wire::new(Some(&endpoint)).unwrap().client().clone();
        let answer = http.post(format!("{}/_sandbox/principals", sandbox.url())).json(&json!({"cloud": "aws"})).send().await;
        let principal: Value = answer.unwrap().json().await.unwrap();
        let (project, environment, placement) = (ProjectId::new(), EnvironmentId::new(), PlacementId::new());
        let place = EnvironmentPlace { project, environment, placement, label: "shop".to_owned() };
        let whose = Whose { installation: "0123456789ab".to_owned(), team: TeamId::new(), environment: Some(place) };
        let credential = Credential::AwsKey {
            id: principal["id"].as_str().unwrap().to_owned(),
            secret: Secret::new(principal["secret"].as_str().unwrap()),
        };
        let access = Access {
            account: CloudAccountId::new(),
            identity: ACCOUNT.to_owned(),
            credential,
            endpoint: Some(endpoint),
            installation: whose.installation.clone(),
        };
        let journal = MemoryJournal::new(whose.clone());
        Some(Self {
            sandbox,
            journal,
            log: Log::default(),
            http,
            access,
            whose,
            files: artifacts(),
            bases: SITES.to_vec(),
            folder,
        })
    }

    /// The same with a place for servers instead of one for sites.
    pub async fn for_servers() -> Option<Self> {
        Some(Self { bases: SERVERS.to_vec(), ..Self::new().await? })
    }

    /// The same with places for both.
    pub async fn for_both() -> Option<Self> {
        Some(Self { bases: [SITES, SERVERS].concat(), ..Self::new().await? })
    }

    /// Panics unless every call so far and its answer are as AWS describes them, but for what moto is known for.
    pub fn check_recordings(&self) {
        testkit::check_recordings(&self.folder.path().join(RECORDINGS));
    }

    pub fn access(&self) -> Access {
        self.access.clone()
    }

    /// Id of the access key.
    pub fn key(&self) -> &str {
        match &self.access.credential {
            Credential::AwsKey { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    pub fn set_variables(&mut self, variables: &[(&str, &str)]) {
        self.files.variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    }

    /// Number of things of a kind, such as `ecs.services`.
    pub async fn count(&self, kind: &str) -> usize {
        let listed = self.control("GET", "inventory?cloud=aws", Value::Null).await;
        listed["items"].as_array().unwrap().iter().filter(|item| item["type"] == kind).count()
    }

    /// Fails unless an address shows this text.
    pub async fn shows(&self, address: &Address, text: &str) {
        let got = self.get(address, "/").await;
        assert_eq!((got.status, got.text.as_str()), (200, text), "{}", address.url);
    }

    /// A deployment of the first or second version of a server: `3` or `4`.
    pub fn desired_server(&self, version: char) -> Desired<WorkloadSpec> {
        Desired { spec: server(), ..self.desired(version) }
    }

    /// Lines of the log.
    pub fn lines(&self) -> Vec<String> {
        self.log.0.lock().unwrap().clone()
    }

    /// A deployment of the first or second version of a site.
    pub fn desired(&self, version: char) -> Desired<WorkloadSpec> {
        let place = self.whose.environment.as_ref().unwrap();
        Desired {
            deployment_id: DeploymentId::new(),
            team_id: self.whose.team,
            project_id: place.project,
            environment_id: place.environment,
            label: "shop".to_owned(),
            artifact: version.to_string().repeat(64).parse().unwrap(),
            spec: site(),
        }
    }

    /// Work of a process that is cut off there: `None` if it was.
    pub async fn work<T>(
        &self,
        cut: &Arc<Cut>,
        work: impl AsyncFnOnce(&Process<'_>) -> Result<T, CloudError>,
    ) -> Option<Result<T, CloudError>> {
        let process = Process::new(self, &self.journal, cut);
        cut.run(Box::pin(work(&process))).await
    }

    /// Work that is not cut off.
    pub async fn done<T>(&self, work: impl AsyncFnOnce(&Process<'_>) -> Result<T, CloudError>) -> T {
        match self.work(&Cut::never(), work).await.unwrap() {
            Ok(value) => value,
            Err(error) => panic!("{error} ({:?})", error.context()),
        }
    }

    /// Asks the sandbox's own API.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let request = self.http.request(method.parse().unwrap(), url).json(&body);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Disables the one distribution, as its owner may do in the console.
    pub async fn disable_distribution(&self) {
        let send = async |method: &str, path: &str, etag: &str, body: String| {
            let scope = format!("AWS4-HMAC-SHA256 Credential={}/20261001/us-east-1/cloudfront/aws4_request", self.key());
            let request = self.http.request(method.parse().unwrap(), format!("{}/2020-05-31/{path}", self.sandbox.url()));
            let request = request.header("x-original-host", "cloudfront.amazonaws.com").header("authorization", scope);
            let answer = request.header("if-match", etag).body(body).send().await.unwrap();
            let etag = answer.headers().get("etag").map(|etag| etag.to_str().unwrap().to_owned());
            (etag.unwrap_or_default(), answer.text().await.unwrap())
        };
        let (_, listed) = send("GET", "distribution", "", String::new()).await;
        let id = listed.split("<Id>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let path = format!("distribution/{id}/config");
        let (etag, config) = send("GET", &path, "", String::new()).await;
        let config = config.replace("<Enabled>true</Enabled>", "<Enabled>false</Enabled>");
        let (_, answer) = send("PUT", &path, &etag, config).await;
        assert!(answer.contains("<Enabled>false</Enabled>"), "{answer}");
    }

    /// Asks a service of the region, as its owner may do in the console.
    async fn ask(&self, service: &str, headers: &[(&str, &str)], body: String) -> String {
        let scope = format!("AWS4-HMAC-SHA256 Credential={}/20261001/{REGION}/{service}/aws4_request", self.key());
        let request = self.http.post(self.sandbox.url()).header("x-original-host", format!("{service}.{REGION}.amazonaws.com"));
        let request =
            headers.iter().fold(request.header("authorization", scope), |request, (name, value)| request.header(*name, *value));
        request.body(body).send().await.unwrap().text().await.unwrap()
    }

    async fn ec2(&self, action: &str) -> String {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.ask("ec2", &headers, format!("Version=2016-11-15&Action={action}")).await
    }

    /// Removes the network that every account has.
    pub async fn remove_default_network(&self) {
        let subnets = self.ec2("DescribeSubnets").await;
        for rest in subnets.split("<subnetId>").skip(1) {
            self.ec2(&format!("DeleteSubnet&SubnetId={}", rest.split('<').next().unwrap())).await;
        }
        let networks = self.ec2("DescribeVpcs").await;
        let id = networks.split("<vpcId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
        let answer = self.ec2(&format!("DeleteVpc&VpcId={id}")).await;
        assert!(answer.contains("DeleteVpcResponse"), "{answer}");
    }

    /// Number of tasks that run in the one cluster.
    pub async fn running(&self) -> u64 {
        let ecs = async |operation: &str, body: Value| -> Value {
            let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
            let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target.as_str())];
            serde_json::from_str(&self.ask("ecs", &headers, body.to_string()).await).unwrap()
        };
        let clusters = ecs("ListClusters", json!({})).await;
        let cluster = &clusters["clusterArns"][0];
        let services = ecs("ListServices", json!({"cluster": cluster})).await;
        let described = ecs("DescribeServices", json!({"cluster": cluster, "services": services["serviceArns"]})).await;
        described["services"].as_array().unwrap().iter().map(|service| service["runningCount"].as_u64().unwrap()).sum()
    }

    /// Status and a header of the answer to a visitor.
    pub async fn header(&self, address: &Address, path: &str, name: &str) -> (u16, String) {
        let request = self.http.get(format!("{}{path}", address.reach.base)).header("host", &address.reach.host);
        let answer = request.send().await.unwrap();
        let header = answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header.unwrap_or_default())
    }
}

#[async_trait]
impl Subject for Setting {
    fn open(&self, probe: Arc<dyn Probe>) -> Cloud {
        Aws::new().with_probe(probe).open(self.access.clone()).unwrap()
    }

    fn region(&self) -> &str {
        REGION
    }

    fn whose(&self) -> Whose {
        self.whose.clone()
    }

    fn bases(&self) -> &[Base] {
        &self.bases
    }

    fn inputs(&self) -> &dyn Inputs {
        &self.files
    }

    fn log(&self) -> &dyn LogSink {
        &self.log
    }

    fn fixtures(&self) -> Vec<Fixture> {
        let version = |digit: char, shows: &str| Version {
            artifact: digit.to_string().repeat(64).parse().unwrap(),
            spec: if digit < '3' { site() } else { server() },
            shows: shows.to_owned(),
        };
        vec![
            Fixture { kind: "static", versions: [version('1', "home one"), version('2', "home two")] },
            Fixture { kind: "server", versions: [version('3', "one hello"), version('4', "two hello")] },
        ]
    }

    async fn get(&self, address: &Address, path: &str) -> Got {
        let url = format!("{}{path}", address.reach.base);
        let answer = self.http.get(url).header("host", &address.reach.host).send().await.unwrap();
        Got { status: answer.status().as_u16(), text: answer.text().await.unwrap() }
    }

    /// Keys of everything that exists.
    async fn inventory(&self) -> Vec<String> {
        let listed = self.control("GET", "inventory?cloud=aws", Value::Null).await;
        let items = listed["items"].as_array().unwrap().iter();
        items.map(|item| item["key"].as_str().unwrap().to_owned()).collect()
    }

    fn faults(&self) -> Option<&dyn Faults> {
        Some(self)
    }
}

#[async_trait]
impl Faults for Setting {
    async fn add(&self, fault: Fault, nth: u64) {
        let action = match fault {
            Fault::Throttle(after) => json!({"throttle": {"retry_after": after.as_secs()}}),
            Fault::Status(status) => json!({"status": {"status": status}}),
            Fault::Reset => json!("reset"),
            Fault::LostAnswer => json!("lost_response"),
            Fault::Undecodable => json!({"rewrite": {"find": "<", "replace": "{"}}),
            Fault::Expired => json!("expired"),
        };
        self.control("POST", "faults", json!({"service": "*", "nth": nth, "count": 1, "action": action})).await;
    }

    async fn clear(&self) -> bool {
        let listed = self.control("GET", "faults", Value::Null).await;
        let rules = listed["faults"].as_array().unwrap();
        let is_met = rules.iter().any(|rule| rule["seen"].as_u64() >= rule["nth"].as_u64());
        self.control("DELETE", "faults", Value::Null).await;
        is_met
    }
}

fn site() -> WorkloadSpec {
    WorkloadSpec::Static(StaticSite { root: "dist".to_owned() })
}

fn server() -> WorkloadSpec {
    WorkloadSpec::Server(Server {
        command: vec!["python3".to_owned(), "server.py".to_owned()],
        directory: String::new(),
        path: Vec::new(),
        env: vec![("PYTHONUNBUFFERED".to_owned(), "1".to_owned())],
        port: None,
        health_path: "/".to_owned(),
        replicas: 1,
        memory_mib: 512,
        cpu: 1.0,
        image: None,
    })
}
