//! Logs of ended deployments move out of the database into the object store: first the object, then, in one transaction, the record of
//! it and the end of the rows. So each line is always in one of both.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use domain::artifact::Digest;
use domain::event::{LogLine, LogStream};
use domain::id::{DeploymentId, EnvironmentId, ObjectId, ProjectId, TeamId};
use domain::log_archive::{LogArchive, LogChunk};
use domain::time::Timestamp;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use services_core::{Result, ServiceError};
use sha2::{Digest as _, Sha256};

use crate::Logs;
use crate::retention::is_orphan;

/// Below this name archived logs are kept.
const LOGS: &str = "logs";
/// Number of lines that are compressed, and read again, together.
const LINES_PER_CHUNK: i64 = 1000;
/// Number of deployments that are processed in one step.
const AT_ONCE: i64 = 100;
/// An object without a row may be on its way to one for as long as this.
const WRITTEN_WITHIN: Duration = Duration::from_hours(24);

/// A line in an archive.
#[derive(Serialize, Deserialize)]
struct ArchivedLine {
    number: i64,
    stream: LogStream,
    text: String,
    at: Timestamp,
}

fn object_name(object: ObjectId) -> String {
    format!("{LOGS}/{object}.jsonl.gz")
}

fn compress(lines: Vec<LogLine>) -> std::io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    for LogLine { number, stream, text, at, .. } in lines {
        serde_json::to_writer(&mut writer, &ArchivedLine { number, stream, text, at })?;
        writer.write_all(b"\n")?;
    }
    writer.finish()
}

/// The lines of a piece with numbers above `after`.
fn extract(deployment: DeploymentId, bytes: &[u8], after: i64) -> std::io::Result<Vec<LogLine>> {
    let mut lines = Vec::new();
    for line in BufReader::new(GzDecoder::new(bytes)).lines() {
        let ArchivedLine { number, stream, text, at } = serde_json::from_str(&line?)?;
        if number > after {
            lines.push(LogLine { deployment_id: deployment, number, stream, text, at });
        }
    }
    Ok(lines)
}

impl Logs {
    /// Up to `limit` lines of a deployment with numbers above `after`, in order, wherever they are.
    pub(crate) async fn read(&self, team: TeamId, deployment: DeploymentId, after: i64, limit: i64) -> Result<Vec<LogLine>> {
        let rows = self.store().log_list(team, deployment, after, limit).await?;
        if rows.first().is_some_and(|line| line.number == after + 1) {
            return Ok(rows);
        }
        // Looked at after the rows: what was moved in between is found here.
        let mut lines = Vec::new();
        for archive in self.store().log_archive_list(team, deployment, after).await? {
            for chunk in archive.chunks.iter().filter(|chunk| chunk.last > after) {
                lines.extend(self.read_chunk(&archive, chunk, after).await?);
                if i64::try_from(lines.len()).unwrap_or(i64::MAX) >= limit {
                    lines.truncate(usize::try_from(limit).unwrap_or(0));
                    return Ok(lines);
                }
            }
        }
        Ok(if lines.is_empty() { rows } else { lines })
    }

    async fn read_chunk(&self, archive: &LogArchive, chunk: &LogChunk, after: i64) -> Result<Vec<LogLine>> {
        let unreadable = |what: &str| {
            ServiceError::Unavailable(format!(
                "the archived log of this deployment {what} the object store: operators can restore \
                 the object {}",
                object_name(archive.object_id)
            ))
        };
        let range = chunk.offset..chunk.offset + chunk.length;
        let bytes = match self.objects().get_range(&object_name(archive.object_id), range).await {
            Ok(bytes) => bytes,
            Err(artifacts::ObjectError::Missing) => return Err(unreadable("is missing in")),
            Err(error) => {
                tracing::warn!(error = jobs::handler::chain(&error), "an archived log cannot be read");
                return Err(ServiceError::Unavailable("the object store does not answer: try again in a moment".to_owned()));
            }
        };
        if Digest::from_bytes(&Sha256::digest(&bytes).into()) != chunk.digest {
            return Err(unreadable("is damaged in"));
        }
        extract(archive.deployment_id, &bytes, after).map_err(ServiceError::internal)
    }

