//! Microsoft Azure: Blob Storage, Container Apps, Functions in the Flex Consumption plan, PostgreSQL Flexible Server.

use super::{Base, DAYS, HOURS, Item, SECONDS, instance, queries, round_up};
use crate::book::Book;
use crate::profile::{Kind, Profile};

/// Sizes of Container Apps rise by a quarter of a processor with half a GiB (learn.microsoft.com, "Containers in Azure Container Apps").
const STEP: f64 = 0.25;
const GIB_PER_CPU: f64 = 2.0;
const LARGEST_CPU: f64 = 4.0;
/// Seconds for which a replica waits for a further request before it is taken away.
const COOL_DOWN: f64 = 300.0;
/// Memory sizes of Flex Consumption in GiB.
const FLEX_GIB: [f64; 3] = [0.5, 2.0, 4.0];

pub(super) fn items(book: &Book, profile: &Profile) -> Vec<Item> {
    let mut items = match profile.kind {
        Kind::Container => container(profile),
        Kind::Static => files(profile),
        Kind::Function => function(profile),
    };
    items.push(Item::new("logs, ingest", "azure.logs.ingest_gib", profile.log_gib));
    if profile.domains > 0.0 {
        items.extend([
            Item::new("Front Door", "azure.frontdoor.base_month", 1.0).essential().of(Base::Front),
            Item::new("traffic to visitors", "azure.frontdoor.egress_gib", profile.egress_gib()).essential(),
            Item::new("requests at the edge", "azure.frontdoor.request", profile.requests).essential(),
            Item::new("DNS zones", "azure.dns.zone_month", profile.domains).fixed(),
            Item::new("DNS queries", "azure.dns.query", queries(profile)),
        ]);
    } else {
        items.push(Item::new("traffic to visitors", "azure.egress.gib", profile.egress_gib()).essential());
    }
    for database in &profile.databases {
        let class = instance(book, "azure.postgresql", database.cpu, database.memory_gib);
        items.push(Item::new("PostgreSQL instance", class, HOURS).essential().fixed());
        items.push(
            Item::new("PostgreSQL storage", "azure.postgresql_storage.gib_month", database.storage_gib).essential().fixed(),
        );
    }
    items
}

fn container(profile: &Profile) -> Vec<Item> {
    let cpu = round_up((profile.cpu_milli / 1000.0).max(profile.memory_mib / 1024.0 / GIB_PER_CPU), STEP);
    if cpu > LARGEST_CPU {
        return vec![Item::new("a replica larger than any sold", "azure.apps.larger", SECONDS * profile.replicas).essential()];
    }
    let all = SECONDS * profile.replicas;
    let active = all * profile.busy;
    // Without replicas that stay, each hour with requests ends with a wait for more.
    let waits = HOURS.min(profile.requests) * COOL_DOWN;
    let idle =
        if profile.min_replicas > 0.0 { SECONDS * profile.min_replicas - active } else { waits.min(all - active) }.max(0.0);
    vec![
        Item::new("processors, active", "azure.apps.vcpu_second", active * cpu).essential(),
        Item::new("memory, active", "azure.apps.gib_second", active * cpu * GIB_PER_CPU).essential(),
        Item::new("processors, idle", "azure.apps.idle_vcpu_second", idle * cpu).essential(),
        Item::new("memory, idle", "azure.apps.idle_gib_second", idle * cpu * GIB_PER_CPU).essential(),
        Item::new("requests", "azure.apps.request", profile.requests).essential(),
        Item::new("registry of images", "azure.registry.day", DAYS).of(Base::Registry),
    ]
}

fn files(profile: &Profile) -> Vec<Item> {
    vec![
        Item::new("stored files", "azure.blob.gib_month", profile.objects_gib).essential(),
        Item::new("written files", "azure.blob.write", profile.files * 2.0 * profile.deployments),
        Item::new(
            "read files",
            "azure.blob.read",
            profile.requests * if profile.domains > 0.0 { 1.0 - profile.cached } else { 1.0 },
        ),
    ]
}

fn function(profile: &Profile) -> Vec<Item> {
    let asked = profile.memory_mib / 1024.0;
    let memory = FLEX_GIB.into_iter().find(|gib| *gib >= asked);
    let seconds = profile.requests * profile.call_milliseconds / 1000.0;
    let time = memory.map_or_else(
        || Item::new("a function larger than any sold", "azure.functions.larger", seconds),
        |memory| Item::new("time of calls", "azure.functions.flex_gib_second", seconds * memory),
    );
    vec![time.essential(), Item::new("calls", "azure.functions.flex_call", profile.requests).essential()]
}
