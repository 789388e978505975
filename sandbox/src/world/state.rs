//! Everything that the sandbox knows, as a snapshot keeps it.

use domain::time::{Timestamp, now};
use serde::{Deserialize, Serialize};

use super::{Behaviours, Objects};
use crate::login::{KeyPair, Principals};
use crate::registry::Images;

/// Everything that the sandbox knows, as a snapshot keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(default)]
    pub google: Objects,
    #[serde(default)]
    pub azure: Objects,
    #[serde(default)]
    pub aws: Objects,
    #[serde(default)]
    pub images: Images,
    #[serde(default)]
    pub behaviours: Behaviours,
    #[serde(default)]
    pub principals: Principals,
    /// Key pair of service accounts, made with the first of them.
    #[serde(default)]
    pub key_pair: Option<KeyPair>,
    /// Milliseconds by which the sandbox's clock is ahead of the machine's.
    #[serde(default)]
    pub ahead: i64,
    /// Key that tokens are signed with, hexadecimal.
    pub token_key: String,
}

impl Default for State {
    fn default() -> Self {
        Self {
            google: Objects::default(),
            azure: Objects::default(),
            aws: Objects::default(),
            images: Images::default(),
            behaviours: Behaviours::default(),
            principals: Principals::default(),
            key_pair: None,
            ahead: 0,
            token_key: hex::encode(rand::random::<[u8; 32]>()),
        }
    }
}

impl State {
    /// The time by the sandbox's clock.
    pub fn now(&self) -> Timestamp {
        now() + chrono::TimeDelta::milliseconds(self.ahead)
    }

    /// The time by the sandbox's clock, in milliseconds.
    pub fn millis(&self) -> i64 {
        self.now().timestamp_millis()
    }

    /// The time as most APIs write it, such as `2026-10-01T12:00:00.123456Z`.
    pub fn stamp(&self) -> String {
        self.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    }

    /// Number of changes of anything that is deployed.
    pub fn changes(&self) -> u64 {
        self.google.changes() + self.azure.changes() + self.aws.changes() + self.images.changes()
    }
}
