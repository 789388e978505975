//! A container: one replica of a server whose artifact is an image.

use std::process::ExitStatus;

use clouds_contract::CloudError;
use domain::id::{DeploymentId, ProjectId};
use domain::secret::Secret;
use domain::workload::Server;

use super::holdings::{DEPLOYMENT, INSTANCE, PROJECT};
use super::variables::HandedOver;
use super::{Client, Engine, Image, client_environment};

/// Maximum number of concurrent processes of a container.
const PROCESSES: u32 = 1024;

/// Capabilities that engines give to containers and that no web server needs.
const DROPPED: [&str; 3] = ["MKNOD", "NET_RAW", "AUDIT_WRITE"];

/// A container that is to run, or runs.
#[derive(Debug, Clone)]
pub(crate) struct Container {
    engine: Engine,
    client: Client,
    /// Its name, unique on the machine.
    name: String,
    /// The port on which its program listens.
    pub port: u16,
    /// Maximum memory, MiB.
    memory_mib: u64,
}

/// Workload to run, and its container.
pub(crate) struct Run<'a> {
    pub deployment: DeploymentId,
    pub project: ProjectId,
    pub server: &'a Server,
    pub image: &'a Image,
    pub variables: &'a [(String, Secret)],
}

/// Call of a client that runs a container in the foreground: the client relays the container's output, forwards signals to it and
/// ends with its status.
pub(crate) struct Call {
    pub command: Vec<String>,
    pub env: Vec<(String, Secret)>,
    /// Input of the client: the lines of an environment file.
    pub input: Secret,
}

impl Container {
    /// A container of this name.
    pub fn new(engine: Engine, client: Client, marker: &str, port: u16, memory_mib: u64) -> Self {
        Self { engine, client, name: marker.replace(':', "-"), port, memory_mib }
    }

    /// Explains an exit status beyond its number, for people.
    pub fn explain(&self, status: ExitStatus) -> String {
        // 128 + SIGKILL, as engines and init processes report it.
        if status.code() != Some(137) {
            return String::new();
        }
        format!(" (it was killed, most likely because it needed more than its {} MiB of memory)", self.memory_mib)
    }

    /// The call that runs it. `$PORT` in the command stands for the port of this machine that leads to it.
    pub fn call(&self, run: &Run<'_>) -> Result<Call, CloudError> {
        let variables: Vec<_> = run.variables.iter().filter(|(name, _)| name != "PORT" && name != "HOST").cloned().collect();
        let handed = HandedOver::new(&variables)?;
        let mut env = client_environment();
        let names = handed.env.iter().flat_map(|(name, _)| ["--env".to_owned(), name.clone()]);
        let command = self.arguments(run).into_iter().chain(names).chain([run.image.id.clone()]).collect();
        env.extend(handed.env.iter().cloned());
        let input = format!("{}PORT={}\nHOST=0.0.0.0\n", handed.file, self.port);
        Ok(Call { command, env, input: Secret::new(input) })
    }

    fn arguments(&self, run: &Run<'_>) -> Vec<String> {
        let Self { engine, client, name, port, memory_mib } = self;
        let mut words = vec![client.program().to_owned()];
        let mut add = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        // A log of the engine's own would be a second copy without a bound.
        add(&["run", "--rm", "--init", "--pull", "never", "--log-driver", "none", "--name", name]);
        add(&["--label", &format!("{INSTANCE}={}", engine.instance)]);
        add(&["--label", &format!("{PROJECT}={}", run.project)]);
        add(&["--label", &format!("{DEPLOYMENT}={}", run.deployment)]);
        add(&["--publish", &format!("127.0.0.1:$PORT:{port}")]);
        let memory = format!("{memory_mib}m");
        // No swap beside the memory.
        add(&["--memory", &memory, "--memory-swap", &memory]);
        add(&["--cpus", &format!("{:.2}", cpus(run.server.cpu)), "--pids-limit", &PROCESSES.to_string()]);
        add(&["--security-opt", "no-new-privileges"]);
        for capability in DROPPED {
            add(&["--cap-drop", capability]);
        }
        add(&["--env-file", "/dev/stdin"]);
        words
    }

    /// Removes it, whatever state it is in. Removing what is not there is no error.
    pub async fn remove(&self) -> Result<(), CloudError> {
        self.engine.remove_container(self.client, &self.name).await
    }
}

/// The share of the machine's cores; engines refuse more than there are, and less than a hundredth.
fn cpus(wanted: f64) -> f64 {
    let there = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let there = u32::try_from(there).map_or(f64::INFINITY, f64::from);
    wanted.clamp(0.01, there.max(0.01))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_variable_is_in_the_call_and_limits_are() {
        let engine = Engine::new("mikrocloud-0123", "/nowhere".into());
        let container = Container::new(engine, Client::Podman, "mikrocloud-0123:edge:dep_1:1:0", 3000, 64);
        let server = Server {
            directory: String::new(),
            path: Vec::new(),
            command: Vec::new(),
            env: Vec::new(),
            port: None,
            health_path: "/".to_owned(),
            replicas: 1,
            memory_mib: 64,
            cpu: 0.5,
            image: Some(domain::workload::Image::default()),
        };
        let image = Image { id: format!("sha256:{}", "a".repeat(64)), ports: vec![3000] };
        let secret = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        let variables =
            [secret("TOKEN", "one-line"), secret("KEY", "two\nlines"), secret("PORT", "1"), secret("DOCKER_HOST", "tcp://x")];
        let (deployment, project) = (DeploymentId::default(), ProjectId::default());
        let call = container.call(&Run { deployment, project, server: &server, image: &image, variables: &variables }).unwrap();
        let shown = call.command.join(" ").replace(&deployment.to_string(), "DEP").replace(&project.to_string(), "PRJ");
        insta::assert_snapshot!(shown, @"podman run --rm --init --pull never --log-driver none --name mikrocloud-0123-edge-dep_1-1-0 --label mikrocloud.instance=mikrocloud-0123 --label mikrocloud.project=PRJ --label mikrocloud.deployment=DEP --publish 127.0.0.1:$PORT:3000 --memory 64m --memory-swap 64m --cpus 0.50 --pids-limit 1024 --security-opt no-new-privileges --cap-drop MKNOD --cap-drop NET_RAW --cap-drop AUDIT_WRITE --env-file /dev/stdin --env KEY sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_eq!(call.input.expose(), "TOKEN=one-line\nDOCKER_HOST=tcp://x\nPORT=3000\nHOST=0.0.0.0\n");
        assert!(call.env.contains(&secret("KEY", "two\nlines")) && !call.env.contains(&variables[3]));
    }

    #[test]
    fn cores_stay_within_what_engines_take() {
        assert!((cpus(0.5) - 0.5).abs() < f64::EPSILON);
        assert!((cpus(0.001) - 0.01).abs() < f64::EPSILON);
        assert!(cpus(256.0) <= 256.0 && cpus(256.0) >= 1.0);
    }
}
