//! Azure Blob Storage: the calls that a website needs (learn.microsoft.com, "Blob Storage REST API").

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clouds_contract::guard::{Call, Guards};
use clouds_contract::{CloudError, ErrorKind, Retry};
use clouds_site::plan::SiteObject;
use clouds_wire::Wire;
use http::Method;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::Body;
use url::Url;

use crate::arm::Arm;
use crate::classify::{lost, refused};
use crate::login::STORAGE;

/// Version of the API.
const VERSION: &str = "2026-04-06";

const SERVICE: &str = "blob";

/// Slowest transfer that is waited for, bytes per second.
const SLOWEST: u64 = 256 * 1024;

/// Characters of a blob's name that stand in a path as they are not.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// Time for which a new account may not let its owner in yet.
const SPREADING: Duration = Duration::from_secs(10);

/// The blobs of a storage account.
pub struct Blobs<'a> {
    arm: &'a Arm,
    /// Such as `https://mcshop.blob.core.windows.net`.
    endpoint: String,
}

impl<'a> Blobs<'a> {
    /// The blobs behind an account's endpoint.
    pub fn new(arm: &'a Arm, endpoint: &str) -> Self {
        Self { arm, endpoint: endpoint.trim_end_matches('/').to_owned() }
    }

    /// Switches the website on.
    pub async fn serve_website(&self, not_found: Option<&str>) -> Result<(), CloudError> {
        let page = not_found.map(|page| format!("<ErrorDocument404Path>{page}</ErrorDocument404Path>")).unwrap_or_default();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties><StaticWebsite><Enabled>true</Enabled>\
             <IndexDocument>index.html</IndexDocument>{page}</StaticWebsite></StorageServiceProperties>"
        );
        let url = format!("{}/?restype=service&comp=properties", self.endpoint);
        let headers = [("content-type", "application/xml".to_owned())];
        let call = Call::freely(SERVICE, "service.setProperties");
        self.send(call, Method::PUT, &url, &headers, || Ok(Body::from(body.clone()))).await.map(drop)
    }

    /// Makes a private container, unless it is there.
    pub async fn make_container(&self, name: &str) -> Result<(), CloudError> {
        let url = format!("{}/{name}?restype=container", self.endpoint);
        let call = Call::freely(SERVICE, "containers.create");
        match self.send(call, Method::PUT, &url, &[], || Ok(Body::from(""))).await {
            Err(error) if vendor_code(&error) == Some("ContainerAlreadyExists") => Ok(()),
            result => result.map(drop),
        }
    }

    /// Names and digests of blobs whose names begin so.
    pub async fn list(&self, container: &str, prefix: &str) -> Result<Vec<Blob>, CloudError> {
        let (mut found, mut marker) = (Vec::new(), String::new());
        loop {
            let mut url = Url::parse(&format!("{}/{container}", self.endpoint))
                .map_err(|error| CloudError::internal("the address of a storage account", error))?;
            url.query_pairs_mut()
                .append_pair("restype", "container")
                .append_pair("comp", "list")
                .append_pair("include", "metadata");
            url.query_pairs_mut().append_pair("prefix", prefix);
            if !marker.is_empty() {
                url.query_pairs_mut().append_pair("marker", &marker);
            }
            let call = Call::freely(SERVICE, "blobs.list");
            let text = match self.send(call, Method::GET, url.as_str(), &[], || Ok(Body::from(""))).await {
                Ok(text) => text,
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(found),
                Err(error) => return Err(error),
            };
            marker =
                read_list(&text, &mut found).map_err(|error| CloudError::internal("a list of blobs could not be read", error))?;
            if marker.is_empty() {
                return Ok(found);
            }
        }
    }

    /// Stores a file.
    pub async fn put(&self, container: &str, name: &str, object: &SiteObject) -> Result<(), CloudError> {
        let headers = [
            ("content-type", object.content_type.clone()),
            ("x-ms-blob-type", "BlockBlob".to_owned()),
            ("x-ms-blob-cache-control", object.cache_control.to_owned()),
            ("x-ms-meta-sha256", object.digest.clone()),
        ];
        let within = Duration::from_secs(60 + object.size / SLOWEST);
        let call = Call::freely(SERVICE, "blobs.put").within(within);
        let file = object.file.clone();
        self.send(call, Method::PUT, &self.url(container, name), &headers, || read(&file)).await.map(drop)
    }

    /// Stores an empty file.
    pub async fn mark(&self, container: &str, name: &str) -> Result<(), CloudError> {
        let headers = [("x-ms-blob-type", "BlockBlob".to_owned())];
        let call = Call::freely(SERVICE, "blobs.put");
        self.send(call, Method::PUT, &self.url(container, name), &headers, || Ok(Body::from(""))).await.map(drop)
    }

    /// Copies a blob within the account, with its properties.
    pub async fn copy(&self, from: (&str, &str), to: (&str, &str)) -> Result<(), CloudError> {
        let headers = [("x-ms-copy-source", self.url(from.0, from.1))];
        let call = Call::freely(SERVICE, "blobs.copy");
        self.send(call, Method::PUT, &self.url(to.0, to.1), &headers, || Ok(Body::from(""))).await.map(drop)
    }

    /// Removes a blob. One that is not there is no error.
    pub async fn delete(&self, container: &str, name: &str) -> Result<(), CloudError> {
        let call = Call::freely(SERVICE, "blobs.delete");
        match self.send(call, Method::DELETE, &self.url(container, name), &[], || Ok(Body::from(""))).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            result => result.map(drop),
        }
    }

    fn url(&self, container: &str, name: &str) -> String {
        format!("{}/{container}/{}", self.endpoint, utf8_percent_encode(name, ESCAPED))
    }

    async fn send(
        &self,
        call: Call,
        method: Method,
        url: &str,
        headers: &[(&str, String)],
        body: impl Fn() -> Result<Body, CloudError> + Send + Sync,
    ) -> Result<String, CloudError> {
        let (wire, guards): (&Wire, &Arc<Guards>) = (self.arm.wire(), self.arm.guards());
        let attempt = || async {
            let token = self.arm.login().token(STORAGE).await?;
            let mut request =
                wire.client().request(method.clone(), url).bearer_auth(token.expose()).header("x-ms-version", VERSION);
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            if method == Method::PUT {
                request = request.body(body()?);
            }
            let request = request.build().map_err(|error| CloudError::internal("a request to Azure could not be made", error))?;
            let response = wire.send(request).await.map_err(lost)?;
            let status = response.status();
            let code = response.headers().get("x-ms-error-code").and_then(|code| code.to_str().ok()).map(str::to_owned);
            let body = clouds_wire::read(response).await?;
            let text = String::from_utf8_lossy(&body).into_owned();
            if status.is_success() {
                return Ok(text);
            }
            Err(self.refused(status.as_u16(), code))
        };
        // A token that is refused is got anew once: it may have been revoked before its time.
        match guards.call(call, attempt).await {
            Err(error) if error.kind == ErrorKind::SignedOut && vendor_code(&error).is_some() => {
                self.arm.login().forget().await;
                guards.call(call, attempt).await
            }
            result => result,
        }
    }

    /// Blob Storage says its code in a header.
    fn refused(&self, status: u16, code: Option<String>) -> CloudError {
        let code = code.unwrap_or_default();
        let body = serde_json::json!({"error": {"code": code, "message": code}}).to_string();
        let error = refused(status, None, None, body.as_bytes());
        // A role that was just given takes up to some minutes to count.
        if error.kind == ErrorKind::Denied { error.with_retry(Retry::After(self.arm.wire().pace(SPREADING))) } else { error }
    }
}

