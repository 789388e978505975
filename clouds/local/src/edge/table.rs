//! Which workload answers which host label.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::DeploymentId;

use super::deployed::Deployed;
use super::instance::Pool;

/// Which workload answers which host label, at one moment.
#[derive(Default)]
pub(crate) struct Table(HashMap<String, Target>);

/// Who answers a label.
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
    pub fn new(targets: impl Iterator<Item = (String, Target)>) -> Self {
        Self(targets.map(|(label, target)| (label.to_ascii_lowercase(), target)).collect())
    }

    /// Who answers this label, whatever its case.
    pub fn get(&self, label: &str) -> Option<&Target> {
        if label.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.0.get(&label.to_ascii_lowercase());
        }
        self.0.get(label)
    }
}
