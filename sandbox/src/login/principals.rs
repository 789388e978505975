//! Principals that tests register, and what they may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::glob::fits;

/// Vendor that a principal belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Vendor {
    #[serde(alias = "gcp")]
    Google,
    Azure,
    Aws,
}

impl Vendor {
    pub fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Azure => "azure",
            Self::Aws => "aws",
        }
    }
}

/// One principal: a service account or an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Principal {
    /// Vendor that it belongs to.
    pub cloud: Vendor,
    /// E-mail address or client id; `*` for everyone.
    pub id: String,
    /// Secret that it has to present where the vendor has one; any without it.
    #[serde(default, skip_serializing)]
    pub secret: Option<String>,
    /// Tokens that it signs itself are checked with the sandbox's key pair.
    #[serde(default)]
    pub signs: bool,
    /// Permissions that it has; `*` stands for any text.
    #[serde(default = "everything")]
    pub allowed: Vec<String>,
    /// Permissions that are taken away.
    #[serde(default)]
    pub denied: Vec<String>,
    /// Project, tenant, subscription, object or account, as far as its vendor has them.
    #[serde(flatten)]
    pub about: BTreeMap<String, String>,
}

pub(super) fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// Principals that are registered. A vendor without any accepts everyone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Principals {
    registered: BTreeMap<String, StoredPrincipal>,
}

/// A principal in the snapshot, where its secret stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredPrincipal {
    principal: Principal,
    stored_secret: Option<String>,
}

impl Principals {
    fn key(cloud: Vendor, id: &str) -> String {
        format!("{}/{id}", cloud.name())
    }

    /// Registers a principal, in place of one of the same id.
    pub fn put(&mut self, principal: Principal) {
        let stored_secret = principal.secret.clone();
        let key = Self::key(principal.cloud, &principal.id);
        self.registered.insert(key, StoredPrincipal { principal, stored_secret });
    }

    pub fn remove(&mut self, cloud: Vendor, id: &str) -> bool {
        self.registered.remove(&Self::key(cloud, id)).is_some()
    }

    /// The principal with exactly this id, to be changed.
    pub fn get_mut(&mut self, cloud: Vendor, id: &str) -> Option<&mut Principal> {
        self.registered.get_mut(&Self::key(cloud, id)).map(|stored| &mut stored.principal)
    }

    pub fn list(&self) -> Vec<&Principal> {
        self.registered.values().map(|stored| &stored.principal).collect()
    }

    fn find(&self, cloud: Vendor, id: &str) -> Option<&StoredPrincipal> {
        self.registered.get(&Self::key(cloud, id)).or_else(|| self.registered.get(&Self::key(cloud, "*")))
    }

    /// Returns true if this id can sign in.
    pub fn knows(&self, cloud: Vendor, id: &str) -> bool {
        let mut of_cloud = self.registered.values().filter(|stored| stored.principal.cloud == cloud).peekable();
        of_cloud.peek().is_none() || self.find(cloud, id).is_some()
    }

    /// Returns true if this is the principal's secret, or it needs none.
    pub fn accepts(&self, cloud: Vendor, id: &str, secret: &str) -> bool {
        let wanted = self.find(cloud, id).and_then(|stored| stored.stored_secret.as_deref());
        self.knows(cloud, id) && wanted.is_none_or(|wanted| wanted == secret)
    }

    /// Returns true if the principal has this permission.
    pub fn allows(&self, cloud: Vendor, id: &str, permission: &str) -> bool {
        let Some(StoredPrincipal { principal, .. }) = self.find(cloud, id) else { return true };
        let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, permission));
        any(&principal.allowed) && !any(&principal.denied)
    }

    /// Returns true if tokens that this id signs are checked.
    pub fn signs(&self, cloud: Vendor, id: &str) -> bool {
        self.find(cloud, id).is_some_and(|stored| stored.principal.signs)
    }

    /// Something known about a principal, such as its tenant.
    pub fn about(&self, cloud: Vendor, id: &str, fact: &str) -> Option<&str> {
        self.find(cloud, id)?.principal.about.get(fact).map(String::as_str)
    }

    /// Permissions of a principal: what it has, and what is taken away.
    pub fn permissions(&self, cloud: Vendor, id: &str) -> (Vec<String>, Vec<String>) {
        match self.find(cloud, id) {
            Some(stored) => (stored.principal.allowed.clone(), stored.principal.denied.clone()),
            None => (everything(), Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_registered_means_everyone_may_everything() {
        let mut principals = Principals::default();
        assert!(principals.allows(Vendor::Google, "a", "run.services.create"));
        let principal = serde_json::json!({"cloud": "gcp", "id": "a", "denied": ["run.services.*"], "secret": "s"});
        principals.put(serde_json::from_value(principal).unwrap());
        assert!(!principals.allows(Vendor::Google, "a", "run.services.create"));
        assert!(principals.allows(Vendor::Google, "a", "storage.buckets.get"));
        assert!(!principals.knows(Vendor::Google, "b"));
        assert!(principals.knows(Vendor::Azure, "b"));
        assert!(principals.accepts(Vendor::Google, "a", "s") && !principals.accepts(Vendor::Google, "a", "t"));
        let again: Principals = serde_json::from_str(&serde_json::to_string(&principals).unwrap()).unwrap();
        assert!(!again.accepts(Vendor::Google, "a", "t"), "the snapshot keeps the secret");
        assert!(principals.remove(Vendor::Google, "a"));
        assert!(principals.knows(Vendor::Google, "b"));
    }
}