    /// Moves the logs of deployments that ended long enough ago.
    pub async fn archive(&self, at: Timestamp) -> Result<()> {
        let before = at - self.settings().archive_logs_after;
        loop {
            let found = self.store().log_list_archivable(before, AT_ONCE).await?;
            let mut moved = 0;
            for (team, deployment) in &found {
                moved += i64::from(self.archive_one(*team, *deployment).await?);
            }
            // What could not be moved would be found again.
            if moved < AT_ONCE {
                break;
            }
        }
        self.remove_orphaned_logs(at).await
    }

    /// Moves the log of one deployment; whether it did.
    async fn archive_one(&self, team: TeamId, deployment: DeploymentId) -> Result<bool> {
        let object_id = ObjectId::new();
        let directory = self.settings().directory.join("incoming");
        tokio::fs::create_dir_all(&directory).await.map_err(ServiceError::internal)?;
        let mut file = tempfile::Builder::new().prefix(".log-").tempfile_in(directory).map_err(ServiceError::internal)?;
        let (mut chunks, mut offset, mut after) = (Vec::<LogChunk>::new(), 0, 0);
        loop {
            let lines = self.store().log_list(team, deployment, after, LINES_PER_CHUNK).await?;
            let (Some(first), Some(last)) = (lines.first(), lines.last()) else { break };
            let (first, last) = (first.number, last.number);
            let bytes = compress(lines).map_err(ServiceError::internal)?;
            file.write_all(&bytes).map_err(ServiceError::internal)?;
            let length = bytes.len() as u64;
            let digest = Digest::from_bytes(&Sha256::digest(&bytes).into());
            chunks.push(LogChunk { first, last, offset, length, digest });
            (offset, after) = (offset + length, last);
        }
        let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { return Ok(false) };
        let archive = LogArchive {
            team_id: team,
            deployment_id: deployment,
            first_number: first.first,
            last_number: last.last,
            object_id,
            size_bytes: i64::try_from(offset).unwrap_or(i64::MAX),
            chunks,
        };
        self.objects().put(&object_name(object_id), file.path()).await.map_err(ServiceError::internal)?;
        let mut tx = self.begin().await?;
        if tx.log_archive_insert(&archive).await? {
            tx.commit().await?;
            return Ok(true);
        }
        drop(tx);
        self.objects().remove(&object_name(object_id)).await.map_err(ServiceError::internal)?;
        Ok(false)
    }

    /// Removes the archived logs of a project, whose rows are about to go.
    pub(crate) async fn remove_of_project(&self, team: TeamId, project: ProjectId) -> Result<()> {
        self.remove_logs(self.store().log_archive_objects(team, project).await?).await
    }

    /// Removes the archived logs of an environment, whose rows are about to go.
    pub(crate) async fn remove_of_environment(&self, team: TeamId, environment: EnvironmentId) -> Result<()> {
        self.remove_logs(self.store().log_archive_objects_of_environment(team, environment).await?).await
    }

    async fn remove_logs(&self, objects: Vec<ObjectId>) -> Result<()> {
        for object in objects {
            self.objects().remove(&object_name(object)).await.map_err(ServiceError::internal)?;
        }
        Ok(())
    }

    async fn remove_orphaned_logs(&self, at: Timestamp) -> Result<()> {
        if !self.owns_objects().await? {
            return Ok(());
        }
        let began = self.began().await?;
        let found = self.objects().list(LOGS).await.map_err(ServiceError::internal)?;
        let known: HashSet<_> = self.store().log_archive_object_list().await?.into_iter().map(object_name).collect();
        for (name, changed_at) in found {
            if !known.contains(&name) && is_orphan(changed_at, began, at, WRITTEN_WITHIN) {
                self.objects().remove(&name).await.map_err(ServiceError::internal)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::time::now;

    use super::*;

    #[test]
    fn what_is_compressed_is_extracted_again() {
        let deployment_id = DeploymentId::new();
        let line = |number| LogLine {
            deployment_id,
            number,
            stream: LogStream::Stderr,
            text: format!("\u{1b}[1m\"ü\" \\ {number}"),
            at: now(),
        };
        let lines: Vec<_> = (7..=500).map(line).collect();
        let bytes = compress(lines.clone()).unwrap();
        assert_eq!(extract(deployment_id, &bytes, 0).unwrap(), lines);
        assert_eq!(extract(deployment_id, &bytes, 400).unwrap(), lines[394..]);
        assert!(extract(deployment_id, &bytes[..bytes.len() / 2], 0).is_err());
    }
}
