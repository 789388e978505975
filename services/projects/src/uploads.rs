//! Directories that clients upload: archives kept under their digest until they are built.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use domain::access::{Actor, Permission};
use domain::artifact::Digest;
use domain::time::Timestamp;
use futures::{Stream, StreamExt};
use services_core::audit::{Action, AuditEntry, record};
use services_core::error::is_disk_full;
use services_core::{Result, ServiceError, require_somewhere};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;

use crate::Uploads;
use crate::retention::is_orphan;

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

/// Maximum time between an upload and its row.
const WRITTEN_WITHIN: Duration = Duration::from_hours(1);

impl Uploads {
    /// Stores an archive as it streams in. The same content again costs no space.
    pub async fn store_upload<E: std::error::Error + Send + Sync + 'static>(
        &self,
        actor: &Actor,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Upload> {
        let entry = AuditEntry::new(Action::UploadCreate);
        self.audit_denial(actor, &entry, require_somewhere(actor, Permission::DeploymentWrite)).await?;
        let directory = self.settings().directory.join("incoming");
        tokio::fs::create_dir_all(&directory).await.map_err(storage_error)?;
        // Removed when dropped, so that an upload that breaks off leaves nothing.
        let file = tempfile::Builder::new().prefix(".incoming-").tempfile_in(&directory).map_err(storage_error)?;
        let mut writer = tokio::fs::File::from_std(file.reopen().map_err(ServiceError::internal)?);
        let (mut hasher, mut bytes) = (Sha256::new(), 0_u64);
        let limit = self.settings().upload_bytes;
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
        self.objects().put(&upload_name(&digest), file.path()).await.map_err(storage_error)?;
        let mut tx = self.begin().await?;
        tx.upload_put(actor.team_id, &digest, i64::try_from(bytes).unwrap_or(i64::MAX)).await?;
        record(&mut tx, actor, entry.on("upload", &digest).detail("bytes", bytes)).await?;
        tx.commit().await?;
        Ok(Upload { digest, bytes })
    }

    /// Removes uploaded directories that no row names any more.
    pub async fn remove_unused(&self, at: Timestamp) -> Result<()> {
        if !self.owns_objects().await? {
            return Ok(());
        }
        let began = self.began().await?;
        let known: HashSet<String> = self.store().upload_digests().await?.iter().map(upload_name).collect();
        let objects = self.objects();
        for (name, changed_at) in objects.list(UPLOADS).await.map_err(ServiceError::internal)? {
            // One that is younger may belong to an upload whose row is not written yet.
            if !known.contains(&name) && is_orphan(changed_at, began, at, WRITTEN_WITHIN) {
                objects.remove(&name).await.map_err(ServiceError::internal)?;
            }
        }
        Ok(())
    }
}

fn storage_error(error: impl std::error::Error + Send + Sync + 'static) -> ServiceError {
    if is_disk_full(&error) { ServiceError::disk_full() } else { ServiceError::internal(error) }
}
