//! Variables of a container, and their transfer to it.

use clouds_contract::{CloudError, ErrorKind};
use domain::secret::Secret;

use super::is_read_by_clients;

/// Variables on their way into a container. None of their values stands in an argument, which every user of the machine could read.
#[derive(Debug, Default)]
pub(super) struct HandedOver {
    /// The lines of an environment file: it keeps them out of the client's own environment.
    pub file: String,
    /// Those that a line cannot hold, to be taken from the client's environment.
    pub env: Vec<(String, Secret)>,
}

impl HandedOver {
    /// Sorts variables by the way they go. Fails for a value of several lines whose name would steer the client.
    pub fn new(variables: &[(String, Secret)]) -> Result<Self, CloudError> {
        let mut handed = Self::default();
        for (name, value) in variables {
            // The file's reader stops at lines of 64 KiB (bufio.MaxScanTokenSize) and cuts a carriage return off.
            if !value.expose().contains(['\n', '\r']) && name.len() + value.expose().len() < 60_000 {
                handed.file.extend([name, "=", value.expose(), "\n"]);
            } else if is_read_by_clients(name) {
                let message = format!(
                    "the variable `{name}` has several lines or more than 60 000 bytes, and a container cannot be given such a value under \
                     this name: choose another name"
                );
                return Err(CloudError::new(ErrorKind::Invalid, "VARIABLE_REFUSED", message));
            } else {
                handed.env.push((name.clone(), value.clone()));
            }
        }
        Ok(handed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_by_a_file_and_those_of_several_lines_by_the_environment() {
        let variable = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        let handed = HandedOver::new(&[
            variable("PATH", "/opt/bin"),
            variable("EMPTY", ""),
            variable("QUOTED", " \"a\" # b=c "),
            variable("KEY", "line one\nline two"),
            variable("LONG", &"x".repeat(60_000)),
        ])
        .unwrap();
        assert_eq!(handed.file, "PATH=/opt/bin\nEMPTY=\nQUOTED= \"a\" # b=c \n");
        assert_eq!(handed.env.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["KEY", "LONG"]);
        let refused = HandedOver::new(&[variable("LD_PRELOAD", "a\nb")]).unwrap_err();
        assert!(refused.code == "VARIABLE_REFUSED" && refused.message.contains("LD_PRELOAD"), "{refused}");
    }
}
