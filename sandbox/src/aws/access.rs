//! Access keys and permissions.

use http::StatusCode;

use super::operation::Operation;
use crate::http::Call;
use crate::login::Vendor;
use crate::world::State;

/// Checks that the caller's key is known and that it may do what it asks for; status, code and message of the error.
pub(super) fn check(state: &State, call: &Call, operation: &Operation) -> Result<(), (StatusCode, &'static str, String)> {
    // Keys that moto gave out for a role belong to whoever assumed it.
    let is_session = operation.key.starts_with("ASIA") && !call.header("x-amz-security-token").is_empty();
    if operation.key.is_empty() || is_session {
        return Ok(());
    }
    if !state.principals.knows(Vendor::Aws, &operation.key) {
        let (code, message) = match operation.service.as_str() {
            "s3" => ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
            "iam" | "sts" | "ec2" | "elasticloadbalancing" => {
                ("InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            _ => ("UnrecognizedClientException", "The security token included in the request is invalid."),
        };
        return Err((StatusCode::FORBIDDEN, code, message.to_owned()));
    }
    let permission = format!("{}:{}", operation.service, operation.name);
    if state.principals.allows(Vendor::Aws, &operation.key, &permission) {
        return Ok(());
    }
    let code = if call.header("x-amz-target").is_empty() { "AccessDenied" } else { "AccessDeniedException" };
    let message = format!("User: arn:aws:iam::{}:user/sandbox is not authorized to perform: {permission}", super::ACCOUNT);
    Err((StatusCode::FORBIDDEN, code, message))
}
