//! Registries of container images, by the OCI distribution protocol.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clouds_contract::guard::{Call, Guards};
use clouds_contract::{CloudError, ErrorKind};
use clouds_wire::{RegistryAddress, Wire};
use domain::secret::Secret;
use futures::{StreamExt as _, TryStreamExt as _};
use http::HeaderValue;
use oci_client::Reference;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use tokio_util::io::ReaderStream;

use crate::refusal::{read_failed, refused};
use crate::{Blob, BlobDigest, BlobSource, Descriptor};

/// Service that calls to registries are counted as.
const SERVICE: &str = "registry";

/// Slowest transfer of a blob that is waited for, bytes per second.
const SLOWEST: u64 = 256 * 1024;

/// Shortest time that a transfer may take.
const SHORTEST: Duration = Duration::from_mins(1);

/// Longest blob that is held in memory: a configuration, never a layer.
const LARGEST_HELD: usize = 8 << 20;

/// Credential for a registry.
#[derive(Debug, Clone)]
pub enum Login {
    /// None: images for everyone.
    Nobody,
    /// An access token that the registry takes as it is.
    Token(Secret),
    /// A name and a password, which the registry exchanges for a token.
    Password {
        /// Name of the user.
        user: String,
        /// Password.
        password: Secret,
    },
}

impl Login {
    fn auth(&self) -> RegistryAuth {
        match self {
            Self::Nobody => RegistryAuth::Anonymous,
            Self::Token(token) => RegistryAuth::Bearer(token.expose().to_owned()),
            Self::Password { user, password } => RegistryAuth::Basic(user.clone(), password.expose().to_owned()),
        }
    }
}

