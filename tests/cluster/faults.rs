//! Faults of every kind while deployments run. `MIKROCLOUD_FAULTS` says how many (12 when unset), `MIKROCLOUD_DEPLOYMENTS` how many
//! deployments (24), `MIKROCLOUD_SEED` repeats a run; all are printed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;
use tokio::time::sleep;

use crate::harness::{Cluster, LEASE, PATIENCE, Repository, Shape};
use crate::invariants::check_deployments;

const PROJECTS: usize = 5;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

struct Run {
    cluster: Cluster,
    random: StdRng,
    projects: Vec<Project>,
    version: u32,
}

struct Project {
    name: String,
    id: String,
    repository: Repository,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_nothing_is_lost_stuck_or_done_twice() {
    let (faults, deployments) = (setting("MIKROCLOUD_FAULTS", 12), setting("MIKROCLOUD_DEPLOYMENTS", 24));
    let seed = setting("MIKROCLOUD_SEED", u64::from(std::process::id()));
    eprintln!("MIKROCLOUD_FAULTS={faults} MIKROCLOUD_DEPLOYMENTS={deployments} MIKROCLOUD_SEED={seed}");
    let Some(mut run) = Run::start(seed).await else { return };
    let mut triggered = 0;
    for fault in 1..=faults {
        while triggered * faults < fault * deployments {
            run.trigger().await;
            triggered += 1;
        }
        run.fault().await;
        run.cluster.supervise().await;
    }
    run.check().await;
}

impl Run {
    async fn start(seed: u64) -> Option<Self> {
        let mut cluster = Cluster::start(Shape { apis: 2, workers: 3, edges: 2 }).await?;
        let mut projects = Vec::new();
        for number in 1..=PROJECTS {
            let name = format!("project{number}");
            let repository = Repository::new(cluster.directory.path(), &name);
            let id = cluster.create_project(&name, &repository).await;
            projects.push(Project { name, id, repository });
        }
        Some(Self { cluster, random: StdRng::seed_from_u64(seed), projects, version: 0 })
    }

    /// Deploys a new commit of some project: sites that are built for half a second, and a server with two replicas.
    async fn trigger(&mut self) {
        self.version += 1;
        let index = self.random.random_range(0..PROJECTS);
        let project = &mut self.projects[index];
        let body = format!("{} {}", project.name, self.version);
        let files = if index == 0 { server(&body) } else { site(&body) };
        let commit = project.repository.commit(&files, &body);
        self.cluster.trigger(&project.id.clone(), &commit).await;
    }

    async fn fault(&mut self) {
        let (cluster, random) = (&mut self.cluster, &mut self.random);
        match random.random_range(0..10) {
            0..4 => {
                let index = random.random_range(0..cluster.roles.len());
                cluster.roles[index].kill().await;
            }
            4 | 5 => {
                let stoppable: Vec<usize> = [cluster.of("worker"), cluster.of("edge")].concat();
                let role = &cluster.roles[stoppable[random.random_range(0..stoppable.len())]];
                role.signal(Signal::STOP);
                sleep(Duration::from_secs(LEASE + 1)).await;
                role.signal(Signal::CONT);
            }
            6 => {
                cluster.redis.run(&["FLUSHALL"]);
            }
            7 => cluster.redis.restart(),
            8 => cluster.postgres.crash_and_restart(),
            _ => {
                cluster.to_postgres.cut();
                cluster.to_redis.cut();
            }
        }
        sleep(Duration::from_millis(self.random.random_range(0..800))).await;
    }

    async fn check(&mut self) {
        let Self { cluster, projects, .. } = self;
        let (mut total, mut failed) = (0, 0);
        for project in projects {
            let all = cluster.ended(&project.id).await;
            check_deployments(&all);
            total += all.len();
            for deployment in all.iter().filter(|deployment| deployment["status"] == "FAILED") {
                eprintln!("{}: {}", project.name, deployment["failure"]);
                failed += 1;
            }
            let live: Vec<_> = all.iter().filter(|deployment| deployment["status"] == "LIVE").collect();
            assert!(live.len() <= 1, "{live:?}");
            if let Some(live) = live.first() {
                let body = &project.repository.bodies[live["commitSha"].as_str().unwrap()];
                cluster.shows(&project.name, body).await;
            }
        }
        eprintln!("{total} deployments, {failed} failed");
        let started = tokio::time::Instant::now();
        loop {
            let left = cluster.rows("SELECT kind || ' ' || state || ' ' || COALESCE(last_error, '') FROM jobs WHERE state IN ('pending', 'running')").await;
            if left.is_empty() {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "jobs are left: {left:?}");
            cluster.supervise().await;
            sleep(Duration::from_millis(200)).await;
        }
        let dead = cluster.rows("SELECT kind || ': ' || COALESCE(last_error, '') FROM jobs WHERE state = 'dead'").await;
        assert!(dead.is_empty(), "{dead:?}");
    }
}

fn site(body: &str) -> Vec<(&'static str, String)> {
    let manifest = "[project]\nkind = \"static\"\n[build]\ncommand = \"node build.cjs\"\noutput = \"out\"\n";
    let build = format!(
        "setTimeout(() => {{ require('fs').mkdirSync('out', {{recursive: true}}); require('fs').writeFileSync('out/index.html', {body:?}); }}, 500);"
    );
    vec![("mikrocloud.toml", manifest.to_owned()), ("build.cjs", build)]
}

fn server(body: &str) -> Vec<(&'static str, String)> {
    let code = format!(
        "require('node:http').createServer((_, response) => response.end({body:?})).listen(process.env.PORT, '127.0.0.1');"
    );
    vec![
        ("package.json", r#"{"scripts": {"start": "node server.js"}}"#.to_owned()),
        ("mikrocloud.toml", "[container]\nreplicas = 2\n".to_owned()),
        ("server.js", code),
    ]
}
