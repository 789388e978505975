//! Everything that exists in one cloud, by path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Object;

/// Everything that exists in one cloud, by path. Counts its changes, so that whoever derives something from it knows when to do so again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Objects {
    map: BTreeMap<String, Object>,
    #[serde(skip)]
    changes: u64,
}

impl Objects {
    /// Number of changes since the start.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub fn get(&self, key: &str) -> Option<&Object> {
        self.map.get(key)
    }

    /// The thing, to be changed: counts as a change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Object> {
        self.changes += 1;
        let object = self.map.get_mut(key)?;
        object.version += 1;
        Some(object)
    }

    pub fn contains(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    pub fn insert(&mut self, key: impl Into<String>, object: Object) {
        self.changes += 1;
        self.map.insert(key.into(), object);
    }

    pub fn remove(&mut self, key: &str) -> Option<Object> {
        self.changes += 1;
        self.map.remove(key)
    }

    /// Removes everything below a path, which ends with a slash.
    pub fn remove_below(&mut self, prefix: &str) -> Vec<(String, Object)> {
        let keys: Vec<String> = self.below(prefix).map(|(key, _)| key.clone()).collect();
        keys.into_iter().filter_map(|key| self.remove(&key).map(|object| (key, object))).collect()
    }

    /// Everything below a path.
    pub fn below<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a String, &'a Object)> + use<'a> {
        let prefix = prefix.to_owned();
        self.map.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// Things directly in a collection, whose path ends with a slash.
    pub fn children<'a>(&'a self, collection: &str) -> impl Iterator<Item = (&'a String, &'a Object)> + use<'a> {
        let length = collection.len();
        self.below(collection).filter(move |(key, _)| !key[length..].contains('/'))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Object)> {
        self.map.iter()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_collection_has_its_own_things_only() {
        let mut objects = Objects::default();
        for key in ["a/s/x", "a/s/x/r/1", "a/s/y", "a/t/z"] {
            objects.insert(key, Object::new("k", json!({})));
        }
        let names: Vec<_> = objects.children("a/s/").map(|(key, _)| key.as_str()).collect();
        assert_eq!(names, ["a/s/x", "a/s/y"]);
        assert_eq!(objects.remove_below("a/s/x/").len(), 1);
        assert_eq!(objects.below("a/").count(), 3);
    }
}
