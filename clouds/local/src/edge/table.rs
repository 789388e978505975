//! Table of host labels, with the workloads that answer them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::id::DeploymentId;

use super::deployed::Deployed;
use super::instance::Pool;

/// Table of host labels at one moment, with the workloads that answer them.
#[derive(Default)]
pub(crate) struct Table {
    targets: HashMap<String, Target>,
    /// Domains of teams' own, whether they show something or not.
    domains: HashSet<String>,
}

/// Workload that answers a label.
#[derive(Clone)]
pub(crate) struct Target {
    pub deployment_id: DeploymentId,
    /// The workload, when it runs on this machine.
    pub here: Option<Arc<Deployed>>,
    /// Edges of other machines on which it answers.
    pub there: Option<Arc<Pool>>,
}

impl Table {
    /// A table of labels in any case; where one comes twice the later wins.
    pub fn new(targets: impl Iterator<Item = (String, Target)>, domains: HashSet<String>) -> Self {
        Self { targets: targets.map(|(label, target)| (label.to_ascii_lowercase(), target)).collect(), domains }
    }

    /// Returns the workload that answers this label, regardless of case.
    pub fn get(&self, label: &str) -> Option<&Target> {
        self.targets.get(&*in_small_letters(label))
    }

    /// Returns true if this is a custom domain of a team, regardless of case.
    pub fn is_domain(&self, name: &str) -> bool {
        self.domains.contains(&*in_small_letters(name))
    }
}

fn in_small_letters(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}
