//! Changes that take their time, and how they end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Time that a change takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum After {
    /// Number of times that somebody has to ask.
    Polls(u32),
    /// Milliseconds of the sandbox's clock.
    Time(i64),
}

/// End of a change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// As asked.
    #[default]
    Succeed,
    /// With an error of the vendor's.
    Fail { code: String, message: String },
    /// As asked, but the operation cannot be found any more.
    Forget,
}

/// Course of the changes of one type of thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Behaviour {
    #[serde(default = "Behaviour::usual")]
    pub after: After,
    #[serde(default)]
    pub ending: Ending,
}

impl Behaviour {
    fn usual() -> After {
        After::Polls(2)
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { after: Self::usual(), ending: Ending::Succeed }
    }
}

/// Courses of changes, by type of thing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Behaviours {
    /// For types that have none of their own.
    #[serde(default)]
    pub default: Behaviour,
    /// By type, such as `run.services` or `Microsoft.App/containerApps`, in any case.
    #[serde(default)]
    pub types: BTreeMap<String, Behaviour>,
}

impl Behaviours {
    /// The behaviour of a type.
    pub fn of(&self, kind: &str) -> &Behaviour {
        let own = self.types.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
        own.map_or(&self.default, |(_, behaviour)| behaviour)
    }
}

/// A change under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Phase {
    /// State that the change leads to, in the words of whoever began it.
    pub to: String,
    pub after: After,
    pub ending: Ending,
    /// Begin of the change, milliseconds of the sandbox's clock.
    pub since: i64,
    /// Number of times that somebody asked.
    pub polls: u32,
}

impl Phase {
    /// A change that begins now.
    pub fn new(to: &str, behaviour: &Behaviour, now: i64) -> Self {
        Self { to: to.to_owned(), after: behaviour.after, ending: behaviour.ending.clone(), since: now, polls: 0 }
    }

    /// Counts a question and returns true if the change is over.
    pub fn poll(&mut self, now: i64) -> bool {
        self.polls = self.polls.saturating_add(1);
        self.is_over(now)
    }

    /// Returns true if the change is over.
    pub fn is_over(&self, now: i64) -> bool {
        match self.after {
            After::Polls(polls) => self.polls >= polls,
            After::Time(millis) => now - self.since >= millis,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_over_after_questions_or_time() {
        let mut polled = Phase::new("ready", &Behaviour::default(), 0);
        assert_eq!([polled.poll(0), polled.poll(0), polled.poll(0)], [false, true, true]);
        let mut timed = Phase::new("ready", &Behaviour { after: After::Time(50), ..Behaviour::default() }, 100);
        assert_eq!([timed.poll(120), timed.poll(150)], [false, true]);
    }

    #[test]
    fn a_type_has_its_own_behaviour_or_the_default() {
        let behaviours: Behaviours = serde_json::from_value(serde_json::json!({
            "types": {"run.services": {"after": {"polls": 0}, "ending": {"fail": {"code": "9", "message": "no"}}}}
        }))
        .unwrap();
        assert_eq!(behaviours.of("Run.Services").after, After::Polls(0));
        assert_eq!(behaviours.of("storage.buckets"), &Behaviour::default());
    }
}
