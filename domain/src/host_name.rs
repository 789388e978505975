//! Names that the DNS can look up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// The longest name that the DNS can carry, in bytes, and the longest of its labels (RFC 1035, 2.3.4).
pub(crate) const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Reason for which a text is not a host name; each message states a remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// Nothing was given.
    #[error("the name is empty: give one such as www.example.org")]
    Empty,
    /// An address of a page, or of a port.
    #[error("give the name alone, such as www.example.org: without `https://`, a port or a path")]
    Address,
    /// The address of a machine.
    #[error("this is the address of a machine: give a name such as www.example.org")]
    Machine,
    /// All names below one.
    #[error("a wildcard stands for names that are not known: give each name, such as www.example.org")]
    Wildcard,
    /// A name that the DNS cannot carry.
    #[error("the name is too long: the DNS takes {LONGEST} characters, and {LONGEST_LABEL} between two dots")]
    TooLong,
    /// Anything else.
    #[error("this is no host name: give one such as www.example.org, of letters, digits and single hyphens between dots")]
    Invalid,
}

/// A name that the DNS can look up, in ASCII (IDNA 2008 by UTS #46), in small letters, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
#[serde(transparent)]
pub struct HostName(String);

impl HostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if it is `other`, or a name below it.
    pub fn is_within(&self, other: &str) -> bool {
        self.0.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// Returns true if it has more than one label: names of one label are resolved on the local network only.
    pub fn is_public(&self) -> bool {
        self.0.contains('.')
    }

    /// The name as people write it, where that differs: `bücher.example` for `xn--bcher-kva.example`. What it says is this name again.
    pub fn in_unicode(&self) -> Option<String> {
        let (name, _) = idna::domain_to_unicode(&self.0);
        (name != self.0 && name.parse().as_ref() == Ok(self)).then_some(name)
    }
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(HostNameError::Empty);
        }
        if text.starts_with("*.") {
            return Err(HostNameError::Wildcard);
        }
        if text.parse::<std::net::IpAddr>().is_ok() || text.starts_with('[') {
            return Err(HostNameError::Machine);
        }
        if text.contains(['/', ':', '@', '?', '#']) {
            return Err(HostNameError::Address);
        }
        // Twice as long in Unicode as in ASCII is no name, whatever it stands for.
        if text.len() > 4 * LONGEST {
            return Err(HostNameError::TooLong);
        }
        let name = idna::domain_to_ascii(text).map_err(|_| HostNameError::Invalid)?;
        if name.len() > LONGEST || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
            return Err(HostNameError::TooLong);
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        // Browsers read what ends in a number as the address of a machine (WHATWG URL, "ends in a number").
        let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        if is_number || !name.split('.').all(is_label) {
            return Err(HostNameError::Invalid);
        }
        Ok(Self(name))
    }
}

fn is_label(label: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && label.bytes().all(is_known) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_has_one_form() {
        for (text, name) in [
            ("www.example.org", "www.example.org"),
            ("WWW.Example.ORG.", "www.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("3com.example", "3com.example"),
        ] {
            assert_eq!(text.parse::<HostName>().as_ref().map(HostName::as_str), Ok(name), "{text}");
        }
        assert_eq!("xn--bcher-kva.example".parse::<HostName>().unwrap().in_unicode().as_deref(), Some("bücher.example"));
        // The second reads as `xn--` and more, which is no name.
        for name in ["www.example.org", "xn--xn--xn--el0xpo"] {
            assert_eq!(name.parse::<HostName>().unwrap().in_unicode(), None, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_told_what_to_do() {
        let (label, long) = ("a".repeat(64) + ".org", "a.".repeat(200) + "org");
        for (text, error) in [
            ("", HostNameError::Empty),
            (".", HostNameError::Empty),
            ("https://www.example.org", HostNameError::Address),
            ("example.org/shop", HostNameError::Address),
            ("example.org:443", HostNameError::Address),
            ("a@example.org", HostNameError::Address),
            ("127.0.0.1", HostNameError::Machine),
            ("::1", HostNameError::Machine),
            ("[::1]", HostNameError::Machine),
            ("*.example.org", HostNameError::Wildcard),
            (label.as_str(), HostNameError::TooLong),
            (long.as_str(), HostNameError::TooLong),
            ("a..b", HostNameError::Invalid),
            ("-a.org", HostNameError::Invalid),
            ("a-.org", HostNameError::Invalid),
            ("a b.org", HostNameError::Invalid),
            ("_dmarc.example.org", HostNameError::Invalid),
            ("10.1", HostNameError::Invalid),
            ("example.0x7f", HostNameError::Invalid),
            ("a\u{0}.org", HostNameError::Invalid),
            ("xn--a.org", HostNameError::Invalid),
        ] {
            assert_eq!(text.parse::<HostName>(), Err(error), "{text}");
        }
    }

    #[test]
    fn names_below_a_name_are_within_it() {
        let name: HostName = "shop.example.org".parse().unwrap();
        assert!(name.is_within("example.org") && name.is_within("shop.example.org") && name.is_within("org"));
        assert!(!name.is_within("op.example.org") && !name.is_within("www.shop.example.org"));
    }

    proptest! {
        #[test]
        fn a_name_that_was_read_is_read_again(text in "\\PC{0,80}|(xn--)?[a-z0-9\u{e4}\u{3b1}-]{1,12}(\\.org)?") {
            if let Ok(name) = text.parse::<HostName>() {
                prop_assert_eq!(name.as_str().parse::<HostName>(), Ok(name.clone()));
                prop_assert!(name.as_str().is_ascii());
                if let Some(shown) = name.in_unicode() {
                    prop_assert_eq!(shown.parse::<HostName>(), Ok(name));
                }
            }
        }
    }
}
