//! Images on their way into a registry.

use clouds_contract::CloudError;
use tokio_util::sync::CancellationToken;

use crate::{Image, Registry};

/// Sends an image to a repository under a tag: each blob that is not there yet, then the manifest. After an interruption it goes on
/// with the blobs that are missing. Returns the number of bytes sent.
pub async fn push(
    registry: &Registry,
    repository: &str,
    tag: &str,
    image: &Image,
    stop: &CancellationToken,
) -> Result<u64, CloudError> {
    let mut sent = 0;
    for blob in &image.blobs {
        if stop.is_cancelled() {
            return Err(CloudError::new(clouds_contract::ErrorKind::Cancelled, "CANCELLED", "the push was stopped"));
        }
        if registry.has_blob(repository, &blob.descriptor.digest).await? {
            continue;
        }
        registry.put_blob(repository, blob).await?;
        sent += blob.descriptor.size;
    }
    registry.put_manifest(repository, tag, &image.manifest, &image.media_type).await?;
    Ok(sent)
}
