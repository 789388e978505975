//! Google Cloud: Cloud Run for all kinds, files in Cloud Storage, Cloud SQL.

use super::{Base, HOURS, IMAGE_GIB, Item, KEPT_IMAGES, SECONDS, queries, round_up};
use crate::profile::{Kind, Profile};

/// Seconds that are billed for a request at least, and the requests that share an instance
/// (cloud.google.com/run/pricing: 100 ms; MikroCloud's share of the 80 that an instance may have).
const LEAST_SECONDS: f64 = 0.1;
const CONCURRENCY: f64 = 10.0;
/// Seconds in which a file is served.
const FILE_SECONDS: f64 = 0.005;
/// Sizes that are sold, with the most GiB of each: below a processor in steps, then whole ones
/// (cloud.google.com/run/docs/configuring, CPU limits and memory limits).
const STEP: f64 = 0.08;
const PARTS: [(f64, f64, f64); 2] = [(STEP, 0.5, 0.5), (0.5, 1.0, 1.0)];
const SIZES: [(f64, f64); 5] = [(1.0, 4.0), (2.0, 8.0), (4.0, 16.0), (6.0, 24.0), (8.0, 32.0)];
const LEAST_GIB: f64 = 0.5;
/// Least memory of a database and its steps in GiB (cloud.google.com/sql/docs/postgres/create-instance).
const LEAST_DATABASE_GIB: f64 = 3.75;
const DATABASE_STEP: f64 = 0.25;

pub(super) fn items(profile: &Profile) -> Vec<Item> {
    let mut items = match profile.kind {
        Kind::Container => {
            let least = profile.requests * LEAST_SECONDS / CONCURRENCY;
            run(profile, (SECONDS * profile.replicas * profile.busy).max(least), profile.cpu_milli, profile.memory_mib)
        }
        Kind::Static => {
            let mut items = run(profile, profile.requests * FILE_SECONDS, 1000.0, LEAST_GIB * 1024.0);
            items.extend([
                Item::new("stored files", "gcp.storage.gib_month", profile.objects_gib).essential(),
                Item::new("written files", "gcp.storage.class_a", profile.files * profile.deployments),
                Item::new("read files", "gcp.storage.class_b", profile.requests),
            ]);
            items
        }
        Kind::Function => run(profile, profile.requests * profile.call_milliseconds / 1000.0, 1000.0, profile.memory_mib),
    };
    items.extend([
        Item::new("traffic to visitors", "gcp.egress.gib", profile.egress_gib()).essential(),
        Item::new("logs, ingest", "gcp.logs.ingest_gib", profile.log_gib),
        Item::new("images", "gcp.artifacts.gib_month", IMAGE_GIB * KEPT_IMAGES.min(profile.deployments)),
        Item::new("versions of secrets", "gcp.secrets.version_month", profile.variables).fixed(),
    ]);
    if profile.domains > 0.0 {
        items.extend([
            Item::new("load balancer", "gcp.lb.rule_hour", HOURS).essential().of(Base::LoadBalancer),
            Item::new("load balancer traffic", "gcp.lb.gib", profile.egress_gib()),
            Item::new("DNS zones", "gcp.dns.zone_month", profile.domains).fixed(),
            Item::new("DNS queries", "gcp.dns.query", queries(profile)),
        ]);
    }
    for database in &profile.databases {
        let cpu = if database.cpu <= 1.0 { 1.0 } else { round_up(database.cpu, 2.0) };
        let memory = round_up(database.memory_gib.max(LEAST_DATABASE_GIB), DATABASE_STEP);
        items.extend([
            Item::new("PostgreSQL processors", "gcp.sql.vcpu_hour", HOURS * cpu).essential().fixed(),
            Item::new("PostgreSQL memory", "gcp.sql.gib_hour", HOURS * memory).essential().fixed(),
            Item::new("PostgreSQL storage", "gcp.sql.storage_gib_month", database.storage_gib).essential().fixed(),
        ]);
    }
    items
}

/// Processors of the smallest size with so many, and so many GiB.
fn processors(cpu: f64, memory: f64) -> Option<f64> {
    let part = PARTS.into_iter().find(|(_, most_cpu, most_gib)| cpu < *most_cpu && memory <= *most_gib);
    let whole = || SIZES.into_iter().find(|(most_cpu, most_gib)| cpu <= *most_cpu && memory <= *most_gib).map(|(cpu, _)| cpu);
    part.map(|(least, most, _)| round_up(cpu.max(least), STEP).min(most)).or_else(whole)
}

/// Cloud Run: billed by requests, so for the seconds in which any is served, or by instances.
fn run(profile: &Profile, active: f64, cpu_milli: f64, memory_mib: f64) -> Vec<Item> {
    let memory = (memory_mib / 1024.0).max(LEAST_GIB);
    let Some(cpu) = processors(cpu_milli / 1000.0, memory) else {
        return vec![Item::new("an instance larger than any sold", "gcp.run.larger", SECONDS * profile.replicas).essential()];
    };
    if profile.kind == Kind::Container && profile.by_instance {
        let all = SECONDS * profile.replicas;
        return vec![
            Item::new("processors, by instance", "gcp.run.instance_vcpu_second", all * cpu).essential(),
            Item::new("memory, by instance", "gcp.run.instance_gib_second", all * memory).essential(),
        ];
    }
    let idle = (SECONDS * profile.min_replicas - active).max(0.0);
    vec![
        Item::new("processors, by request", "gcp.run.vcpu_second", active * cpu).essential(),
        Item::new("memory, by request", "gcp.run.gib_second", active * memory).essential(),
        Item::new("processors, idle", "gcp.run.idle_vcpu_second", idle * cpu).essential(),
        Item::new("memory, idle", "gcp.run.idle_gib_second", idle * memory).essential(),
        Item::new("requests", "gcp.run.request", profile.requests).essential(),
    ]
}
