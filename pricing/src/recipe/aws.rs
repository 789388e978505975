//! Amazon Web Services: S3 and CloudFront, Fargate behind a load balancer, Lambda, RDS.

use super::{Base, HOURS, IMAGE_GIB, Item, KEPT_IMAGES, instance, queries, size};
use crate::book::Book;
use crate::profile::{Kind, Profile};

const FARGATE: &str = "aws.fargate";
/// New connections of a load balancer capacity unit in an hour (docs.aws.amazon.com, "Elastic Load Balancing pricing": 25 a second).
const CONNECTIONS_PER_UNIT_HOUR: f64 = 90_000.0;
/// Addresses of a load balancer: one in each of two zones.
const ADDRESSES: f64 = 2.0;

pub(super) fn items(book: &Book, profile: &Profile) -> Vec<Item> {
    let mut items = match profile.kind {
        Kind::Container => container(book, profile),
        Kind::Static => files(profile),
        Kind::Function => function(profile),
    };
    items.extend([
        Item::new("traffic to visitors", "aws.cloudfront.egress_gib", profile.egress_gib()).essential(),
        Item::new("requests at the edge", "aws.cloudfront.https_request", profile.requests).essential(),
        Item::new("logs, ingest", "aws.logs.ingest_gib", profile.log_gib),
        Item::new("logs, storage", "aws.logs.gib_month", profile.log_gib),
        Item::new("DNS zones", "aws.route53.zone_month", profile.domains).fixed(),
        Item::new("DNS queries", "aws.route53.query", queries(profile)),
    ]);
    for database in &profile.databases {
        let class = instance(book, "aws.rds.postgresql", database.cpu, database.memory_gib);
        items.push(Item::new("PostgreSQL instance", class, HOURS).essential().fixed());
        items.push(Item::new("PostgreSQL storage", "aws.rds.storage_gib_month", database.storage_gib).essential().fixed());
    }
    items
}

fn container(book: &Book, profile: &Profile) -> Vec<Item> {
    let shapes = book.shapes.get(FARGATE).map(Vec::as_slice).unwrap_or_default();
    let sold = size(shapes, profile.cpu_milli / 1000.0, profile.memory_mib / 1024.0);
    let hours = HOURS * profile.replicas;
    let compute = sold.map_or_else(
        || vec![Item::new("a task larger than any sold", "aws.fargate.larger", hours).essential()],
        |(shape, memory)| {
            vec![
                Item::new("processors", "aws.fargate.vcpu_hour", hours * shape.cpu).essential(),
                Item::new("memory", "aws.fargate.gib_hour", hours * memory).essential(),
            ]
        },
    );
    let units = profile.egress_gib().max(profile.requests / CONNECTIONS_PER_UNIT_HOUR);
    let others = [
        Item::new("addresses of tasks", "aws.ipv4.hour", hours),
        Item::new("load balancer", "aws.alb.hour", HOURS).essential().of(Base::LoadBalancer),
        Item::new("addresses of the load balancer", "aws.ipv4.hour", ADDRESSES * HOURS).of(Base::LoadBalancer),
        Item::new("load balancer capacity", "aws.alb.lcu_hour", units),
        Item::new("images", "aws.ecr.gib_month", IMAGE_GIB * KEPT_IMAGES.min(profile.deployments)),
    ];
    compute.into_iter().chain(others).collect()
}

fn files(profile: &Profile) -> Vec<Item> {
    vec![
        Item::new("stored files", "aws.s3.gib_month", profile.objects_gib).essential(),
        Item::new("written files", "aws.s3.put", profile.files * profile.deployments),
        Item::new("read files", "aws.s3.get", profile.requests * (1.0 - profile.cached)),
        Item::new("functions at the edge", "aws.cloudfront.function_call", profile.requests),
        Item::new("key-value reads at the edge", "aws.cloudfront.key_value_read", profile.requests),
    ]
}

fn function(profile: &Profile) -> Vec<Item> {
    let seconds = profile.requests * profile.call_milliseconds / 1000.0;
    vec![
        Item::new("calls", "aws.lambda.request", profile.requests).essential(),
        Item::new("time of calls", "aws.lambda.gib_second", seconds * profile.memory_mib.max(128.0) / 1024.0).essential(),
    ]
}
