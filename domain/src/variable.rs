//! Environment variables.

use serde::Serialize;

use crate::id::{EnvironmentId, TeamId, VariableId};
use crate::time::Timestamp;

/// One value that a variable had from one configuration version of its environment to another. The value itself is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct Variable {
    /// Identity of this value; part of the associated data it is sealed with.
    pub id: VariableId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The environment it is set in.
    pub environment_id: EnvironmentId,
    /// Its name.
    pub name: String,
    /// Time at which this value was set.
    pub created_at: Timestamp,
}

/// The longest value, in bytes. Linux takes no single `NAME=value` string above 128 KiB (`MAX_ARG_STRLEN`).
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// The longest name, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// The most variables an environment may have.
pub const MAX_VARIABLES: usize = 500;

/// Reason for which a variable is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// The name cannot be an environment variable's.
    #[error("a variable's name starts with a letter or `_` and goes on with letters, digits and `_`, up to 255 of them")]
    Name,
    /// The name belongs to MikroCloud.
    #[error("`{0}` is set by MikroCloud: choose another name")]
    Reserved(String),
    /// A NUL byte ends a value for every program.
    #[error("the value holds a NUL byte, which no program can receive: encode it, for example as base64")]
    Nul,
    /// The value is too long.
    #[error("the value has {0} bytes: keep it within {MAX_VALUE_BYTES}, larger data belongs into a file or a store")]
    TooLong(usize),
}

/// Checks a name and a value. Line breaks are allowed: keys and certificates have them.
pub fn check(name: &str, value: &str) -> Result<(), VariableError> {
    check_name(name)?;
    if value.contains('\0') {
        return Err(VariableError::Nul);
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(VariableError::TooLong(value.len()));
    }
    Ok(())
}

/// Checks a name alone.
pub fn check_name(name: &str) -> Result<(), VariableError> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !starts || name.len() > MAX_NAME_BYTES || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(VariableError::Name);
    }
    if name == "PORT" || name == "HOST" || name.starts_with("MIKROCLOUD_") || name.starts_with("LD_") {
        return Err(VariableError::Reserved(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_line_breaks_stand_and_bad_ones_say_why() {
        assert_eq!(check("KEY", "a\nb"), Ok(()));
        assert_eq!(check("KEY", "a\0b"), Err(VariableError::Nul));
        assert_eq!(check("KEY", &"x".repeat(1 << 20)), Err(VariableError::TooLong(1 << 20)));
        for name in ["", "1A", "A B", "A=B", "ä", &"A".repeat(256)] {
            assert_eq!(check(name, ""), Err(VariableError::Name), "{name}");
        }
        for name in ["PORT", "MIKROCLOUD_TOKEN", "LD_PRELOAD"] {
            assert!(matches!(check(name, ""), Err(VariableError::Reserved(_))), "{name}");
        }
    }
}
