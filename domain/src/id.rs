//! Typed ids with a printed prefix: `prj_0192f0c4...`. Inside is a `UUIDv7`, so ids sort by the time they were made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Reason for which a text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text carries no prefix, or the prefix of another kind of id.
    #[error("`{given}` is not a {noun} id: expected it to start with `{prefix}_`")]
    Prefix {
        /// The text as given, cut to a length that can be shown.
        given: String,
        /// Expected kind of id, in words.
        noun: &'static str,
        /// The prefix without its underscore.
        prefix: &'static str,
    },
    /// The prefix is right, what follows is not a UUID.
    #[error("`{given}` is not a {noun} id: expected 32 hexadecimal digits after `{prefix}_`")]
    Body {
        /// The text as given, cut to a length that can be shown.
        given: String,
        /// Expected kind of id, in words.
        noun: &'static str,
        /// The prefix without its underscore.
        prefix: &'static str,
    },
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

fn parse(text: &str, prefix: &'static str, noun: &'static str) -> Result<Uuid, IdError> {
    let body = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or_else(|| IdError::Prefix {
        given: shown(text),
        noun,
        prefix,
    })?;
    let canonical = body.len() == 32 && body.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match Uuid::try_parse(body) {
        Ok(uuid) if canonical => Ok(uuid),
        _ => Err(IdError::Body { given: shown(text), noun, prefix }),
    }
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $noun:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        pub struct $name(Uuid);

        impl $name {
            /// The printed prefix, without its underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id, later than every id this process made before.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID inside, as the database keeps it.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const PREFIX: &[u8] = concat!($prefix, "_").as_bytes();
                // In one piece, so that a text that is made of it grows once.
                let mut text = [0; PREFIX.len() + uuid::fmt::Simple::LENGTH];
                let (prefix, digits) = text.split_at_mut(PREFIX.len());
                prefix.copy_from_slice(PREFIX);
                self.0.simple().encode_lower(digits);
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix, $noun).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

id_types! {
    /// A person who signs in.
    UserId = "user", "user";
    /// A team: the tenant that owns everything else.
    TeamId = "team", "team";
    /// An object that holds an artifact or a log.
    ObjectId = "obj", "object";
    /// A role that a team made.
    RoleId = "role", "role";
    /// A role that a member has on a project or an environment.
    GrantId = "grant", "grant";
    /// An API key.
    ApiKeyId = "key", "API key";
    /// A family of refresh tokens: one sign-in on one device.
    SessionId = "ses", "session";
    /// Something that happened to an account.
    SecurityEventId = "sec", "security event";
    /// An invitation to a team.
    InvitationId = "inv", "invitation";
    /// A project.
    ProjectId = "prj", "project";
    /// An environment of a project.
    EnvironmentId = "env", "environment";
    /// One version of one environment variable.
    VariableId = "var", "environment variable";
    /// A deployment.
    DeploymentId = "dep", "deployment";
    /// A job.
    JobId = "job", "job";
    /// A schedule.
    ScheduleId = "sch", "schedule";
    /// An alert.
    AlertId = "alr", "alert";
    /// A place where a team's notifications go.
    ChannelId = "chn", "notification channel";
    /// A notification on its way to one receiver; it is what receivers know a repeated message by.
    DeliveryId = "msg", "notification";
    /// A letter that waits to be sent.
    LetterId = "ltr", "letter";
    /// A machine that runs workloads itself.
    EdgeId = "edge", "edge";
    /// A project's connection to its repository at a Git host.
    GitConnectionId = "git", "Git connection";
    /// A message of a Git host.
    GitDeliveryId = "gdl", "delivery";
    /// Preview of a pull request.
    PreviewId = "pre", "preview";
    /// A domain of a team's own.
    DomainId = "dom", "domain";
    /// Something that exists in a cloud because of us.
    ResourceId = "res", "resource";
    /// An account at a vendor of clouds that a team connected.
    CloudAccountId = "cla", "cloud account";
    /// An environment's place in a cloud, account and region.
    PlacementId = "plc", "placement";
    /// Things of a cloud account that several environments share.
    BaseId = "bas", "base";
}

impl DeploymentId {
    /// The short form that stands in the deployment's own host name: the last 12 hexadecimal digits, which are random.
    pub fn short(self) -> String {
        let hex = self.0.simple().to_string();
        hex[20..].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_print_and_parse() {
        let id = ProjectId::new();
        assert_eq!(id.to_string().parse::<ProjectId>(), Ok(id));
        assert_eq!(serde_json::from_str::<ProjectId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn a_wrong_prefix_is_named() {
        let error = DeploymentId::new().to_string().parse::<ProjectId>().unwrap_err();
        assert!(error.to_string().contains("expected it to start with `prj_`"), "{error}");
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let id = ProjectId::new();
        let upper = format!("prj_{}", id.uuid().simple().to_string().to_uppercase());
        let hyphens = format!("prj_{}", id.uuid());
        for text in [upper.as_str(), hyphens.as_str(), "prj_", "prj_12", "", "prj", "prj_\u{0}"] {
            assert!(text.parse::<ProjectId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_by_time() {
        let ids: Vec<_> = (0..100).map(|_| JobId::new()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn the_short_form_is_twelve_digits() {
        assert_eq!(DeploymentId::new().short().len(), 12);
    }
}
