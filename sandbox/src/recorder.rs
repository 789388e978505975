//! Recordings of exchanges, one file of JSON lines per cloud.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

use crate::http::{Answer, Call, Destination};

/// Headers of answers that a check of the exchange needs.
const HEADERS: [&str; 5] = ["azure-asyncoperation", "location", "retry-after", "content-type", "etag"];

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
            _ => return Ok(()),
        };
        let mut line = line_of(call, answer).to_string();
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

/// A body as JSON; null for one that is none.
fn document(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
