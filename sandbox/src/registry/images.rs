//! Images that registries hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Images that registries hold, by `<host>/<repository>`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Images {
    repositories: BTreeMap<String, Repository>,
    #[serde(skip)]
    changes: u64,
}

/// Images of one name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Repository {
    pub manifests: BTreeMap<String, StoredManifest>,
    pub tags: BTreeMap<String, String>,
    /// Digests of layers and configurations.
    pub blobs: BTreeSet<String>,
}

/// A manifest; its content is among the blobs of the world.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredManifest {
    pub media_type: String,
    /// Size of everything that it names, in bytes.
    pub bytes: u64,
    /// Time of the push, as APIs write it.
    pub at: String,
}

impl Images {
    /// Number of changes since the start.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The repository, to be changed; made if need be.
    pub fn repository_mut(&mut self, key: &str) -> &mut Repository {
        self.changes += 1;
        self.repositories.entry(key.to_owned()).or_default()
    }

    pub fn repository(&self, key: &str) -> Option<&Repository> {
        self.repositories.get(key)
    }

    /// Repositories below a path.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a String, &'a Repository)> {
        self.repositories.range(prefix.to_owned()..).take_while(move |(key, _)| key.starts_with(prefix))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Repository)> {
        self.repositories.iter()
    }

    pub fn remove(&mut self, key: &str) -> bool {
        self.changes += 1;
        self.repositories.remove(key).is_some()
    }

    /// Removes every repository below a path.
    pub fn remove_below(&mut self, prefix: &str) {
        self.changes += 1;
        self.repositories.retain(|key, _| !key.starts_with(prefix));
    }

    /// The digest, with `sha256:`, of the manifest that an image reference such as `host/name:tag` or `host/name@sha256:..` names.
    pub fn resolve(&self, reference: &str) -> Option<String> {
        if let Some((name, digest)) = reference.split_once('@') {
            // A tag before the digest says nothing more.
            let name = untagged(name).0;
            return self.repository(name)?.manifests.contains_key(digest).then(|| digest.to_owned());
        }
        let (name, tag) = untagged(reference);
        self.repository(name)?.tags.get(tag.unwrap_or("latest")).cloned()
    }
}

impl Repository {
    /// The digest that a tag or digest stands for.
    pub fn digest(&self, reference: &str) -> Option<String> {
        if reference.contains(':') {
            return self.manifests.contains_key(reference).then(|| reference.to_owned());
        }
        self.tags.get(reference).cloned()
    }

    /// Tags of a manifest.
    pub fn tags_of<'a>(&'a self, digest: &'a str) -> impl Iterator<Item = &'a str> {
        self.tags.iter().filter(move |(_, of)| *of == digest).map(|(tag, _)| tag.as_str())
    }

    /// Removes a manifest with its tags.
    pub fn remove_manifest(&mut self, digest: &str) -> bool {
        self.tags.retain(|_, of| of != digest);
        self.manifests.remove(digest).is_some()
    }
}

fn untagged(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (reference, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_by_tag_and_digest_are_resolved() {
        let mut images = Images::default();
        let repository = images.repository_mut("h/p/r/app");
        let manifest = StoredManifest { media_type: String::new(), bytes: 0, at: String::new() };
        repository.manifests.insert("sha256:1".to_owned(), manifest);
        repository.tags.insert("v1".to_owned(), "sha256:1".to_owned());
        for (reference, found) in [
            ("h/p/r/app:v1", true),
            ("h/p/r/app@sha256:1", true),
            ("h/p/r/app:v1@sha256:1", true),
            ("h/p/r/app", false),
            ("h/p/r/app@sha256:2", false),
            ("h/p/r/other:v1", false),
        ] {
            assert_eq!(images.resolve(reference).is_some(), found, "{reference}");
        }
    }
}
