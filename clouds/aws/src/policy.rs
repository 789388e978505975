use serde_json::{Value, json};

use crate::operations::{On, actions};

/// A policy of IAM with exactly the actions that are used, as JSON for `aws iam create-policy --policy-document`.
pub fn policy() -> String {
    let all = actions();
    let statement = |on: On| {
        let names: Vec<_> = all.iter().filter(|action| action.on == on).map(|action| action.name).collect();
        json!({"Effect": "Allow", "Action": names, "Resource": on.pattern()})
    };
    let statements: Vec<Value> = On::EACH.into_iter().map(statement).collect();
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    format!("{document:#}\n")
}

/// Remedy for an action that an account lacks.
pub(crate) fn remedy(action: &str) -> String {
    format!("add {action} to the policy of its user or role; `mikrocloud clouds policy aws` prints the whole policy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_has_each_action_once_on_the_least_that_it_needs() {
        let text = policy();
        let document: Value = serde_json::from_str(&text).unwrap();
        let statements = document["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), On::EACH.len());
        for action in actions() {
            let has = |statement: &&Value| statement["Action"].as_array().unwrap().contains(&json!(action.name));
            let on: Vec<_> = statements.iter().filter(has).map(|statement| statement["Resource"].clone()).collect();
            assert_eq!(on, [json!(action.on.pattern())], "{}", action.name);
        }
        for broad in ["iam:Attach", "iam:CreateUser", ":*\"", "\"s3:DeleteObjectVersion"] {
            assert!(!text.contains(broad), "{broad}");
        }
        // Rights on roles are for our own alone.
        for action in actions().iter().filter(|action| action.on == On::All && action.name.starts_with("iam:")) {
            assert_eq!(action.name, "iam:SimulatePrincipalPolicy");
        }
    }
}
