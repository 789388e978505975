use serde::{Deserialize, Deserializer, Serialize};

macro_rules! event_types {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Type of an event that a team can be notified of. The names never change: receivers know events by them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(type_name = "TEXT"))]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $name)] #[cfg_attr(feature = "sqlx", sqlx(rename = $name))] $variant,)*
        }

        impl EventType {
            /// Every event, as the docs list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, such as `deployment.live`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

event_types! {
    /// A deployment waits to be built or released.
    DeploymentQueued = "deployment.queued";
    /// A deployment waits until somebody approves it.
    DeploymentWaitingForApproval = "deployment.waiting_for_approval";
    /// A deployment is what its environment shows.
    DeploymentLive = "deployment.live";
    /// A deployment failed.
    DeploymentFailed = "deployment.failed";
    /// A deployment was cancelled.
    DeploymentCancelled = "deployment.cancelled";
    /// Something that should have happened did not.
    AlertRaised = "alert.raised";
    /// Somebody tries a channel; nobody can leave it out.
    Ping = "ping";
}

impl EventType {
    /// The event of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event| event.name() == name)
    }

    /// Those that a channel can choose from.
    pub fn chosen() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|event| *event != Self::Ping)
    }
}

/// Some events. In JSON it is a list of names; names that this program does not know are left out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventTypes(Vec<EventType>);

impl EventTypes {
    /// These, each once, in the order of [`EventType::ALL`].
    pub fn new(events: &[EventType]) -> Self {
        Self(EventType::ALL.iter().copied().filter(|event| events.contains(event)).collect())
    }

    /// Returns true if the set contains this event type.
    pub fn contains(&self, event: EventType) -> bool {
        self.0.contains(&event)
    }

    /// Returns true if the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|event| event.name()).collect()
    }
}

impl Default for EventTypes {
    /// Returns the default selection: every event type except the request for a deployment.
    fn default() -> Self {
        Self(EventType::chosen().filter(|event| *event != EventType::DeploymentQueued).collect())
    }
}

impl<'de> Deserialize<'de> for EventTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let known: Vec<_> = names.iter().filter_map(|name| EventType::from_name(name)).collect();
        Ok(Self::new(&known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_events_survives_json_and_leaves_out_what_is_not_known() {
        let events = EventTypes::new(&[EventType::AlertRaised, EventType::DeploymentLive, EventType::AlertRaised]);
        let json = serde_json::to_string(&events).unwrap();
        assert_eq!(json, r#"["deployment.live","alert.raised"]"#);
        assert_eq!(serde_json::from_str::<EventTypes>(&json).unwrap(), events);
        let newer = r#"["alert.raised","certificate.renewed","deployment.live"]"#;
        assert_eq!(serde_json::from_str::<EventTypes>(newer).unwrap(), events);
    }

    #[test]
    fn every_name_leads_back_to_its_event_and_a_ping_is_not_chosen() {
        for event in EventType::ALL {
            assert_eq!(EventType::from_name(event.name()), Some(*event));
        }
        assert_eq!(EventType::from_name("deployment.LIVE"), None);
        assert!(
            EventType::chosen().count() == EventType::ALL.len() - 1 && EventType::chosen().all(|event| event.name() != "ping")
        );
    }
}
