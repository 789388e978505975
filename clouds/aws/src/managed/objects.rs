//! Objects in a bucket.

use std::time::Duration;

use bytes::Bytes;
use clouds_contract::{CloudError, ErrorKind};
use http::Method;

use crate::answer::found;
use crate::client::Client;
use crate::operations::{OBJECT_COPY, OBJECT_LIST, OBJECT_PUT, OBJECTS_DELETE, Operation};
use crate::request::Request;
use crate::xml::Element;

/// Most objects that one request removes (S3, `DeleteObjects`).
const MOST: usize = 1000;

/// Slowest transfer of a file that is waited for, bytes per second.
const SLOWEST: u64 = 128 * 1024;

/// Objects of a bucket of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Objects<'a> {
    pub client: &'a Client,
    pub region: &'a str,
    pub bucket: &'a str,
}

/// Headers that an object is shown with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub content_type: &'a str,
    pub cache_control: &'a str,
}

impl Objects<'_> {
    /// A request that reaches the bucket only if it is of this account.
    pub fn request(
        &self,
        operation: Operation,
        method: Method,
        key: &str,
        query: &[(&str, &str)],
    ) -> Result<Request, CloudError> {
        let request = Request::s3(operation, method, (self.region, self.bucket), key, query)?;
        Ok(request.with_header("x-amz-expected-bucket-owner", &self.client.account))
    }

    /// Keys below a prefix: all of them, or the first.
    pub async fn list(&self, prefix: &str, most: Option<u32>) -> Result<Vec<String>, CloudError> {
        let (mut keys, mut token) = (Vec::new(), String::new());
        loop {
            let limit = most.map(|most| most.to_string());
            let mut query = vec![("list-type", "2"), ("prefix", prefix)];
            query.extend(limit.as_deref().map(|limit| ("max-keys", limit)));
            if !token.is_empty() {
                query.push(("continuation-token", &token));
            }
            let Some(answer) = self.client.find(self.request(OBJECT_LIST, Method::GET, "", &query)?).await? else {
                return Ok(keys);
            };
            let answer = answer.xml()?;
            keys.extend(answer.named("Contents").filter_map(|object| Some(object.at("Key")?.text.clone())));
            let next = answer.text_at("NextContinuationToken").to_owned();
            if most.is_some() || next.is_empty() {
                return Ok(keys);
            }
            token = next;
        }
    }

    /// Returns true if an object is there. Asks the list: errors of a question about the object itself have no text.
    pub async fn has(&self, key: &str) -> Result<bool, CloudError> {
        Ok(self.list(key, Some(1)).await?.first().is_some_and(|first| first == key))
    }

    /// Sends an object; its digest is the SHA-256 of its content in hexadecimal digits.
    pub async fn put(&self, key: &str, bytes: Bytes, digest: &str, shown: Shown<'_>) -> Result<(), CloudError> {
        let time = Duration::from_secs(30 + bytes.len() as u64 / SLOWEST);
        let request = self.request(OBJECT_PUT, Method::PUT, key, &[])?.within(time).with_known_body(bytes, digest);
        let request = request.with_header("content-type", shown.content_type).with_header("cache-control", shown.cache_control);
        self.client.ask(request).await.map(drop)
    }

    /// Copies an object within the bucket, with its headers. Fails with `NotFound` if it is not there.
    pub async fn copy(&self, from: &str, to: &str) -> Result<(), CloudError> {
        let source = format!("/{}/{from}", self.bucket);
        let request = self.request(OBJECT_COPY, Method::PUT, to, &[])?.with_header("x-amz-copy-source", source);
        let answer = self.client.ask(request).await?;
        // An error that comes late is in an answer of success (S3, `CopyObject`).
        if answer.xml()?.name == "CopyObjectResult" { Ok(()) } else { Err(unfinished("S3 did not copy an object")) }
    }

    /// Removes objects. Removing what is not there is no error.
    pub async fn delete(&self, keys: &[String]) -> Result<(), CloudError> {
        for keys in keys.chunks(MOST) {
            let objects = keys.iter().map(|key| Element::with("Object", [Element::text("Key", key)]));
            let document = Element::with("Delete", objects.chain([Element::text("Quiet", "true")]));
            let request = self.request(OBJECTS_DELETE, Method::POST, "", &[("delete", "")])?.with_document(&document);
            let Some(answer) = found(self.client.ask(request).await)? else { return Ok(()) };
            // Failures are in an answer of success.
            if let Some(error) = answer.xml()?.named("Error").next() {
                return Err(unfinished(&format!("S3 did not remove an object ({})", error.text_at("Code"))));
            }
        }
        Ok(())
    }

    /// Removes everything below a prefix.
    pub async fn empty(&self, prefix: &str) -> Result<(), CloudError> {
        let keys = self.list(prefix, None).await?;
        self.delete(&keys).await
    }
}

fn unfinished(message: &str) -> CloudError {
    CloudError::new(ErrorKind::Unavailable, "CLOUD_UNAVAILABLE", message)
}
