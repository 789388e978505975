//! Images that one machine builds and others run.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::harness::{Cluster, PATIENCE, Repository, Shape};

/// A program without dependencies, of which whole images can be made.
const BUSYBOX: &str = "/bin/busybox";

/// The engine that all processes of an installation are to use; none unless a test says so.
pub static ENGINE: OnceLock<&str> = OnceLock::new();

/// A project's containers and images as the engine lists them, one line each.
fn left(address: &str, project: &str) -> Vec<String> {
    let label = format!("label=mikrocloud.project={project}");
    let list = |arguments: &[&str]| {
        let output =
            Command::new("docker").args(["--host", address]).args(arguments).args(["--filter", &label]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    [list(&["ps", "--all", "--format", "container {{.Names}}"]), list(&["image", "ls", "--format", "image {{.Repository}}"])]
        .concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_built_by_a_worker_and_run_by_edges() {
    let Some(address) = testkit::docker::address() else { return };
    if !Path::new(BUSYBOX).exists() {
        eprintln!("{BUSYBOX} is not installed (on Debian: apt-get install busybox-static): this test is skipped");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"));
        return;
    }
    ENGINE.set(address).unwrap();
    let Some(mut cluster) = Cluster::start(Shape { apis: 1, workers: 1, edges: 2 }).await else { return };
    let mut repository = Repository::new(cluster.directory.path(), "image");
    let project = cluster.create_project("image", &repository).await;
    repository.copy(Path::new(BUSYBOX), "busybox");
    let dockerfile = "FROM scratch\nCOPY busybox /bin/busybox\nEXPOSE 3000\nCOPY index.html /www/index.html\n\
        CMD [\"/bin/busybox\", \"httpd\", \"-f\", \"-p\", \"3000\", \"-h\", \"/www\"]\n";
    let files = [
        ("Dockerfile", dockerfile.to_owned()),
        ("index.html", "from a container".to_owned()),
        ("mikrocloud.toml", "[container]\nreplicas = 2\n".to_owned()),
    ];
    let commit = repository.commit(&files, "from a container");
    cluster.trigger(&project, &commit).await;
    let all = cluster.ended(&project).await;
    assert_eq!(all[0]["status"], "LIVE", "{all:?}");
    cluster.shows("image", "from a container").await;
    // Each edge runs one and has the image under a name of its own; the worker keeps none.
    let found = left(address, &project);
    let containers = found.iter().filter(|line| line.starts_with("container")).count();
    assert_eq!((containers, found.len()), (2, 4), "{found:?}");

    let query = "mutation($id: ID!) { deleteProject(input: {projectId: $id}) { userErrors { message } } }";
    cluster.graphql(query, json!({"id": project})).await;
    let started = Instant::now();
    while !left(address, &project).is_empty() {
        assert!(started.elapsed() < PATIENCE, "{:?}", left(address, &project));
        sleep(std::time::Duration::from_millis(100)).await;
    }
}
