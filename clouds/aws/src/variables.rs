//! Variables of an environment on their way to tasks.

use clouds_contract::{CloudError, ErrorKind};
use domain::secret::Secret;

/// Longest value of a variable, bytes ("Managing parameter tiers" of Systems Manager, standard parameters).
pub(crate) const LONGEST: usize = 4096;

/// Names whose values follow from the task: the port that the load balancer asks at.
const RESERVED: [&str; 1] = ["PORT"];

/// Names and values of variables.
type Variables = Vec<(String, Secret)>;

/// Variables that can be passed on, and the names of those that are not the environment's to set. Refuses what is too long before
/// anything is made.
pub(crate) fn passed(variables: Variables) -> Result<(Variables, Vec<String>), CloudError> {
    if let Some((name, value)) = variables.iter().find(|(_, value)| value.expose().len() > LONGEST) {
        let message = format!(
            "the variable {name} has {} bytes; AWS takes {LONGEST} at most: put the value in a file or a bucket",
            value.expose().len()
        );
        return Err(CloudError::new(ErrorKind::Invalid, "VARIABLE_TOO_LONG", message));
    }
    let (reserved, rest): (Vec<_>, Vec<_>) = variables.into_iter().partition(|(name, _)| RESERVED.contains(&name.as_str()));
    Ok((rest, reserved.into_iter().map(|(name, _)| name).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_passed_is_said_by_name_and_never_by_value() {
        let variable = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        let (passed_on, reserved) = passed(vec![variable("A", "1"), variable("PORT", "1")]).unwrap();
        assert_eq!((passed_on[0].0.as_str(), reserved), ("A", vec!["PORT".to_owned()]));
        assert!(passed(vec![variable("LONG", &"x".repeat(LONGEST))]).is_ok());
        let error = passed(vec![variable("LONG", &"x".repeat(LONGEST + 1))]).unwrap_err();
        assert!(error.message.contains("LONG") && !error.message.contains("xxx"), "{error}");
    }
}
