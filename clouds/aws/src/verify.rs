//! Looking at an account: who it is, and what it may do.

use std::collections::BTreeMap;

use clouds_contract::{CloudError, ErrorKind, Verification};
use domain::cloud::{Check, CheckOutcome};

use crate::client::Client;
use crate::operations::{CALLER_GET, On, POLICY_SIMULATE, actions};
use crate::policy::remedy;
use crate::request::Request;
use crate::xml::Element;

/// Name and rights of the account: one check per action.
///
/// Fails with `SignedOut` if its key is not accepted, and with `Invalid` if the key is of another account.
pub(crate) async fn verify(client: &Client) -> Result<Verification, CloudError> {
    let answer = client.ask(Request::sts(CALLER_GET, &[])?).await?.xml()?;
    let text = |name: &str| answer.text_at(&format!("GetCallerIdentityResult/{name}")).to_owned();
    let (principal, account) = (text("Arn"), text("Account"));
    if account != client.account {
        let message = format!("the access key is of the account {account}, not of {}: connect that account", client.account);
        return Err(CloudError::new(ErrorKind::Invalid, "OTHER_ACCOUNT", message));
    }
    // The root user of an account may do everything in it, and cannot be asked about.
    if principal.ends_with(":root") {
        let checks = actions().iter().map(|action| check(action.name, CheckOutcome::Granted, None)).collect();
        return Ok(Verification { principal, checks });
    }
    let source = client.login.role().map_or_else(|| source(&principal), str::to_owned);
    let mut checks = Vec::new();
    for on in On::EACH {
        let asked: Vec<_> = actions().into_iter().filter(|action| action.on == on).map(|action| action.name).collect();
        match simulate(client, &source, &asked, on).await {
            Ok(decisions) => checks.extend(asked.iter().map(|action| judged(action, decisions.get(*action).map(String::as_str)))),
            // Who may not ask, or cannot, may be able to do everything all the same.
            Err(error) if matches!(error.kind, ErrorKind::SignedOut | ErrorKind::Unavailable | ErrorKind::Throttled) => {
                return Err(error);
            }
            Err(error) => {
                let reason = format!("it could not be found out: {error}");
                checks.extend(asked.iter().map(|action| check(action, CheckOutcome::Unknown, Some(reason.clone()))));
            }
        }
    }
    Ok(Verification { principal, checks })
}

/// The role of a session such as `arn:aws:sts::123456789012:assumed-role/NAME/SESSION`; every other principal is itself.
fn source(principal: &str) -> String {
    let Some((head, rest)) = principal.split_once(":assumed-role/") else { return principal.to_owned() };
    let name = rest.split('/').next().unwrap_or(rest);
    format!("{}:role/{name}", head.replacen(":sts:", ":iam:", 1))
}

/// Decisions on actions, by their names.
async fn simulate(client: &Client, source: &str, asked: &[&str], on: On) -> Result<BTreeMap<String, String>, CloudError> {
    let names: Vec<_> = (1..=asked.len()).map(|number| format!("ActionNames.member.{number}")).collect();
    let mut pairs: Vec<_> = names.iter().map(String::as_str).zip(asked.iter().copied()).collect();
    let resource = on.example(&client.account);
    pairs.push(("PolicySourceArn", source));
    pairs.push(("MaxItems", "1000"));
    pairs.extend(resource.as_deref().map(|resource| ("ResourceArns.member.1", resource)));
    Ok(decisions(&client.ask(Request::iam(POLICY_SIMULATE, &pairs)?).await?.xml()?))
}

fn decisions(answer: &Element) -> BTreeMap<String, String> {
    let results = answer.items("SimulatePrincipalPolicyResult/EvaluationResults").iter();
    results.map(|result| (result.text_at("EvalActionName").to_owned(), result.text_at("EvalDecision").to_owned())).collect()
}

fn judged(action: &str, decision: Option<&str>) -> Check {
    match decision {
        Some("allowed") => check(action, CheckOutcome::Granted, None),
        Some(_) => check(action, CheckOutcome::Missing, Some(remedy(action))),
        None => check(action, CheckOutcome::Unknown, Some("AWS does not say".to_owned())),
    }
}

fn check(action: &str, outcome: CheckOutcome, remedy: Option<String>) -> Check {
    Check { permission: action.to_owned(), outcome, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read() {
        let text = "<SimulatePrincipalPolicyResponse xmlns=\"x\"><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>\
                    <EvaluationResults><member><EvalActionName>s3:CreateBucket</EvalActionName><EvalDecision>allowed</EvalDecision></member>\
                    <member><EvalActionName>s3:PutObject</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>\
                    </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>";
        let found = decisions(&Element::parse(text.as_bytes()).unwrap());
        let outcome = |action: &str| judged(action, found.get(action).map(String::as_str)).outcome;
        assert_eq!(outcome("s3:CreateBucket"), CheckOutcome::Granted);
        assert_eq!(outcome("s3:PutObject"), CheckOutcome::Missing);
        assert_eq!(outcome("s3:GetObject"), CheckOutcome::Unknown);
        assert!(judged("s3:PutObject", Some("explicitDeny")).remedy.unwrap().contains("clouds policy aws"));
    }

    #[test]
    fn the_role_of_a_session_is_asked_about() {
        assert_eq!(source("arn:aws:sts::123456789012:assumed-role/mc/mikrocloud-1"), "arn:aws:iam::123456789012:role/mc");
        assert_eq!(source("arn:aws:iam::123456789012:user/mc"), "arn:aws:iam::123456789012:user/mc");
    }
}
