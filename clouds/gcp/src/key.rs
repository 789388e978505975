//! Keys of service accounts, as the JSON file that Google makes.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clouds_contract::{CloudError, ErrorKind};
use domain::secret::Secret;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::SigningKey;
use serde::Deserialize;
use serde_json::json;

/// Scope that access tokens are asked for: permissions are the role's business.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Validity of a signed assertion, seconds; Google takes an hour at most.
const VALIDITY: i64 = 600;

/// Fields of the file that are used. Its addresses are not: a key must not decide where requests go.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key_id: Option<String>,
    private_key: Secret,
}

/// Key of a service account.
#[derive(Clone)]
pub(crate) struct Key {
    /// E-mail address of the service account.
    pub email: String,
    id: Option<String>,
    signing: Arc<dyn SigningKey>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, ***)", self.email)
    }
}

impl Key {
    /// Reads a key file.
    pub fn read(file: &Secret) -> Result<Self, CloudError> {
        // Reasons of parsers may quote the file, which must not be seen.
        let file: File = serde_json::from_str(file.expose()).map_err(|_| invalid("it is no key file in JSON"))?;
        if file.kind != "service_account" {
            return Err(invalid("it is not of a service account"));
        }
        let der = PrivateKeyDer::from_pem_slice(file.private_key.expose().as_bytes());
        let der = der.map_err(|_| invalid("its private_key is no PEM text"))?;
        let signing = any_supported_type(&der).map_err(|_| invalid("its private_key is of no known kind"))?;
        Ok(Self { email: file.client_email, id: file.private_key_id, signing })
    }

    /// A signed claim to be this service account (RFC 7523), for the token endpoint at `audience`.
    pub fn assertion(&self, audience: &str, now: i64) -> Result<Secret, CloudError> {
        let mut head = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = &self.id {
            head["kid"] = json!(id);
        }
        let claims = json!({"iss": self.email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + VALIDITY});
        let unsigned = format!("{}.{}", encode(head.to_string()), encode(claims.to_string()));
        let signer = self.signing.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]);
        let signer = signer.ok_or_else(|| invalid("its private_key is no RSA key"))?;
        let signature = signer.sign(unsigned.as_bytes());
        let signature = signature.map_err(|error| CloudError::internal("the key could not sign", error))?;
        Ok(Secret::new(format!("{unsigned}.{}", encode(signature))))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn invalid(reason: &str) -> CloudError {
    let message = format!(
        "the key cannot be used ({reason}): give the file that `gcloud iam service-accounts keys create key.json --iam-account ..` writes"
    );
    CloudError::new(ErrorKind::Invalid, "KEY_INVALID", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused_without_a_word_of_it() {
        let table = [
            "hunter2",
            r#"{"type": "authorized_user", "client_email": "a", "private_key": "hunter2"}"#,
            r#"{"type": "service_account", "client_email": "a", "private_key": "hunter2"}"#,
            r#"{"type": "service_account", "client_email": "a", "private_key": "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n"}"#,
        ];
        for text in table {
            let error = Key::read(&Secret::new(text)).unwrap_err();
            assert!(error.code == "KEY_INVALID" && !format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
