//! Azure Container Registry: signing in with a token of Microsoft Entra ID (learn.microsoft.com, "Authenticate with an Azure container
//! registry"), and removing images.

use std::sync::Arc;
use std::time::Duration;

use clouds_contract::guard::Call;
use clouds_contract::{CloudError, ErrorKind};
use domain::secret::Secret;
use http::{Method, StatusCode};
use images::{Login, MANIFEST, Registry};
use serde::Deserialize;

use crate::arm::Arm;
use crate::classify::{lost, refused};
use crate::login::MANAGEMENT;

/// Name of the user whose password is a refresh token.
const TOKEN_USER: &str = "00000000-0000-0000-0000-000000000000";

const SERVICE: &str = "registry";

#[derive(Deserialize)]
struct Exchanged {
    refresh_token: Secret,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
}

/// A registry by its host, such as `mcshop.azurecr.io`.
pub struct AzureRegistry<'a> {
    arm: &'a Arm,
    host: String,
}

impl<'a> AzureRegistry<'a> {
    /// The registry of a host. Makes no call.
    pub fn new(arm: &'a Arm, host: &str) -> Self {
        Self { arm, host: host.to_owned() }
    }

    /// Client that pushes into it.
    pub async fn open(&self) -> Result<Registry, CloudError> {
        let password = self.refresh_token().await?;
        let login = Login::Password { user: TOKEN_USER.to_owned(), password };
        Registry::new(&self.host, &login, self.arm.wire(), Arc::clone(self.arm.guards()))
    }

    /// Digest of a tag's image; `None` if there is none.
    pub async fn digest(&self, repository: &str, tag: &str) -> Result<Option<String>, CloudError> {
        let token = match self.access_token(&format!("repository:{repository}:pull")).await {
            // A registry that is gone has no images.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            token => token?,
        };
        let call = Call::freely(SERVICE, "manifests.head");
        let url = format!("https://{}/v2/{repository}/manifests/{tag}", self.host);
        match self.arm.guards().call(call, || self.manifest(Method::HEAD, &url, &token)).await {
            Ok(digest) => Ok(digest),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes an image. One that is not there is no error.
    pub async fn remove(&self, repository: &str, digest: &str) -> Result<(), CloudError> {
        let token = self.access_token(&format!("repository:{repository}:delete")).await?;
        let call = Call::freely(SERVICE, "manifests.delete");
        let url = format!("https://{}/v2/{repository}/manifests/{digest}", self.host);
        match self.arm.guards().call(call, || self.manifest(Method::DELETE, &url, &token)).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            result => result.map(drop),
        }
    }

    async fn manifest(&self, method: Method, url: &str, token: &Secret) -> Result<Option<String>, CloudError> {
        let request = self.arm.wire().client().request(method, url).bearer_auth(token.expose()).header("accept", MANIFEST);
        let request = request.build().map_err(|error| CloudError::internal("a request to the registry", error))?;
        let response = self.arm.wire().send(request).await.map_err(lost)?;
        let status = response.status();
        if status.is_success() {
            let digest = response.headers().get("docker-content-digest").and_then(|digest| digest.to_str().ok());
            return Ok(digest.map(str::to_owned));
        }
        let body = clouds_wire::read(response).await?;
        Err(refused(status.as_u16(), None, None, &body))
    }

    /// A token of Microsoft Entra ID becomes one of the registry.
    async fn refresh_token(&self) -> Result<Secret, CloudError> {
        let token = self.arm.login().token(MANAGEMENT).await?;
        let form = form(&[
            ("grant_type", "access_token"),
            ("service", &self.host),
            ("tenant", self.arm.login().tenant()),
            ("access_token", token.expose()),
        ]);
        let call = Call::freely(SERVICE, "exchange");
        let found: Exchanged = self.arm.guards().call(call, || self.post("oauth2/exchange", &form)).await?;
        Ok(found.refresh_token)
    }

    async fn access_token(&self, scope: &str) -> Result<Secret, CloudError> {
        let refresh = self.refresh_token().await?;
        let form = form(&[
            ("grant_type", "refresh_token"),
            ("service", &self.host),
            ("scope", scope),
            ("refresh_token", refresh.expose()),
        ]);
        let granted: Granted =
            self.arm.guards().call(Call::freely(SERVICE, "token"), || self.post("oauth2/token", &form)).await?;
        Ok(granted.access_token)
    }

    async fn post<T: serde::de::DeserializeOwned>(&self, path: &str, form: &Secret) -> Result<T, CloudError> {
        let url = format!("https://{}/{path}", self.host);
        let request = self.arm.wire().client().post(url).header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(form.expose().to_owned()).build();
        let request = request.map_err(|error| CloudError::internal("a request to the registry", error))?;
        let response = self.arm.wire().send(request).await.map_err(lost)?;
        let status = response.status();
        let body = clouds_wire::read(response).await?;
        if status == StatusCode::NOT_FOUND || status == StatusCode::UNAUTHORIZED {
            // A new registry takes a while until it knows who may use it.
            let message = format!("the registry {} does not let us in yet", self.host);
            return Err(CloudError::new(ErrorKind::Unavailable, "REGISTRY_NOT_READY", message)
                .with_retry(clouds_contract::Retry::After(self.arm.wire().pace(Duration::from_secs(10)))));
        }
        if !status.is_success() {
            return Err(refused(status.as_u16(), None, None, &body));
        }
        serde_json::from_slice(&body).map_err(|_| crate::classify::ambiguous("the registry gave an answer that is no token"))
    }
}

fn form(pairs: &[(&str, &str)]) -> Secret {
    Secret::new(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}
