//! Projects with a Dockerfile: a container engine builds and runs them.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::wait_until;

use crate::support::harness::{House, PATIENCE, fixture};
use crate::support::processes;

/// A program without dependencies, of which whole images can be made.
const BUSYBOX: &str = "/bin/busybox";

/// The private engine; `None`, with the reason on standard error, where there cannot be one.
fn engine() -> Option<&'static str> {
    let address = testkit::docker::address()?;
    if !Path::new(BUSYBOX).exists() {
        eprintln!("{BUSYBOX} is not installed (on Debian: apt-get install busybox-static): this test is skipped");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
        return None;
    }
    Some(address)
}

/// Answer of the engine to a client's call.
fn docker(address: &str, arguments: &[&str]) -> String {
    let output = Command::new("docker").args(["--host", address]).args(arguments).output().unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Containers and images of a project, in any state.
fn left(address: &str, project: &str) -> Vec<String> {
    let label = format!("label=mikrocloud.project={project}");
    let containers = docker(address, &["ps", "--all", "--quiet", "--filter", &label]);
    let images = docker(address, &["image", "ls", "--quiet", "--filter", &label]);
    containers.lines().chain(images.lines()).map(str::to_owned).collect()
}

impl House {
    /// A house whose engine is this one.
    async fn with_engine(address: &str) -> Self {
        Self::start_with(&[("DOCKER_HOST", address)]).await
    }

    /// A project of the fixture's image, whose page holds this text.
    fn image(&self, name: &str, page: &str) -> PathBuf {
        let directory = self.scratch(name);
        let copied = Command::new("cp").args(["-rT"]).arg(fixture("dockerfile")).arg(&directory).status().unwrap();
        assert!(copied.success());
        std::fs::copy(BUSYBOX, directory.join("busybox")).unwrap();
        std::fs::write(directory.join("www/index.html"), page).unwrap();
        directory
    }

    async fn project_id(&self, name: &str) -> String {
        self.json(&["projects", "show", name]).await["id"].as_str().unwrap().to_owned()
    }

    async fn shows(&self, label: &str, body: &str) {
        wait_until(PATIENCE, &format!("{label} to show `{body}`"), async || self.get(label, "/").await.body == body).await;
    }
}

#[tokio::test]
async fn a_dockerfile_becomes_a_live_url_with_its_variables_and_limits() {
    let Some(address) = engine() else { return };
    let house = House::with_engine(address).await;
    house.json(&["projects", "create", "shop"]).await;
    let id = house.project_id("shop").await;
    house.json(&["env", "set", "GREETING=somebody-secret", "CERTIFICATE=one\ntwo", "PATH=/opt/weird", "-p", "shop"]).await;
    let directory = house.image("shop", "version one");
    std::fs::write(
        directory.join("mikrocloud.toml"),
        "[container]\nport = 81\nreplicas = 2\nmemory_mib = 64\ncpu = 0.5\nhealth_path = \"/built.txt\"\n",
    )
    .unwrap();
    let document = house.deploy(&directory, &[]).await;
    assert_eq!(house.body("shop").await, "version one");
    // What the build was given, because the Dockerfile declares it; then what the container was given.
    assert_eq!(house.get("shop", "/built.txt").await.body, "built for somebody-secret\n");
    assert_eq!(house.get("shop", "/cgi-bin/env").await.body, "81|0.0.0.0|somebody-secret|one\ntwo|/opt/weird|");
    let log = house.log(document["deployment"].as_str().unwrap()).await;
    for expected in
        ["Detected Dockerfile: there is Dockerfile, and Docker", "build --file Dockerfile --build-arg GREETING", "($PORT) is 81"]
    {
        assert!(log.contains(expected), "{expected} in\n{log}");
    }
    assert!(!log.contains("somebody-secret"), "{log}");
    house.logged(document["deployment"].as_str().unwrap(), "listening on 81").await;
    let containers = docker(address, &["ps", "--quiet", "--filter", &format!("label=mikrocloud.project={id}")]);
    let containers: Vec<&str> = containers.lines().collect();
    assert_eq!(containers.len(), 2, "each replica has its own");
    let limits = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.SecurityOpt}}";
    assert_eq!(
        docker(address, &["inspect", "--format", limits, containers[0]]),
        "67108864 67108864 500000000 [no-new-privileges]"
    );
    // No value of a variable is in an argument, which all users of a machine can read.
    let own = processes::all_of(&house.data());
    assert!(own.iter().any(|process| process.command.contains("docker run")), "{own:?}");
    for process in own {
        let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        assert!(!arguments.contains("somebody-secret") && !arguments.contains("/opt/weird"), "{arguments}");
    }

    // One that takes all the memory it can get.
    let text = std::fs::read_to_string(directory.join("Dockerfile")).unwrap();
    std::fs::write(directory.join("Dockerfile"), text.replace("CMD [", "CMD [\"/bin/busybox\", \"tail\", \"/dev/zero\"]\n# ["))
        .unwrap();
    let failure = house.deploy_in_vain(&directory, &[]).await;
    assert!(failure.0 == "SERVER_EXITED" && failure.1.contains("more than its 64 MiB of memory"), "{failure:?}");

    assert_eq!(house.json(&["projects", "delete", "shop", "--yes"]).await["deleted"], true);
    wait_until(PATIENCE, "no container and no image", async || left(address, &id).is_empty()).await;
    wait_until(PATIENCE, "no artifact", async || house.artifacts().is_empty()).await;
}

