//! The image of the stage `control`, but for what would have to be fetched: its last instructions as they stand, on top of files of this machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::wait_until;

use crate::tools::{run, text};

const PATIENCE: Duration = Duration::from_mins(2);
const BUSYBOX: &str = "/bin/busybox";

/// A container of a private Docker. Dropped, it is removed.
struct Container {
    engine: &'static str,
    name: String,
}

impl Container {
    fn docker(&self, arguments: &[&str]) -> String {
        let said = run(Command::new("docker").args(["--host", self.engine]).args(arguments), "docker.io", "").unwrap();
        assert!(said.well, "docker {arguments:?}: {}{}", said.out, said.err);
        said.out.trim().to_owned()
    }

    fn inspect(&self, what: &str) -> String {
        self.docker(&["inspect", "--format", what, &self.name])
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        for arguments in [["rm", "--force", &self.name], ["image", "rm", &self.name]] {
            let _ = Command::new("docker").args(["--host", self.engine]).args(arguments).output();
        }
    }
}

/// The libraries that a program is loaded with, and its loader.
fn libraries(program: &str) -> BTreeSet<PathBuf> {
    let listed = run(Command::new("ldd").arg(program), "libc-bin", "").unwrap().out;
    listed.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn put(file: &Path, into: &Path) {
    std::fs::create_dir_all(into.parent().unwrap()).unwrap();
    std::fs::copy(file, into).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Writes the context of `docker build`.
fn context(directory: &Path) {
    let binary = env!("CARGO_BIN_EXE_mikrocloud");
    let below = |path: &str| directory.join("files").join(path.trim_start_matches('/'));
    put(Path::new(binary), &below("/usr/local/bin/mikrocloud"));
    put(Path::new("/usr/bin/tini"), &below("/usr/bin/tini"));
    put(Path::new(BUSYBOX), &below(BUSYBOX));
    for library in [binary, "/usr/bin/tini"].into_iter().flat_map(libraries) {
        put(&library, &below(library.to_str().unwrap()));
    }
    std::fs::create_dir(directory.join("data")).unwrap();
    let file = text("deploy/Dockerfile");
    let control = file.split("\nFROM ").find(|stage| stage.starts_with("debian:bookworm-slim AS control")).unwrap();
    let last = control.find("\nENV ").unwrap();
    let path = "ENV PATH=/usr/local/bin:/usr/bin:/bin\n";
    let dockerfile = format!("FROM scratch\n{path}COPY files/ /\nCOPY --chown=10001:10001 data /data\n{}", &control[last..]);
    std::fs::write(directory.join("Dockerfile"), dockerfile).unwrap();
}

#[tokio::test]
async fn the_image_runs_without_privileges_is_healthy_reaps_and_ends_when_told_to() {
    let Some(engine) = testkit::docker::address() else { return };
    for (program, package) in [(BUSYBOX, "busybox-static"), ("/usr/bin/tini", "tini")] {
        if !Path::new(program).exists() {
            eprintln!("{program} is not installed (on Debian: apt-get install {package}): this test is skipped");
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
            return;
        }
    }
    let directory = tempfile::tempdir().unwrap();
    context(directory.path());
    let container = Container { engine, name: format!("mikrocloud-control-{}", std::process::id()) };
    container.docker(&["build", "--quiet", "--tag", &container.name, directory.path().to_str().unwrap()]);
    let hardened = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true", "--network", "none"];
    let own = ["--tmpfs", "/tmp", "--volume", "/data", "--env", "MIKROCLOUD_CONFIG_DIR=/tmp/config", "--name", &container.name];
    container.docker(&[&["run", "--detach"][..], &hardened, &own, &[&container.name, "up"]].concat());
    wait_until(PATIENCE, "the image's own health check", async || match container.inspect("{{.State.Health.Status}}").as_str() {
        "healthy" => true,
        "starting" => false,
        other => panic!("{other}: {}", container.inspect("{{json .State.Health}}")),
    })
    .await;
    assert_eq!(container.docker(&["exec", &container.name, BUSYBOX, "id", "-u"]), "10001");

    // A process without a parent becomes a child of process 1, which has to notice its end.
    container.docker(&["exec", &container.name, BUSYBOX, "sh", "-c", "(/bin/busybox sleep 0.3 &)"]);
    let states = || container.docker(&["exec", &container.name, BUSYBOX, "ps", "-o", "stat,args"]);
    wait_until(PATIENCE, "the orphan to be gone", async || !states().contains("sleep") && !states().contains("\nZ")).await;

    container.docker(&["stop", "--time", "30", &container.name]);
    assert_eq!(container.inspect("{{.State.ExitCode}}"), "0", "{}", container.docker(&["logs", &container.name]));
}
