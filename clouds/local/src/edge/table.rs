//! Which workload answers which host label.

use std::collections::HashMap;
use std::sync::Arc;

use super::deployed::Deployed;

/// Which workload answers which host label, at one moment.
#[derive(Default)]
pub(crate) struct Table(HashMap<String, Arc<Deployed>>);

impl Table {
    /// A table of these workloads: their own labels first, then what the routes show, which win.
    pub fn new<'a>(
        deployed: impl Iterator<Item = &'a Arc<Deployed>>,
        shown: impl Iterator<Item = (String, Arc<Deployed>)>,
    ) -> Self {
        let own = deployed.map(|deployed| (deployed.desired().label.clone(), Arc::clone(deployed)));
        Self(own.chain(shown).map(|(label, deployed)| (label.to_ascii_lowercase(), deployed)).collect())
    }

    /// Who answers this label, whatever its case.
    pub fn get(&self, label: &str) -> Option<&Arc<Deployed>> {
        if label.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return self.0.get(&label.to_ascii_lowercase());
        }
        self.0.get(label)
    }
}
