//! Settings of the account's blob service, and the list of its containers.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::blobs::http_date;
use super::request::container_key;
use super::xml::{escaped, leaves};
use super::{BlobError, Outcome, Request, containers};
use crate::azure::types::BLOB_CONTAINER;
use crate::http::Answer;

/// Gives or sets the properties of the blob service, of which the static website is simulated.
pub(super) fn properties(request: &mut Request<'_>) -> Outcome {
    match request.call.method {
        Method::GET => {
            request.need("read")?;
            let website = request
                .state
                .azure
                .get(&request.account_key)
                .map(|account| account.hidden["website"].clone())
                .unwrap_or_default();
            Ok(Answer::xml(StatusCode::OK, describe(&website)))
        }
        Method::PUT => {
            request.need("write")?;
            set(request);
            Ok(Answer::empty(StatusCode::ACCEPTED))
        }
        _ => Err(BlobError::unsupported()),
    }
}

fn describe(website: &Value) -> String {
    let text = |name: &str| escaped(website[name].as_str().unwrap_or_default());
    let enabled = website["enabled"] == json!(true);
    let documents = if enabled {
        format!("<IndexDocument>{}</IndexDocument><ErrorDocument404Path>{}</ErrorDocument404Path>", text("index"), text("error"))
    } else {
        String::new()
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties><Cors /><DeleteRetentionPolicy><Enabled>false</Enabled>\
         </DeleteRetentionPolicy><StaticWebsite><Enabled>{enabled}</Enabled>{documents}</StaticWebsite></StorageServiceProperties>"
    )
}

fn set(request: &mut Request<'_>) {
    let given = leaves(&request.call.body);
    if !String::from_utf8_lossy(&request.call.body).contains("StaticWebsite") {
        return;
    }
    // Other settings have elements of the same name, before the website's.
    let website: Vec<_> = given.iter().rev().take_while(|(name, _)| is_of_website(name)).collect();
    let text = |name: &str| website.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str());
    let enabled = text("Enabled").eq_ignore_ascii_case("true");
    let website = json!({"enabled": enabled, "index": text("IndexDocument"), "error": text("ErrorDocument404Path")});
    if let Some(account) = request.state.azure.get_mut(&request.account_key) {
        account.hidden["website"] = website;
    }
    let web = container_key(&request.account_key, "$web");
    if enabled && !request.state.azure.contains(&web) {
        containers::make(request, "$web");
    }
}

fn is_of_website(name: &str) -> bool {
    matches!(name, "Enabled" | "IndexDocument" | "ErrorDocument404Path" | "DefaultIndexDocumentPath")
}

/// Lists the containers of the account.
pub(super) fn containers(request: &mut Request<'_>) -> Outcome {
    request.need("containers/read")?;
    let prefix = request.call.parameter("prefix").unwrap_or_default();
    let collection = container_key(&request.account_key, "");
    let all = request.state.azure.children(&collection).filter(|(_, object)| object.kind == BLOB_CONTAINER.name);
    let names = all.map(|(_, object)| object.text("/name").to_owned()).filter(|name| name.starts_with(prefix));
    let date = http_date(request.state);
    let properties = format!(
        "<Properties><Last-Modified>{date}</Last-Modified><Etag>0x8DE000000000001</Etag><LeaseStatus>unlocked</LeaseStatus>\
         <LeaseState>available</LeaseState></Properties>"
    );
    let listed: Vec<_> =
        names.map(|name| format!("<Container><Name>{}</Name>{properties}</Container>", escaped(&name))).collect();
    Ok(Answer::xml(
        StatusCode::OK,
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://{}/\"><Containers>{}</Containers>\
             <NextMarker /></EnumerationResults>",
            request.call.host,
            listed.concat()
        ),
    ))
}
