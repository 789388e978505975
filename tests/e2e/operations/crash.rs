//! The process is killed at random moments while deployments run. Whatever was promised before holds afterwards.
//!
//! `MIKROCLOUD_CRASHES` says how often (8 when unset), `MIKROCLOUD_SEED` repeats a run: both are printed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use artifacts::ArtifactStore;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::time::sleep;

use crate::support::fixtures::{Repository, answering};
use crate::support::harness::{House, PATIENCE};
use crate::support::{invariants, processes};

const PROJECTS: [&str; 3] = ["site", "server", "repo"];
const ENDED: [&str; 4] = ["LIVE", "SUPERSEDED", "FAILED", "CANCELLED"];

/// A run: the house, and all that somebody was told by it.
struct Run {
    house: House,
    repository: Repository,
    random: StdRng,
    version: u32,
    /// Body that each built deployment has to serve.
    bodies: BTreeMap<String, String>,
    /// Every log line that was ever answered, by deployment and number.
    seen: BTreeMap<(String, i64), String>,
    /// The deployments whose log was found whole.
    checked: BTreeSet<String>,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

#[tokio::test]
async fn killed_at_random_moments_it_keeps_every_promise() {
    let crashes = setting("MIKROCLOUD_CRASHES", 8);
    let seed =
        setting("MIKROCLOUD_SEED", u64::from(std::process::id()) ^ u64::from(domain::time::now().timestamp_subsec_micros()));
    eprintln!("MIKROCLOUD_CRASHES={crashes} MIKROCLOUD_SEED={seed}");
    let mut run = Run::start(seed).await;
    for crash in 1..=crashes {
        run.trigger_some().await;
        run.watch_for_a_random_time().await;
        run.house.kill().await;
        if run.random.random_ratio(1, 4) {
            let moment = Duration::from_millis(run.random.random_range(0..150));
            run.house.start_and_kill(moment).await;
        }
        run.house.run().await;
        // Most crashes hit what the one before left; now and then everything is looked at.
        if crash % 4 == 0 || crash == crashes {
            run.check(crash == crashes).await;
        }
    }
    run.leave().await;
}

impl Run {
    async fn start(seed: u64) -> Self {
        let house = House::start().await;
        let repository = house.repository("repo");
        for project in PROJECTS {
            house.json(&["projects", "create", project]).await;
        }
        Self {
            house,
            repository,
            random: StdRng::seed_from_u64(seed),
            version: 0,
            bodies: BTreeMap::new(),
            seen: BTreeMap::new(),
            checked: BTreeSet::new(),
        }
    }

    /// Asks for up to three things at once: builds of each kind, and rollbacks.
    async fn trigger_some(&mut self) {
        for project in PROJECTS {
            match self.random.random_range(0..5) {
                0 => {}
                1 => self.roll_back(project).await,
                _ => self.build(project).await,
            }
        }
    }

    async fn build(&mut self, project: &str) {
        self.version += 1;
        let body = format!("{project} {}", self.version);
        let id = match project {
            "site" => {
                // Built in several steps of some hundred milliseconds, so that kills hit builds too.
                let code = format!(
                    "let n = 0; const timer = setInterval(() => {{ console.log('step ' + ++n); if (n < 6) return; clearInterval(timer);\n\
                     require('fs').mkdirSync('out'); require('fs').writeFileSync('out/index.html', {body:?}); }}, 60);"
                );
                self.house.deploy_detached(self.house.build("site", &code), &["-p", project]).await
            }
            "server" => {
                let code = answering(&format!("{body:?}"));
                self.house.deploy_detached(self.house.node("server", &code), &["-p", project]).await
            }
            _ => {
                self.repository.commit("main", &[("index.html", &body)]);
                self.house.deploy_detached(self.repository.url(), &["-p", project]).await
            }
        };
        self.bodies.insert(id, body);
    }

    async fn roll_back(&self, project: &str) {
        let id = self.house.json(&["projects", "show", project]).await["id"].clone();
        // There may be nothing to go back to yet.
        self.house.mutate("rollbackDeployment", "RollbackDeploymentInput", json!({"projectId": id}), "deployment { id }").await;
    }

    /// Reads logs as fast as it can until a random moment.
    async fn watch_for_a_random_time(&mut self) {
        let moment = Duration::from_millis(self.random.random_range(0..900));
        let ids: Vec<String> = self.bodies.keys().rev().take(3).cloned().collect();
        let Self { house, seen, .. } = self;
        tokio::select! {
            () = sleep(moment) => {}
            () = async {
                loop {
                    // There may be none yet.
                    sleep(Duration::from_millis(5)).await;
                    for id in &ids {
                        seen.extend(house.lines(id).await.into_iter().map(|(number, text)| ((id.clone(), number), text)));
                    }
                }
            } => {}
        }
    }

