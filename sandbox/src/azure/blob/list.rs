//! Lists of blobs.

use http::StatusCode;

use super::xml::escaped;
use super::{BLOB, Outcome, Request};
use crate::http::Answer;
use crate::world::Object;

/// Most entries of one page.
const PAGE: usize = 5000;

/// An entry of a list.
enum Entry<'a> {
    Blob(&'a str, &'a Object),
    Folder(String),
}

/// Lists the blobs of a container.
pub(super) fn blobs(request: &mut Request<'_>) -> Outcome {
    request.need("containers/blobs/read")?;
    request.need_container()?;
    let parameter = |name: &str| request.call.parameter(name).unwrap_or_default();
    let most = parameter("maxresults").parse().ok().filter(|most| *most > 0).unwrap_or(PAGE).min(PAGE);
    let (entries, next) = page(request, parameter("prefix"), parameter("delimiter"), parameter("marker"), most);
    let with_metadata = parameter("include").split(',').any(|part| part == "metadata");
    let listed: Vec<_> = entries.iter().map(|entry| written(entry, with_metadata)).collect();
    let marker = next.map_or_else(|| "<NextMarker />".to_owned(), |next| format!("<NextMarker>{}</NextMarker>", escaped(&next)));
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://{}/\" ContainerName=\"{}\"><Prefix>{}</Prefix>\
         <MaxResults>{most}</MaxResults><Blobs>{}</Blobs>{marker}</EnumerationResults>",
        request.call.host,
        escaped(&request.container),
        escaped(parameter("prefix")),
        listed.concat()
    );
    Ok(Answer::xml(StatusCode::OK, text))
}

fn page<'r>(
    request: &'r Request<'_>,
    prefix: &str,
    delimiter: &str,
    after: &str,
    most: usize,
) -> (Vec<Entry<'r>>, Option<String>) {
    let start = format!("{}/blobs/", request.container_key());
    let (mut entries, mut last) = (Vec::new(), String::new());
    for (key, object) in request.state.azure.below(&format!("{start}{prefix}")).filter(|(_, object)| object.kind == BLOB) {
        let name = &key[start.len()..];
        let cut = name[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty());
        let folder = cut.map(|at| &name[..prefix.len() + at + delimiter.len()]);
        if (!after.is_empty() && name <= after) || folder.is_some_and(|folder| last.starts_with(folder)) {
            continue;
        }
        if entries.len() == most {
            return (entries, Some(last));
        }
        entries.push(folder.map_or(Entry::Blob(name, object), |folder| Entry::Folder(folder.to_owned())));
        // Everything in a folder comes before what follows it.
        last = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}\u{10ffff}"));
    }
    (entries, None)
}

fn written(entry: &Entry<'_>, with_metadata: bool) -> String {
    let (name, object) = match entry {
        Entry::Folder(name) => return format!("<BlobPrefix><Name>{}</Name></BlobPrefix>", escaped(name)),
        Entry::Blob(name, object) => (escaped(name), object),
    };
    let text = |field: &str| escaped(object.text(&format!("/properties/{field}")));
    let metadata = object.body["metadata"].as_object().filter(|_| with_metadata).into_iter().flatten();
    let metadata: Vec<_> =
        metadata.map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value.as_str().unwrap_or_default()))).collect();
    let metadata = if with_metadata { format!("<Metadata>{}</Metadata>", metadata.concat()) } else { String::new() };
    format!(
        "<Blob><Name>{name}</Name><Properties><Last-Modified>{}</Last-Modified><Etag>{}</Etag><Content-Length>{}</Content-Length>\
         <Content-Type>{}</Content-Type><Content-Encoding>{}</Content-Encoding><Content-Language>{}</Content-Language><Content-MD5>{}\
         </Content-MD5><Cache-Control>{}</Cache-Control><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>\
         <LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>{metadata}\
         </Blob>",
        text("lastModified"),
        text("etag").replace("&quot;", ""),
        object.body["properties"]["length"],
        text("contentType"),
        text("contentEncoding"),
        text("contentLanguage"),
        text("md5"),
        text("cacheControl")
    )
}
