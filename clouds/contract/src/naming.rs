//! Names and tags of things in clouds. They follow from ids, so that what an interrupted call made is found again.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::{EnvironmentPlace, Key, Outputs, Owner, Whose};

/// Rules that a vendor has for the names of a kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// Characters it takes.
    pub alphabet: Alphabet,
    /// Longest name, in characters; 16 at least.
    pub longest: usize,
    /// The name is unique in the world, so that a stranger may have it.
    pub is_global: bool,
}

/// Characters of a name. Every one starts with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// Small letters, digits and single hyphens.
    Hyphens,
    /// Small letters and digits.
    Alphanumeric,
}

/// Digits of the digest in a name: 40 bits.
const DIGEST_DIGITS: usize = 10;

impl Naming {
    /// Names of small letters, digits and hyphens, unique in their account.
    pub const fn hyphens(longest: usize) -> Self {
        Self { alphabet: Alphabet::Hyphens, longest, is_global: false }
    }

    /// The name of a thing: `mc-<label>-<digest>`, of which the digest alone tells it from others.
    pub fn name(self, whose: &Whose, key: &Key, generation: i64) -> String {
        let separator = if self.alphabet == Alphabet::Hyphens { "-" } else { "" };
        let digest = digest(whose, key, generation);
        let label = whose.environment.as_ref().map_or("shared", |place| place.label.as_str());
        let mut readable = String::new();
        for c in label.to_ascii_lowercase().chars() {
            match c {
                'a'..='z' | '0'..='9' => readable.push(c),
                _ if self.alphabet == Alphabet::Hyphens && !readable.is_empty() && !readable.ends_with('-') => readable.push('-'),
                _ => {}
            }
        }
        let room = self.longest.saturating_sub("mc".len() + 2 * separator.len() + DIGEST_DIGITS);
        let readable: String = readable.chars().take(room).collect();
        let readable = readable.trim_end_matches('-');
        if readable.is_empty() { format!("mc{separator}{digest}") } else { format!("mc{separator}{readable}{separator}{digest}") }
    }
}

/// First digits of the SHA-256 of everything that makes a thing itself.
fn digest(whose: &Whose, key: &Key, generation: i64) -> String {
    let mut hash = Sha256::new();
    for part in [&whose.installation, key.kind, &key.purpose, &key.owner.uuid().to_string(), &generation.to_string()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(DIGEST_DIGITS / 2).fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// Name of the tag by which an installation knows its things.
pub const INSTALLATION_TAG: &str = "mikrocloud-installation";

impl Whose {
    /// Tags, or labels, of a thing of this owner. Names and values are of small letters, digits, hyphens and underscores, which every
    /// vendor takes.
    pub fn tags(&self, owner: Owner) -> Outputs {
        let mut tags = BTreeMap::from([
            (INSTALLATION_TAG.to_owned(), self.installation.clone()),
            ("mikrocloud-team".to_owned(), self.team.to_string()),
        ]);
        if let Some(EnvironmentPlace { project, environment, .. }) = &self.environment {
            tags.insert("mikrocloud-project".to_owned(), project.to_string());
            tags.insert("mikrocloud-environment".to_owned(), environment.to_string());
        }
        if let Owner::Deployment(id) = owner {
            tags.insert("mikrocloud-deployment".to_owned(), id.to_string());
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{BaseId, EnvironmentId, PlacementId, ProjectId, TeamId};

    use super::*;

    fn whose(label: &str) -> Whose {
        let (project, environment, placement) = (ProjectId::new(), EnvironmentId::new(), PlacementId::new());
        let environment = Some(EnvironmentPlace { project, environment, placement, label: label.to_owned() });
        Whose { installation: "0123456789ab".to_owned(), team: TeamId::new(), environment }
    }

    fn key() -> Key {
        Key { kind: "gcp.run.service", purpose: "app".to_owned(), owner: Owner::Base(BaseId::new()) }
    }

    #[test]
    fn names_fit_their_alphabet_and_length() {
        let (short, long) = ("shop--preview", "a-very-long-name-of-a-project--and-of-its-environment");
        for label in [short, long, "", "---", "ümläut", "1st"] {
            for alphabet in [Alphabet::Hyphens, Alphabet::Alphanumeric] {
                for longest in [16, 24, 30, 33, 63] {
                    let name = Naming { alphabet, longest, is_global: false }.name(&whose(label), &key(), 1);
                    assert!(name.len() <= longest && name.starts_with("mc"), "{name}");
                    assert!(!name.contains("--") && !name.ends_with('-'), "{name}");
                    let is_fine = |c: char| matches!(c, 'a'..='z' | '0'..='9') || (alphabet == Alphabet::Hyphens && c == '-');
                    assert!(name.chars().all(is_fine), "{name}");
                }
            }
        }
        assert!(Naming::hyphens(33).name(&whose(short), &key(), 1).starts_with("mc-shop-preview-"));
    }

    #[test]
    fn a_name_is_the_same_each_time_and_another_for_another_thing() {
        let (whose, key) = (whose("shop"), key());
        let naming = Naming::hyphens(33);
        let name = naming.name(&whose, &key, 1);
        assert_eq!(naming.name(&whose, &key, 1), name);
        assert_ne!(naming.name(&whose, &key, 2), name);
        assert_ne!(naming.name(&whose, &Key { purpose: "site".to_owned(), ..key.clone() }, 1), name);
        let stranger = Whose { installation: "ba9876543210".to_owned(), ..whose };
        assert_ne!(naming.name(&stranger, &key, 1), name);
    }
}
