//! Needs of a workload.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Kind of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A server that runs.
    Container,
    /// Files.
    Static,
    /// A handler that is called.
    Function,
}

/// Needs of a workload in a month of 730 hours. What a file leaves out is assumed, and estimates say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Profile {
    /// Kind.
    pub kind: Kind,
    /// Thousandths of a processor of each replica.
    pub cpu_milli: f64,
    /// MiB of memory of each replica.
    pub memory_mib: f64,
    /// Mean number of replicas.
    pub replicas: f64,
    /// Replicas that are kept where a cloud could have none between requests.
    pub min_replicas: f64,
    /// Share of the time in which the replicas compute.
    pub busy: f64,
    /// Bill Google's containers by their time rather than by requests.
    pub by_instance: bool,
    /// Requests.
    pub requests: f64,
    /// KiB of an answer.
    pub response_kib: f64,
    /// Share of the requests that a cache of the cloud answers.
    pub cached: f64,
    /// Milliseconds of a call of a function.
    pub call_milliseconds: f64,
    /// GiB of stored files.
    pub objects_gib: f64,
    /// Stored files.
    pub files: f64,
    /// GiB of logs.
    pub log_gib: f64,
    /// Secret environment variables.
    pub variables: f64,
    /// Domains of one's own.
    pub domains: f64,
    /// Deployments.
    pub deployments: f64,
    /// Databases.
    pub databases: Vec<Database>,
    /// Region to compare places in, by its neutral name or a vendor's; all regions if there is none.
    pub region: Option<String>,
    /// Fields that are assumed, by their names in files.
    #[serde(skip)]
    pub assumed: BTreeSet<&'static str>,
}

/// A database.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Database {
    /// Kind; so far there is only one.
    pub engine: Engine,
    /// Processors.
    pub cpu: f64,
    /// GiB of memory.
    pub memory_gib: f64,
    /// GiB of storage.
    pub storage_gib: f64,
}

/// Kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// PostgreSQL in one zone.
    Postgresql,
}

/// Origin of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// In the profile.
    Given,
    /// A starter assumption.
    Assumed,
}

/// Reason for which a file is no profile.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// Not the form of a profile.
    #[error("{0}")]
    Form(#[from] serde_json::Error),
    /// Another document than an object.
    #[error("a profile is a JSON object, such as {{\"kind\": \"container\"}}")]
    Object,
    /// A value that cannot be.
    #[error("{field}: {value} is no {meaning}")]
    Value {
        /// Name in files.
        field: &'static str,
        /// The value.
        value: f64,
        /// Description of values that can be.
        meaning: &'static str,
    },
}

impl Default for Profile {
    /// Starter assumptions: a small server that few people visit.
    fn default() -> Self {
        Self {
            kind: Kind::Container,
            cpu_milli: 500.0,
            memory_mib: 512.0,
            replicas: 1.0,
            min_replicas: 0.0,
            busy: 0.05,
            by_instance: false,
            requests: 300_000.0,
            response_kib: 40.0,
            cached: 0.0,
            call_milliseconds: 100.0,
            objects_gib: 0.1,
            files: 200.0,
            log_gib: 0.5,
            variables: 0.0,
            domains: 0.0,
            deployments: 20.0,
            databases: Vec::new(),
            region: None,
            assumed: BTreeSet::new(),
        }
    }
}

/// Share of the requests that a cache answers, for files.
const CACHED_FILES: f64 = 0.6;

/// Largest value of any field.
const LARGEST: f64 = 1e15;

impl Profile {
    /// Reads a profile and notes which fields are assumed.
    pub fn parse(json: &[u8]) -> Result<Self, ProfileError> {
        let document: serde_json::Value = serde_json::from_slice(json)?;
        let given = document.as_object().ok_or(ProfileError::Object)?.clone();
        let mut profile: Self = serde_json::from_value(document)?;
        if profile.kind == Kind::Static && !given.contains_key("cached") {
            profile.cached = CACHED_FILES;
        }
        profile.assumed = profile.numbers().iter().map(|(name, _)| *name).filter(|name| !given.contains_key(*name)).collect();
        profile.check()?;
        Ok(profile)
    }

    /// Numbers that matter for its kind, by their names in files.
    pub fn numbers(&self) -> Vec<(&'static str, f64)> {
        let mut numbers = Vec::new();
        if self.kind != Kind::Static {
            numbers.push(("memoryMib", self.memory_mib));
        }
        match self.kind {
            Kind::Container => numbers.extend([
                ("cpuMilli", self.cpu_milli),
                ("replicas", self.replicas),
                ("minReplicas", self.min_replicas),
                ("busy", self.busy),
            ]),
            Kind::Function => numbers.push(("callMilliseconds", self.call_milliseconds)),
            Kind::Static => numbers.extend([("cached", self.cached), ("objectsGib", self.objects_gib), ("files", self.files)]),
        }
        numbers.extend([
            ("requests", self.requests),
            ("responseKib", self.response_kib),
            ("logGib", self.log_gib),
            ("variables", self.variables),
            ("domains", self.domains),
            ("deployments", self.deployments),
        ]);
        numbers
    }

    /// The same with another value of a number.
    #[must_use]
    pub fn with(&self, name: &str, value: f64) -> Self {
        let mut changed = self.clone();
        let field = match name {
            "cpuMilli" => &mut changed.cpu_milli,
            "memoryMib" => &mut changed.memory_mib,
            "replicas" => &mut changed.replicas,
            "minReplicas" => &mut changed.min_replicas,
            "busy" => &mut changed.busy,
            "requests" => &mut changed.requests,
            "responseKib" => &mut changed.response_kib,
            "cached" => &mut changed.cached,
            "callMilliseconds" => &mut changed.call_milliseconds,
            "objectsGib" => &mut changed.objects_gib,
            "files" => &mut changed.files,
            "logGib" => &mut changed.log_gib,
            "variables" => &mut changed.variables,
            "domains" => &mut changed.domains,
            "deployments" => &mut changed.deployments,
            _ => return changed,
        };
        *field = value;
        changed
    }

    /// Origin of a number.
    pub fn origin(&self, name: &str) -> Origin {
        if self.assumed.contains(name) { Origin::Assumed } else { Origin::Given }
    }

    /// GiB of answers.
    pub fn egress_gib(&self) -> f64 {
        self.requests * self.response_kib / (1024.0 * 1024.0)
    }

    fn check(&self) -> Result<(), ProfileError> {
        let database = |database: &Database| {
            [
                ("databases.cpu", database.cpu),
                ("databases.memoryGib", database.memory_gib),
                ("databases.storageGib", database.storage_gib),
            ]
        };
        let all = self.all_numbers().into_iter().chain(self.databases.iter().flat_map(database));
        for (field, value) in all {
            let is_share = matches!(field, "busy" | "cached");
            let (most, meaning) = if is_share { (1.0, "share between 0 and 1") } else { (LARGEST, "number of 0 or more") };
            if !(0.0..=most).contains(&value) {
                return Err(ProfileError::Value { field, value, meaning });
            }
        }
        Ok(())
    }

    fn all_numbers(&self) -> Vec<(&'static str, f64)> {
        let kinds = [Kind::Container, Kind::Static, Kind::Function];
        kinds.iter().flat_map(|kind| Self { kind: *kind, ..self.clone() }.numbers()).collect()
    }
}
