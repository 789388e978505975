//! Errors of registries in our own terms.

use clouds_contract::{CloudError, ErrorContext, ErrorKind};
use oci_client::errors::{OciDistributionError, OciErrorCode};

/// Error of ours for a registry's refusal.
pub(crate) fn refused(host: &str, anonymous: bool, error: OciDistributionError) -> CloudError {
    let (kind, status) = classify(anonymous, &error);
    let message = match kind {
        ErrorKind::Busy => format!("the registry {host} does not let the account in at present"),
        ErrorKind::Denied => {
            format!("the registry {host} does not allow it: give the account the right to read and write images")
        }
        ErrorKind::NotFound => format!("the registry {host} does not have it"),
        ErrorKind::Throttled => format!("the registry {host} takes no more requests for now"),
        ErrorKind::Unavailable => format!("the registry {host} does not answer"),
        _ => format!("the registry {host} refused the image: {}", reason(&error)),
    };
    let code = match kind {
        ErrorKind::Busy => "REGISTRY_SIGNED_OUT",
        ErrorKind::Denied => "REGISTRY_DENIED",
        ErrorKind::NotFound => "REGISTRY_NOT_FOUND",
        ErrorKind::Throttled => "REGISTRY_THROTTLED",
        ErrorKind::Unavailable => "REGISTRY_UNAVAILABLE",
        _ => "REGISTRY_REFUSED",
    };
    CloudError::new(kind, code, message).of_call(ErrorContext { status, ..ErrorContext::default() }).caused_by(error)
}

/// A file of ours that cannot be read.
pub(crate) fn read_failed(thing: &str, error: std::io::Error) -> CloudError {
    CloudError::internal(format!("{thing} could not be read"), error)
}

/// The first thing that a registry says of itself.
fn reason(error: &OciDistributionError) -> String {
    match error {
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.first().map_or_else(|| "it says no more".to_owned(), |first| first.message.clone())
        }
        OciDistributionError::ServerError { message, .. } => message.chars().take(300).collect(),
        other => other.to_string(),
    }
}

fn classify(anonymous: bool, error: &OciDistributionError) -> (ErrorKind, Option<u16>) {
    // The token comes from the account's own sign-in, which says by itself when the credential is over; a registry may lag behind.
    let unauthorized = if anonymous { ErrorKind::Denied } else { ErrorKind::Busy };
    match error {
        OciDistributionError::UnauthorizedError { .. } | OciDistributionError::AuthenticationFailure(_) => {
            (unauthorized, Some(401))
        }
        OciDistributionError::ImageManifestNotFoundError(_) => (ErrorKind::NotFound, Some(404)),
        OciDistributionError::ServerError { code, .. } => (by_status(unauthorized, *code), Some(*code)),
        OciDistributionError::RegistryError { envelope, .. } => {
            let code = envelope.errors.first().map(|first| &first.code);
            let kind = match code {
                Some(OciErrorCode::Unauthorized) => unauthorized,
                Some(OciErrorCode::Denied) => ErrorKind::Denied,
                Some(OciErrorCode::Toomanyrequests) => ErrorKind::Throttled,
                Some(OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::BlobUnknown) => {
                    ErrorKind::NotFound
                }
                _ => ErrorKind::Invalid,
            };
            (kind, None)
        }
        // Blobs and manifests are known by their content: sending them again is sending the same.
        OciDistributionError::RequestError(error) => {
            let status = error.status().map(|status| status.as_u16());
            (status.map_or(ErrorKind::Unavailable, |status| by_status(unauthorized, status)), status)
        }
        OciDistributionError::IoError(_) | OciDistributionError::RegistryNoLocationError => (ErrorKind::Unavailable, None),
        _ => (ErrorKind::Invalid, None),
    }
}

fn by_status(unauthorized: ErrorKind, status: u16) -> ErrorKind {
    match status {
        401 => unauthorized,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        408 | 500.. => ErrorKind::Unavailable,
        429 => ErrorKind::Throttled,
        _ => ErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_their_kinds() {
        let table = [
            (401, ErrorKind::Busy),
            (403, ErrorKind::Denied),
            (404, ErrorKind::NotFound),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::Unavailable),
            (503, ErrorKind::Unavailable),
            (400, ErrorKind::Invalid),
        ];
        for (code, kind) in table {
            let error = OciDistributionError::ServerError { code, url: String::new(), message: "no".to_owned() };
            assert_eq!(refused("r.example", false, error).kind, kind, "{code}");
        }
        let error = OciDistributionError::UnauthorizedError { url: String::new() };
        assert_eq!(refused("r.example", true, error).kind, ErrorKind::Denied);
    }
}
