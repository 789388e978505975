//! Names that become part of a host name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// Reason for which a text cannot be a name; each message states a remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("the name is empty: give it 1 to {max} characters")]
    Empty {
        /// The longest allowed length.
        max: usize,
    },
    /// The name is too long for a host name.
    #[error("the name has {length} characters: shorten it to {max} or fewer")]
    TooLong {
        /// The length given, in characters.
        length: usize,
        /// The longest allowed length.
        max: usize,
    },
    /// A character that a host name cannot carry.
    #[error("the name may hold only a-z, 0-9 and single hyphens between them, not `{character}`")]
    Character {
        /// The first character that cannot stand.
        character: char,
    },
    /// Hyphens at an end or doubled: `--` separates the project from its environment in host names.
    #[error("hyphens may stand only singly and between letters or digits")]
    Hyphen,
    /// The name is kept for MikroCloud itself.
    #[error("`{name}` is reserved: choose another name")]
    Reserved {
        /// The name as given.
        name: String,
    },
}

/// Host names that MikroCloud keeps for itself.
const RESERVED: &[&str] = &[
    "api",
    "admin",
    "app",
    "auth",
    "dashboard",
    "docs",
    "edge",
    "graphql",
    "healthz",
    "localhost",
    "mail",
    "metrics",
    "mikrocloud",
    "readyz",
    "static",
    "status",
    "webhooks",
    "www",
];

fn check(text: &str, max: usize) -> Result<(), NameError> {
    let length = text.chars().count();
    if length == 0 {
        return Err(NameError::Empty { max });
    }
    if length > max {
        return Err(NameError::TooLong { length, max });
    }
    if let Some(character) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return Err(NameError::Character { character });
    }
    if text.starts_with('-') || text.ends_with('-') || text.contains("--") {
        return Err(NameError::Hyphen);
    }
    Ok(())
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident max $max:literal where $extra:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The longest allowed length, in characters.
            pub const MAX: usize = $max;

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text, $max)?;
                let extra: fn(&str) -> bool = $extra;
                if extra(text) {
                    return Err(NameError::Reserved { name: text.to_owned() });
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

names! {
    /// A project's name: unique over the installation, because it is the first label of its host name.
    ProjectName max 30 where |text| RESERVED.contains(&text);
    /// An environment's name. Twelve hexadecimal digits are refused: they would read as a deployment's host name.
    EnvironmentName max 29 where |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
}

impl ProjectName {
    /// The nearest valid name to some text, such as a directory's name; `None` when nothing of it can stand.
    pub fn suggest(text: &str) -> Option<Self> {
        let mut name = String::new();
        for character in text.chars().flat_map(char::to_lowercase) {
            if character.is_ascii_alphanumeric() {
                name.push(character);
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
        }
        name.truncate(Self::MAX);
        let name = name.trim_end_matches('-');
        name.parse().or_else(|_| format!("{name}-site").parse()).ok()
    }
}

impl EnvironmentName {
    /// The environment that a project always has.
    pub fn production() -> Self {
        Self("production".to_owned())
    }

    /// Returns true if this is the environment that the project's plain host name serves.
    pub fn is_production(&self) -> bool {
        self.0 == "production"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bad_project_names_say_what_to_do() {
        let cases = [
            ("", "1 to 30 characters"),
            (&"a".repeat(300), "has 300 characters: shorten it to 30"),
            ("Blog", "not `B`"),
            ("blög", "not `ö`"),
            ("a--b", "singly"),
            ("-a", "singly"),
            ("api", "`api` is reserved"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<ProjectName>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn an_environment_cannot_look_like_a_deployment() {
        assert!("0123456789ab".parse::<EnvironmentName>().is_err());
        assert!("preview-42".parse::<EnvironmentName>().is_ok());
    }

    #[test]
    fn directory_names_become_project_names() {
        assert_eq!(ProjectName::suggest("My Shop_2").unwrap().as_str(), "my-shop-2");
        assert_eq!(ProjectName::suggest("api").unwrap().as_str(), "api-site");
        assert_eq!(ProjectName::suggest("東京"), None);
    }

    proptest! {
        #[test]
        fn a_suggestion_is_always_valid(text in "\\PC{0,80}") {
            if let Some(name) = ProjectName::suggest(&text) {
                prop_assert_eq!(name.as_str().parse::<ProjectName>().unwrap(), name);
            }
        }

        #[test]
        fn every_host_label_fits(project in "[a-z]{30}", environment in "[g-z]{29}") {
            let project: ProjectName = project.parse().unwrap();
            let environment: EnvironmentName = environment.parse().unwrap();
            let label = format!("{project}--{environment}");
            prop_assert!(label.len() <= 63);
        }
    }
}
