//! Credentials: an access key, or those of a role that it assumes.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use chrono::{DateTime, TimeDelta};
use clouds_contract::guard::Guards;
use clouds_contract::{CloudError, Credential, ErrorKind};
use domain::secret::Secret;
use domain::time::now;
use tokio::sync::Mutex;

use crate::answer::unclear;
use crate::operations::ROLE_ASSUME;
use crate::request::Request;
use crate::sender::Sender;

/// Time before its end at which a session is no longer used.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// A role that an access key may assume.
struct Role {
    arn: String,
    external_id: Secret,
    /// Name of sessions, which AWS's own logs show.
    session: String,
    current: Mutex<Option<Credentials>>,
}

/// Gives credentials, those of a role each as long as they are good.
pub(crate) struct Login {
    key: Credentials,
    role: Option<Role>,
    sender: Sender,
    guards: Arc<Guards>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("role", &self.role()).finish_non_exhaustive()
    }
}

impl Login {
    pub fn new(credential: &Credential, installation: &str, sender: Sender, guards: Arc<Guards>) -> Result<Self, CloudError> {
        let invalid = || {
            let message = "an account of AWS is opened with an access key, alone or with the ARN of a role that it may assume";
            CloudError::new(ErrorKind::Invalid, "KEY_INVALID", message)
        };
        let (id, secret, role) = match credential {
            Credential::AwsKey { id, secret } => (id, secret, None),
            Credential::AwsRole { role_arn, external_id, id, secret } => (id, secret, Some((role_arn, external_id))),
            _ => return Err(invalid()),
        };
        let is_id = (16..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_id || secret.expose().is_empty() {
            return Err(invalid());
        }
        let role = role.map(|(arn, external_id)| Role {
            arn: arn.clone(),
            external_id: external_id.clone(),
            session: format!("mikrocloud-{installation}"),
            current: Mutex::new(None),
        });
        Ok(Self { key: Credentials::new(id, secret.expose(), None, None, "mikrocloud"), role, sender, guards })
    }

    /// ARN of the role that is assumed, if one is.
    pub fn role(&self) -> Option<&str> {
        self.role.as_ref().map(|role| role.arn.as_str())
    }

    /// Credentials that are good for some minutes at least.
    pub async fn credentials(&self) -> Result<Credentials, CloudError> {
        let Some(role) = &self.role else { return Ok(self.key.clone()) };
        let mut current = role.current.lock().await;
        let end = SystemTime::from(now() + MARGIN);
        if let Some(session) = current.as_ref()
            && session.expiry().is_some_and(|expiry| expiry > end)
        {
            return Ok(session.clone());
        }
        let session = self.guards.call(ROLE_ASSUME.call, || self.assume(role)).await?;
        *current = Some(session.clone());
        Ok(session)
    }

    /// Throws credentials of a session away that AWS did not take.
    pub async fn forget(&self, refused: &Credentials) {
        let Some(role) = &self.role else { return };
        let mut current = role.current.lock().await;
        if current.as_ref().is_some_and(|session| session.access_key_id() == refused.access_key_id()) {
            *current = None;
        }
    }

    async fn assume(&self, role: &Role) -> Result<Credentials, CloudError> {
        let mut pairs = vec![("RoleArn", role.arn.as_str()), ("RoleSessionName", role.session.as_str())];
        if !role.external_id.expose().is_empty() {
            pairs.push(("ExternalId", role.external_id.expose()));
        }
        let request = Request::sts(ROLE_ASSUME, &pairs)?;
        let answer = match self.sender.send(&request, &self.key).await {
            Err(error) if error.kind == ErrorKind::Denied => {
                let message = format!(
                    "the access key may not assume {}: allow sts:AssumeRole to its user, and let the role's trust policy name the user and the \
                     external id",
                    role.arn
                );
                return Err(CloudError::new(ErrorKind::SignedOut, "ROLE_DENIED", message).caused_by(error));
            }
            result => result?.xml()?,
        };
        let text = |name: &str| answer.text_at(&format!("AssumeRoleResult/Credentials/{name}"));
        let expiry = DateTime::parse_from_rfc3339(text("Expiration")).map_err(unclear)?;
        let (id, secret, token) = (text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken"));
        if id.is_empty() || secret.is_empty() || token.is_empty() {
            return Err(unclear("the answer has no credentials"));
        }
        Ok(Credentials::new(id, secret, Some(token.to_owned()), Some(expiry.to_utc().into()), "mikrocloud"))
    }
}
