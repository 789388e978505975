//! Workload of a live deployment, described independently of the cloud.

use serde::{Deserialize, Serialize};

/// Workload that an artifact runs as.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkloadSpec {
    /// Files.
    Static(StaticSite),
    /// A program that listens on `$PORT`.
    Server(Server),
    /// Functions, each run on demand, in front of an optional static site.
    Functions(FunctionSet),
}

/// Kind of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT", rename_all = "snake_case"))]
pub enum WorkloadKind {
    /// Files.
    Static,
    /// A program that listens.
    Server,
    /// Functions on demand.
    Functions,
}

impl WorkloadKind {
    /// Its name, as people see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Server => "server",
            Self::Functions => "functions",
        }
    }
}

impl WorkloadSpec {
    /// Kind of the workload.
    pub fn workload_kind(&self) -> WorkloadKind {
        match self {
            Self::Static(_) => WorkloadKind::Static,
            Self::Server(_) => WorkloadKind::Server,
            Self::Functions(_) => WorkloadKind::Functions,
        }
    }

    /// The name of the kind, as people see it.
    pub fn kind(&self) -> &'static str {
        self.workload_kind().name()
    }
}

/// Files to be served. How they are served (`_redirects`, `_headers`, `404.html`, clean URLs) follows from the files themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StaticSite {
    /// Directory of the files within the artifact; empty for its root.
    #[serde(default)]
    pub root: String,
}

/// A program that listens on `$PORT` and answers HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// The program and its arguments; `$PORT` and `${PORT}` within an argument are replaced. No shell sees this.
    pub command: Vec<String>,
    /// Working directory within the artifact; empty for its root.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directory: String,
    /// Directories of the artifact whose programs come before the machine's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// Variables it needs beside the environment's own, such as `PYTHONPATH`.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// The fixed port it listens on, when it cannot take one from `$PORT`.
    #[serde(default)]
    pub port: Option<u16>,
    /// The path that is probed; any answer below 500 counts as healthy.
    pub health_path: String,
    /// Number of processes while it is live.
    pub replicas: u32,
    /// Memory limit of one process and its children, MiB.
    pub memory_mib: u64,
    /// Maximum number of CPU cores, as a fraction; a cloud that cannot limit it reports that.
    pub cpu: f64,
    /// The artifact is a container image, which says itself what is started: `command` and `port` are not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// Settings of a server whose artifact is a container image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The port on which the program listens inside of the container; without one, the one that the image exposes, or 8080.
    pub port: Option<u16>,
}

/// Functions of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSet {
    /// The functions, sorted by route.
    pub functions: Vec<Function>,
    /// Variables of the project file; the environment's own win over them.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// Files served where no function answers.
    pub site: Option<StaticSite>,
    /// Memory limit of one process, MiB.
    pub memory_mib: u64,
    /// Timeout of one call, in seconds.
    pub timeout_seconds: u64,
    /// Maximum number of concurrent calls of one function; further calls wait.
    pub concurrency: u32,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The path it answers, such as `/hello`.
    pub route: String,
    /// Its file within the artifact.
    pub file: String,
    /// Runtime of the function.
    pub runtime: Runtime,
}

/// Runtime of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "graphql", derive(async_graphql::Enum), graphql(name = "FunctionRuntime"))]
pub enum Runtime {
    /// Node.js: the module's default export takes a web-standard `Request` and returns a `Response`.
    Node,
    /// Python: `handler(request)` returns a response (docs/functions.md).
    Python,
}