#[tokio::test]
async fn releases_of_images_switch_roll_back_and_survive_crashes() {
    let Some(address) = engine() else { return };
    let mut house = House::with_engine(address).await;
    let one = house.deploy(house.image("shop", "version one"), &[]).await;
    let id = house.project_id("shop").await;
    assert!(house.log(one["deployment"].as_str().unwrap()).await.contains("($PORT) is 3000: the image exposes it"));
    let two = house.deploy(house.image("shop", "version two"), &[]).await;
    assert_eq!(house.body("shop").await, "version two");
    house.json(&["rollback", "-p", "shop"]).await;
    assert_eq!(house.body("shop").await, "version one");

    // A build that fails shows what the engine said last, and what is live stays.
    let broken = house.image("shop", "broken");
    let text = std::fs::read_to_string(broken.join("Dockerfile")).unwrap();
    let failing = "RUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo the flux capacitor is missing; exit 3\"]\nEXPOSE";
    std::fs::write(broken.join("Dockerfile"), text.replace("EXPOSE", failing)).unwrap();
    let failure = house.deploy_in_vain(&broken, &[]).await;
    assert!(failure.0 == "BUILD_FAILED" && failure.1.contains("flux capacitor"), "{failure:?}");
    // A program that ends at once, and one that listens elsewhere.
    std::fs::write(broken.join("Dockerfile"), text.replace("CMD [", "CMD [\"/bin/busybox\", \"false\"]\n# [")).unwrap();
    let failure = house.deploy_in_vain(&broken, &[]).await;
    assert!(failure.0 == "SERVER_EXITED" && failure.1.contains("status 1"), "{failure:?}");
    assert_eq!(house.body("shop").await, "version one");

    // The image is gone from the engine: its archive is loaded again.
    house.kill().await;
    let label = format!("label=mikrocloud.project={id}");
    let orphans = docker(address, &["ps", "--quiet", "--no-trunc", "--filter", &label]);
    assert!(!orphans.is_empty(), "a killed MikroCloud leaves its container behind");
    docker(address, &[&["rm", "--force"], orphans.lines().collect::<Vec<_>>().as_slice()].concat());
    let images = docker(address, &["image", "ls", "--quiet", "--no-trunc", "--filter", &label]);
    docker(address, &[&["image", "rm", "--force"], images.lines().collect::<Vec<_>>().as_slice()].concat());
    house.run().await;
    house.shows("shop", "version one").await;
    let promoted = house.json(&["promote", two["deployment"].as_str().unwrap()]).await;
    assert_eq!(house.body("shop").await, "version two");

    // A container that dies is replaced.
    let running = || docker(address, &["ps", "--quiet", "--no-trunc", "--filter", &label]);
    let victim = running().lines().next().unwrap().to_owned();
    docker(address, &["kill", &victim]);
    wait_until(PATIENCE, "another container", async || !running().contains(&victim) && !running().is_empty()).await;
    house.shows("shop", "version two").await;
    house.logged(promoted["deployment"].as_str().unwrap(), "restarting in").await;

    // Orphans of a killed MikroCloud are gone once it runs again, and what was live is live.
    house.kill().await;
    let orphans = docker(address, &["ps", "--quiet", "--no-trunc", "--filter", &label]);
    house.run().await;
    house.shows("shop", "version two").await;
    let now = docker(address, &["ps", "--all", "--quiet", "--no-trunc", "--filter", &label]);
    assert!(!orphans.is_empty() && orphans.lines().all(|orphan| !now.contains(orphan)), "{orphans} and {now}");
    assert_eq!(now.lines().count(), 1, "{now}");

    assert!(house.terminate().await.success());
    assert_eq!(docker(address, &["ps", "--all", "--quiet", "--filter", &label]), "", "it takes its containers along");
    house.run().await;
    house.shows("shop", "version two").await;
    // At its own address, started on demand.
    let own = one["deploymentUrl"].as_str().unwrap().trim_start_matches("http://").split('.').next().unwrap();
    assert_eq!(house.body(own).await, "version one");
    house.json(&["projects", "delete", "shop", "--yes"]).await;
    wait_until(PATIENCE, "no container and no image", async || left(address, &id).is_empty()).await;
}

