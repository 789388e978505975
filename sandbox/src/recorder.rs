//! Recordings of exchanges, one file of JSON lines per cloud.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::http::{Answer, Call, Destination};

/// Headers of answers that a check of the exchange needs.
const HEADERS: [&str; 5] = ["azure-asyncoperation", "location", "retry-after", "content-type", "etag"];

/// Headers of requests that say what is called, of AWS.
const AWS_HEADERS: [&str; 7] =
    ["authorization", "content-md5", "content-type", "if-match", "x-amz-checksum-sha256", "x-amz-copy-source", "x-amz-target"];

/// Writes exchanges with management APIs, with the vendor's addresses.
#[derive(Debug)]
pub(crate) struct Recorder {
    directory: PathBuf,
    files: Mutex<HashMap<&'static str, File>>,
}

impl Recorder {
    /// A recorder that writes into this directory.
    pub fn new(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory, files: Mutex::default() })
    }

    /// Records an exchange, if its host is one that can be checked.
    pub fn record(&self, call: &Call, answer: &Answer) -> io::Result<()> {
        let name = match Destination::of(&call.host) {
            Destination::Google => "google.jsonl",
            Destination::GoogleLogin if call.host.starts_with("sts.") => "google.jsonl",
            Destination::AzureResources => "azure.jsonl",
            Destination::Aws if !call.host.ends_with(".api.aws") => "aws.jsonl",
            _ => return Ok(()),
        };
        let line = if name == "aws.jsonl" { aws_line_of(call, answer) } else { line_of(call, answer) };
        let mut line = line.to_string();
        line.push('\n');
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if !files.contains_key(name) {
            let file = OpenOptions::new().create(true).append(true).open(self.directory.join(name))?;
            files.insert(name, file);
        }
        files.get_mut(name).map_or(Ok(()), |file| file.write_all(line.as_bytes()))
    }
}

fn line_of(call: &Call, answer: &Answer) -> Value {
    let (base, vendor) = (call.base(), format!("https://{}", call.host));
    let headers = HEADERS.iter().filter_map(|name| {
        let value = answer.headers.get(*name)?.to_str().ok()?.replace(&base, &vendor);
        Some(((*name).to_owned(), Value::String(value)))
    });
    let headers: Map<String, Value> = headers.collect();
    json!({
        "method": call.method.as_str(),
        "url": call.vendor_url(),
        "request": document(&call.body),
        "status": answer.status.as_u16(),
        "response": document(&answer.body),
        "response_headers": headers,
    })
}

/// A line for AWS, which says in headers what is called, and speaks more than JSON. Contents of objects are left out.
fn aws_line_of(call: &Call, answer: &Answer) -> Value {
    let named = |headers: &HeaderMap, names: &[&str]| -> Map<String, Value> {
        let present = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Value::String(headers.get(*name)?.to_str().ok()?.to_owned()))));
        present.collect()
    };
    let text = |headers: &HeaderMap, body: &[u8]| {
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        // Some answers of moto are JSON under another name.
        let is_text =
            kind.contains("xml") || kind.contains("json") || kind.contains("form-urlencoded") || !document(body).is_null();
        if is_text { String::from_utf8_lossy(body).into_owned() } else { String::new() }
    };
    json!({
        "method": call.method.as_str(),
        "url": call.vendor_url(),
        "request_headers": named(&call.headers, &AWS_HEADERS),
        "request_text": text(&call.headers, &call.body),
        "status": answer.status.as_u16(),
        "response_headers": named(&answer.headers, &HEADERS),
        "response_text": text(&answer.headers, &answer.body),
    })
}

/// A body as JSON; null for one that is none.
fn document(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