/// A registry, with a credential for it.
pub struct Registry {
    host: String,
    address: RegistryAddress,
    client: Client,
    auth: RegistryAuth,
    guards: Arc<Guards>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Registry {
    /// The registry of a host. Makes no call.
    pub fn new(host: &str, login: &Login, wire: &Wire, guards: Arc<Guards>) -> Result<Self, CloudError> {
        let address = wire.registry(host);
        let config = ClientConfig {
            protocol: if address.is_plain { ClientProtocol::Http } else { ClientProtocol::Https },
            use_monolithic_push: true,
            connect_timeout: Some(Duration::from_secs(10)),
            user_agent: concat!("mikrocloud/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config);
        let client = client.map_err(|error| CloudError::internal("could not set up the client of a registry", error))?;
        Ok(Self { host: host.to_owned(), address, client, auth: login.auth(), guards })
    }

    /// Name of its host.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn reference(&self, repository: &str, tag: &str) -> Reference {
        let RegistryAddress { authority, prefix, .. } = &self.address;
        Reference::with_tag(authority.clone(), format!("{prefix}{repository}"), tag.to_owned())
    }

    fn refusal(&self, error: OciDistributionError) -> CloudError {
        refused(&self.host, matches!(self.auth, RegistryAuth::Anonymous), error)
    }

    /// Any image of a repository, with the credential stored for it.
    async fn repository(&self, repository: &str) -> Reference {
        let reference = self.reference(repository, "latest");
        self.client.store_auth_if_needed(reference.resolve_registry(), &self.auth).await;
        reference
    }

    /// Returns true if a repository has a blob.
    pub async fn has_blob(&self, repository: &str, digest: &BlobDigest) -> Result<bool, CloudError> {
        let (reference, digest) = (self.repository(repository).await, digest.to_string());
        let look = || async { self.client.blob_exists(&reference, &digest).await.map_err(|error| self.refusal(error)) };
        match self.guards.call(Call::freely(SERVICE, "blobs.head"), look).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            found => found,
        }
    }

    /// Digest of the image that a tag of a repository names.
    pub async fn digest(&self, repository: &str, tag: &str) -> Result<Option<BlobDigest>, CloudError> {
        let reference = self.reference(repository, tag);
        let look = || async {
            let found = self.client.fetch_manifest_digest(&reference, &self.auth).await;
            found.map_err(|error| self.refusal(error))
        };
        match self.guards.call(Call::freely(SERVICE, "manifests.head"), look).await {
            Ok(digest) => {
                let message = format!("the registry {} gave no digest", self.host);
                digest.parse().map(Some).map_err(|error| CloudError::internal(message, error))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a blob. A blob of the same content that is there already is no error.
    pub async fn put_blob(&self, repository: &str, blob: &Blob) -> Result<(), CloudError> {
        let reference = self.repository(repository).await;
        let Descriptor { digest, size, .. } = &blob.descriptor;
        let digest = digest.to_string();
        let within = SHORTEST.max(Duration::from_secs(size / SLOWEST));
        let send = || async {
            let refusal = |error| self.refusal(error);
            match &blob.source {
                BlobSource::Bytes(bytes) => {
                    let stream = futures::stream::once(std::future::ready(Ok(bytes.clone())));
                    self.client.push_blob_stream(&reference, stream, &digest, Some(*size)).await.map_err(refusal)
                }
                BlobSource::File(path) => {
                    let file = tokio::fs::File::open(path).await.map_err(|error| read_failed("a layer", error))?;
                    let stream = ReaderStream::new(file).map_err(OciDistributionError::IoError);
                    self.client.push_blob_stream(&reference, stream, &digest, Some(*size)).await.map_err(refusal)
                }
                BlobSource::Registry(from, name) => {
                    let stream = from.blob_stream(name, &digest).await?;
                    let stream = stream.map_err(OciDistributionError::IoError);
                    self.client.push_blob_stream(&reference, stream, &digest, Some(*size)).await.map_err(refusal)
                }
            }
        };
        self.guards.call(Call::freely(SERVICE, "blobs.put").within(within), send).await.map(drop)
    }

    /// Stores a manifest under a tag, which makes the image be there.
    pub async fn put_manifest(&self, repository: &str, tag: &str, bytes: &Bytes, media_type: &str) -> Result<(), CloudError> {
        self.repository(repository).await;
        let reference = self.reference(repository, tag);
        let kind = HeaderValue::from_str(media_type).map_err(|error| CloudError::internal("a media type", error))?;
        let put = || async {
            let put = self.client.push_manifest_raw(&reference, bytes.clone(), kind.clone()).await;
            put.map_err(|error| self.refusal(error))
        };
        self.guards.call(Call::freely(SERVICE, "manifests.put"), put).await.map(drop)
    }

    /// The manifest of a tag, of one of these types.
    pub(crate) async fn manifest(&self, repository: &str, reference: &str, types: &[&str]) -> Result<Bytes, CloudError> {
        let RegistryAddress { authority, prefix, .. } = &self.address;
        let name = format!("{prefix}{repository}");
        let image = if reference.contains(':') {
            Reference::with_digest(authority.clone(), name, reference.to_owned())
        } else {
            Reference::with_tag(authority.clone(), name, reference.to_owned())
        };
        let get = || async {
            let pulled = self.client.pull_manifest_raw(&image, &self.auth, types).await;
            pulled.map(|(bytes, _)| bytes).map_err(|error| self.refusal(error))
        };
        self.guards.call(Call::freely(SERVICE, "manifests.get"), get).await
    }

    /// A small blob, such as a configuration. Its digest is checked.
    pub(crate) async fn blob(&self, repository: &str, digest: &BlobDigest) -> Result<Bytes, CloudError> {
        let get = || async {
            let mut stream = self.blob_stream(repository, &digest.to_string()).await?;
            let mut bytes = Vec::new();
            while let Some(part) = stream.next().await {
                bytes.extend_from_slice(&part.map_err(|error| self.refusal(OciDistributionError::IoError(error)))?);
                if bytes.len() > LARGEST_HELD {
                    let message = format!("a configuration in {} has more than {LARGEST_HELD} bytes", self.host);
                    return Err(CloudError::new(ErrorKind::Invalid, "IMAGE_INVALID", message));
                }
            }
            Ok(Bytes::from(bytes))
        };
        self.guards.call(Call::freely(SERVICE, "blobs.get").within(SHORTEST), get).await
    }

    async fn blob_stream(
        &self,
        repository: &str,
        digest: &str,
    ) -> Result<futures::stream::BoxStream<'static, std::io::Result<Bytes>>, CloudError> {
        let reference = self.repository(repository).await;
        let stream = self.client.pull_blob_stream(&reference, digest).await;
        stream.map(|stream| stream.stream).map_err(|error| self.refusal(error))
    }
}