#[tokio::test]
async fn a_cancelled_image_build_leaves_no_container_and_no_image() {
    let Some(address) = engine() else { return };
    let house = House::with_engine(address).await;
    let directory = house.image("hang", "never");
    // A sleep of a length of its own, to be found among all processes.
    let hang = "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"sh\", \"-c\", \"echo hanging; exec /bin/busybox sleep 98765\"]\n";
    std::fs::write(directory.join("Dockerfile"), hang).unwrap();
    let deployment = house.deploy_detached(&directory, &[]).await;
    house.logged(&deployment, "hanging").await;
    let sleeping = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok()).any(|line| line.ends_with(b"sleep\x0098765\0"))
    };
    wait_until(PATIENCE, "the step to run", async || sleeping()).await;
    assert_eq!(house.json(&["cancel", &deployment]).await["status"], "cancelled");
    wait_until(PATIENCE, "the step to be gone", async || !sleeping()).await;
    wait_until(PATIENCE, "the client to be gone", async || processes::all_of(&house.data()).is_empty()).await;
    wait_until(PATIENCE, "no container and no image", async || left(address, &house.project_id("hang").await).is_empty()).await;
    // What a build step runs in carries no label of ours: its command tells.
    let commands = || docker(address, &["ps", "--all", "--no-trunc", "--format", "{{.Command}}"]);
    wait_until(PATIENCE, "no container of the step", async || !commands().contains("98765")).await;
}

#[tokio::test]
async fn without_an_engine_a_dockerfile_says_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let house = House::start_with(&[("PATH", path)]).await;
    let project = house.project("shop", &[("Dockerfile", "FROM scratch")]);
    let failure = house.deploy_in_vain(&project, &[]).await;
    assert!(failure.0 == "ENGINE_MISSING" && failure.1.contains("install and start Docker or Podman"), "{failure:?}");
    // A client whose engine is silent.
    let client = "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n";
    let file = directory.path().join("docker");
    std::fs::write(&file, client).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let failure = house.deploy_in_vain(&project, &[]).await;
    assert!(failure.0 == "ENGINE_MISSING" && failure.1.contains("Cannot connect to the Docker daemon"), "{failure:?}");
    // Where something else can be detected, the Dockerfile is left aside.
    std::fs::write(project.join("index.html"), "without a container").unwrap();
    let document = house.deploy(&project, &[]).await;
    assert_eq!(house.body("shop").await, "without a container");
    let log = house.log(document["deployment"].as_str().unwrap()).await;
    assert!(log.contains("the Dockerfile is left aside because no container engine answers"), "{log}");
}

#[tokio::test]
async fn the_doctor_and_init_ask_the_engine() {
    let Some(address) = engine() else { return };
    let house = House::with_engine(address).await;
    let found = async |address: &str| {
        let mut command = house.command(&["doctor", "--data", house.data().to_str().unwrap(), "--json"]);
        // Only Docker's client, so that no other engine of the machine answers instead.
        let path = house.scratch("bin");
        let program = std::env::split_paths(&std::env::var_os("PATH").unwrap()).map(|d| d.join("docker")).find(|p| p.is_file());
        let _ = symlink(program.unwrap(), path.join("docker"));
        let output = command.env("DOCKER_HOST", address).env("PATH", &path).output().await.unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let check = document["checks"].as_array().unwrap().iter().find(|check| check["check"] == "container engine").cloned();
        check.unwrap()
    };
    let check = found(address).await;
    assert!(check["verdict"] == "ok" && check["message"].as_str().unwrap().starts_with("Docker "), "{check}");
    let directory = house.image("fresh", "fresh");
    let mut command = house.command(&["init", directory.to_str().unwrap(), "--json"]);
    let output = command.env("DOCKER_HOST", address).output().await.unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["kind"] == "container" && document["framework"] == "Dockerfile", "{document}");
    let silent = found("unix:///nowhere").await;
    assert_eq!(silent["verdict"], json!("note"), "{silent}");
    assert!(silent["message"].as_str().unwrap().contains("does not answer"), "{silent}");
}
