//! Directories that clients upload: archives kept under their digest until they are built.

use bytes::Bytes;
use domain::access::{Actor, Permission};
use domain::artifact::Digest;
use futures::{Stream, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;

use crate::core::audit::{Action, AuditEntry, record};
use crate::core::error::is_disk_full;
use crate::projects::Uploads;
use crate::{Result, ServiceError, require_somewhere};

/// A stored upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// SHA-256 of the archive; names it when a deployment is triggered.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// Below this name uploads are kept.
pub(crate) const UPLOADS: &str = "uploads";

/// The name of an upload among the objects.
pub(crate) fn upload_name(digest: &Digest) -> String {
    format!("{UPLOADS}/{digest}.tar.gz")
}

impl Uploads {
    /// Stores an archive as it streams in. The same content again costs no space.
    pub async fn store_upload<E: std::error::Error + Send + Sync + 'static>(
        &self,
        actor: &Actor,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Upload> {
        let entry = AuditEntry::new(Action::UploadCreate);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::DeploymentWrite)).await?;
        let directory = self.inner.settings.directory.join("incoming");
        tokio::fs::create_dir_all(&directory).await.map_err(storage_error)?;
        // Removed when dropped, so that an upload that breaks off leaves nothing.
        let file = tempfile::Builder::new().prefix(".incoming-").tempfile_in(&directory).map_err(storage_error)?;
        let mut writer = tokio::fs::File::from_std(file.reopen().map_err(ServiceError::internal)?);
        let (mut hasher, mut bytes) = (Sha256::new(), 0_u64);
        let limit = self.inner.settings.upload_bytes;
        while let Some(chunk) = body.next().await {
            let broken_off =
                |_| ServiceError::invalid("body", "UPLOAD_BROKEN_OFF", "the upload ended before it was complete: try again");
            let chunk = chunk.map_err(broken_off)?;
            bytes += chunk.len() as u64;
            if bytes > limit {
                let message = format!(
                    "the archive is larger than {} MiB: leave out what is not needed with a .mikrocloudignore file",
                    limit / (1024 * 1024)
                );
                return Err(ServiceError::invalid("body", "UPLOAD_TOO_LARGE", message));
            }
            hasher.update(&chunk);
            writer.write_all(&chunk).await.map_err(storage_error)?;
        }
        if bytes == 0 {
            return Err(ServiceError::invalid(
                "body",
                "UPLOAD_EMPTY",
                "the upload is empty: send a tar.gz archive as the request's body",
            ));
        }
        writer.sync_all().await.map_err(storage_error)?;
        let digest = Digest::from_bytes(&hasher.finalize().into());
        self.inner.objects.put(&upload_name(&digest), file.path()).await.map_err(storage_error)?;
        let mut tx = self.begin().await?;
        tx.upload_put(actor.team_id, &digest, i64::try_from(bytes).unwrap_or(i64::MAX)).await?;
        record(&mut tx, actor, entry.on("upload", &digest).detail("bytes", bytes)).await?;
        tx.commit().await?;
        Ok(Upload { digest, bytes })
    }
}

fn storage_error(error: impl std::error::Error + Send + Sync + 'static) -> ServiceError {
    if is_disk_full(&error) { ServiceError::disk_full() } else { ServiceError::internal(error) }
}
