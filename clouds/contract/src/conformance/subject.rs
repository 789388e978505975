use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::artifact::Digest;
use domain::workload::WorkloadSpec;

use crate::guard::Probe;
use crate::{Address, Base, Cloud, Inputs, LogSink, Whose};

/// An account that the suite works in.
#[async_trait]
pub trait Subject: Send + Sync {
    /// A newly opened account with this probe around its calls: what a process that was started anew has.
    fn open(&self, probe: Arc<dyn Probe>) -> Cloud;

    /// Counterpart of the calls, as the matrix of proofs names it: `real` for the vendor itself.
    fn against(&self) -> &'static str {
        "sandbox"
    }

    /// The vendor's name of the region that is used.
    fn region(&self) -> &str;

    /// Owner of what is made; with an environment.
    fn whose(&self) -> Whose;

    /// Bases that workloads need, in their order.
    fn bases(&self) -> &[Base];

    /// Artifacts and variables.
    fn inputs(&self) -> &dyn Inputs;

    /// Log of deployments.
    fn log(&self) -> &dyn LogSink;

    /// Workloads of every kind that the cloud has.
    fn fixtures(&self) -> Vec<Fixture>;

    /// Answer to a visitor.
    async fn get(&self, address: &Address, path: &str) -> Got;

    /// Names of everything that exists, by the emulator's own listing, not by our code.
    async fn inventory(&self) -> Vec<String>;

    /// Way to put faults in; `None` if there is none.
    fn faults(&self) -> Option<&dyn Faults>;
}

/// A workload in two versions.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Name of its kind.
    pub kind: &'static str,
    /// The versions.
    pub versions: [Version; 2],
}

/// One version of a workload.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its artifact.
    pub artifact: Digest,
    /// The workload.
    pub spec: WorkloadSpec,
    /// Answer of `/`.
    pub shows: String,
}

/// Answer to a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub text: String,
}

/// Faults between us and the vendor.
#[async_trait]
pub trait Faults: Send + Sync {
    /// Lets the n-th call from now on meet a fault, counted from 1.
    async fn add(&self, fault: Fault, nth: u64);

    /// Takes all faults away; returns true if one was met.
    async fn clear(&self) -> bool;
}

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The vendor takes no more calls until a time is over.
    Throttle(Duration),
    /// The vendor answers with this status.
    Status(u16),
    /// The connection is closed before anything is executed.
    Reset,
    /// The call is executed, and its answer gets lost.
    LostAnswer,
    /// The answer cannot be read.
    Undecodable,
    /// The vendor says that the access token is over: there is another for the same credential.
    Expired,
}