/// A blob in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub name: String,
    /// SHA-256 of its content, as we wrote it down.
    pub digest: Option<String>,
}

fn read(file: &Path) -> Result<Body, CloudError> {
    std::fs::read(file).map(Body::from).map_err(|error| CloudError::internal("a file of the site could not be read", error))
}

fn vendor_code(error: &CloudError) -> Option<&str> {
    error.context()?.vendor_code.as_deref()
}

/// Reads one page of a list, and returns where the next begins.
fn read_list(text: &str, found: &mut Vec<Blob>) -> Result<String, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let (mut element, mut marker, mut in_blob) = (String::new(), String::new(), false);
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                element = String::from_utf8_lossy(start.name().as_ref()).into_owned();
                in_blob |= element == "Blob";
            }
            Event::End(end) => {
                in_blob &= end.name().as_ref() != b"Blob";
                element.clear();
            }
            Event::Text(value) => {
                let value = value.decode()?.into_owned();
                match element.as_str() {
                    "Name" if in_blob => found.push(Blob { name: value, digest: None }),
                    "sha256" if in_blob => {
                        if let Some(last) = found.last_mut() {
                            last.digest = Some(value);
                        }
                    }
                    "NextMarker" => marker = value,
                    _ => {}
                }
            }
            Event::GeneralRef(entity) if element == "Name" => {
                // `&amp;` and its like come as events of their own.
                if let (Some(last), Ok(Some(character))) = (found.last_mut(), resolved(&entity)) {
                    last.name.push(character);
                }
            }
            Event::Eof => return Ok(marker),
            _ => {}
        }
    }
}

fn resolved(entity: &quick_xml::events::BytesRef<'_>) -> Result<Option<char>, quick_xml::Error> {
    if let Some(character) = entity.resolve_char_ref()? {
        return Ok(Some(character));
    }
    let name = entity.decode()?;
    Ok(match name.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_list_has_names_digests_and_where_the_next_begins() {
        let text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs><Blob><Name>d1/a.html</Name><Properties>\
                    <Content-Type>text/html</Content-Type></Properties><Metadata><sha256>ab</sha256></Metadata></Blob><Blob><Name>d1/b</Name>\
                    </Blob></Blobs><NextMarker>m2</NextMarker></EnumerationResults>";
        let mut found = Vec::new();
        assert_eq!(read_list(text, &mut found).unwrap(), "m2");
        let expected = [("d1/a.html", Some("ab")), ("d1/b", None)];
        let expected = expected.map(|(name, digest)| Blob { name: name.to_owned(), digest: digest.map(str::to_owned) });
        assert_eq!(found, expected);
    }
}