    async fn deployments(&self, project: &str) -> Vec<Value> {
        let query = "query($slug: String, $after: String) { project(slug: $slug) { deployments(first: 50, after: $after) {
            nodes { id number status originId logCount failure { code message } artifactDigest events(first: 20) { number projectNumber status } }
            pageInfo { hasNextPage endCursor } } } }";
        let (mut all, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut data = self.house.graphql(query, json!({"slug": project, "after": after})).await;
            let page = data["project"]["deployments"].take();
            all.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] != true {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }

    /// Waits until everything has ended, and looks at all that must hold then.
    async fn check(&mut self, last: bool) {
        for project in PROJECTS {
            let mut all = Vec::new();
            wait_until(PATIENCE, &format!("the end of all deployments of {project}"), async || {
                all = self.deployments(project).await;
                all.iter().all(|deployment| ENDED.contains(&deployment["status"].as_str().unwrap()))
            })
            .await;
            if last {
                let of = |status: &str| all.iter().filter(|deployment| deployment["status"] == status).count();
                eprintln!("{project}: {} deployments, {} failed, {} cancelled", all.len(), of("FAILED"), of("CANCELLED"));
            }
            invariants::check_deployments(&all);
            self.check_live(project, &all).await;
            for deployment in &all {
                // A log that was whole once is only read again in the end: a long run has thousands of lines.
                if self.checked.insert(deployment["id"].as_str().unwrap().to_owned()) || last {
                    self.check_log(deployment).await;
                }
            }
        }
        self.check_leftovers().await;
    }

    /// The site shows what the API says is live.
    async fn check_live(&self, project: &str, all: &[Value]) {
        let live: Vec<&Value> = all.iter().filter(|deployment| deployment["status"] == "LIVE").collect();
        let shown = self.house.graphql(
            "query($slug: String) { project(slug: $slug) { environment { liveDeployment { id } } } }",
            json!({"slug": project}),
        );
        let shown = shown.await["project"]["environment"]["liveDeployment"]["id"].clone();
        assert!(live.len() <= 1, "{project}: {live:?}");
        assert_eq!(shown, live.first().map_or(Value::Null, |live| live["id"].clone()), "{project}");
        let Some(live) = live.first() else { return };
        let expected = self.body_of(live, all);
        wait_until(PATIENCE, &format!("{project} to show `{expected}`"), async || {
            self.house.get(project, "/").await.body == expected
        })
        .await;
    }

    /// Body that a deployment has to serve: what was built for it, or for the one whose artifact it uses.
    fn body_of(&self, deployment: &Value, all: &[Value]) -> String {
        let mut id = deployment["id"].as_str().unwrap();
        while let Some(origin) = all.iter().find(|other| other["id"] == id).and_then(|found| found["originId"].as_str()) {
            id = origin;
        }
        self.bodies[id].clone()
    }

    /// No line that anybody has seen is lost or changed, and their numbers have no gap.
    async fn check_log(&self, deployment: &Value) {
        let id = deployment["id"].as_str().unwrap();
        let stored: BTreeMap<i64, String> = self.house.lines(id).await.into_iter().collect();
        let numbers: Vec<i64> = stored.keys().copied().collect();
        assert_eq!(numbers, (1..=i64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>(), "{id}");
        for ((_, number), text) in self.seen.range((id.to_owned(), 0)..=(id.to_owned(), i64::MAX)) {
            assert_eq!(stored.get(number), Some(text), "line {number} of {id}");
        }
    }

    /// Nothing is half-written, and nothing runs that nobody looks after.
    async fn check_leftovers(&self) {
        let data = self.house.data();
        let empty = |name: &str| std::fs::read_dir(data.join(name)).into_iter().flatten().next().is_none();
        wait_until(PATIENCE, "empty working directories", async || empty("builds") && empty("artifacts/tmp")).await;
        let store = ArtifactStore::open(data.join("artifacts")).unwrap();
        for digest in store.list().await.unwrap() {
            assert!(store.verify(&digest).await.unwrap(), "{digest} is not what it was");
        }
        let mut strays = Vec::new();
        wait_until(PATIENCE, "no process without its MikroCloud", async || {
            let all = processes::all_of(&data);
            strays = all.into_iter().filter(|process| !processes::descends(process.pid, self.house.pid())).collect();
            strays.is_empty()
        })
        .await;
    }

    /// Deletes everything; then nothing may be left at all.
    async fn leave(&self) {
        for project in PROJECTS {
            self.house.json(&["projects", "delete", project, "--yes"]).await;
        }
        wait_until(PATIENCE, "no process", async || processes::all_of(&self.house.data()).is_empty()).await;
        wait_until(PATIENCE, "no artifact", async || self.house.artifacts().is_empty()).await;
    }
}
