//! Sends a directory to the server.

use std::path::Path;

use futures::TryStreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::Value;
use sources::archive::{PackLimits, pack};
use tokio_util::io::ReaderStream;

use super::api::Api;
use super::output::Progress;
use server::Failure;

/// Packs a directory and uploads it; the digest by which a deployment names it.
pub async fn upload(api: &Api, directory: &Path, progress: &std::sync::Arc<Progress>) -> Result<String, Failure> {
    progress.status("packing");
    let file =
        tempfile::tempfile().map_err(|error| Failure::failed("DISK", format!("the archive cannot be written: {error}")))?;
    let (directory, writer) = (directory.to_owned(), file.try_clone().map_err(anyhow::Error::from)?);
    let packed = tokio::task::spawn_blocking(move || pack(&directory, std::io::BufWriter::new(writer), &PackLimits::default()));
    let summary = packed.await.map_err(anyhow::Error::from)?.map_err(|error| Failure::failed(error.code(), error.to_string()))?;
    let length = file.metadata().map_err(anyhow::Error::from)?.len();
    progress.note(&format!("Packed {} files, {} KiB to upload", summary.files, length.div_ceil(1024)));
    send(api, file, length, progress).await
}

async fn send(api: &Api, mut file: std::fs::File, length: u64, progress: &std::sync::Arc<Progress>) -> Result<String, Failure> {
    std::io::Seek::rewind(&mut file).map_err(anyhow::Error::from)?;
    progress.bytes(length);
    let counted = std::sync::Arc::clone(progress);
    let body = ReaderStream::new(tokio::fs::File::from_std(file)).inspect_ok(move |chunk| counted.advance(chunk.len() as u64));
    let request = api
        .http
        .post(api.url("/api/v1/uploads"))
        .header(AUTHORIZATION, api.authorization())
        .header(CONTENT_TYPE, "application/gzip")
        .header(CONTENT_LENGTH, length)
        .body(reqwest::Body::wrap_stream(body));
    let response = request.send().await.map_err(|error| api.unreachable(&error))?;
    progress.spinner();
    let status = response.status();
    let answer: Value = response.json().await.unwrap_or_default();
    match answer["digest"].as_str() {
        Some(digest) => Ok(digest.to_owned()),
        None if status == reqwest::StatusCode::UNAUTHORIZED => {
            Err(Failure::not_signed_in(answer["detail"].as_str().unwrap_or("sign in first").to_owned()))
        }
        None => {
            let code = answer["reason"].as_str().or(answer["code"].as_str()).unwrap_or("FAILED");
            let detail =
                answer["detail"].as_str().map_or_else(|| format!("the upload was answered with {status}"), str::to_owned);
            Err(Failure::failed(code, detail))
        }
    }
}
