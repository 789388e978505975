//! Answers of AWS's APIs.

use std::time::Duration;

use bytes::Bytes;
use clouds_contract::{CloudError, ErrorContext, ErrorKind, Retry};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use crate::classify::{Refusal, classify};
use crate::policy::remedy;
use crate::xml::Element;

/// Longest part of AWS's own words in a message.
const LONGEST: usize = 600;

/// An answer of success.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Entity tag, as a change has to name it; empty where there is none.
    pub etag: String,
    pub body: Bytes,
}

impl Answer {
    /// The body as XML.
    pub fn xml(&self) -> Result<Element, CloudError> {
        Element::parse(&self.body).ok_or_else(|| unclear("the answer is no XML"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, CloudError> {
        serde_json::from_slice(&self.body).map_err(unclear)
    }
}

/// The error of an answer that is none of success.
pub(crate) fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> CloudError {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // What has no body at all is no page.
    let is_html = !body.is_empty() && text(header::CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("text/html"));
    let retry_after = text(header::RETRY_AFTER.as_str()).and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let (code, said) = told_by(headers, body);
    let refusal = Refusal { status: status.as_u16(), code: &code, is_html, retry_after };
    let context = ErrorContext {
        status: Some(status.as_u16()),
        vendor_code: Some(code.clone()).filter(|code| !code.is_empty()),
        request_id: text("x-amz-request-id").or_else(|| text("x-amzn-requestid")).map(str::to_owned),
        ..ErrorContext::default()
    };
    told(refusal, &said).of_call(context)
}

/// Code and message of an error: XML of three shapes, or JSON with the code in a header.
fn told_by(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    if let Some(document) = Element::parse(body) {
        // EC2 has a list of errors.
        let error = document.at("Error").or_else(|| document.at("Errors/Error")).unwrap_or(&document);
        return (error.text_at("Code").to_owned(), error.text_at("Message").to_owned());
    }
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()).or_else(|| document["__type"].as_str());
    // Such as `com.amazonaws#ConflictException:http://..`.
    let code = code.unwrap_or_default().split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let said = document["Message"].as_str().or_else(|| document["message"].as_str()).unwrap_or_default();
    (code.to_owned(), said.to_owned())
}

/// An answer that did not come, or not whole.
pub(crate) fn lost(error: reqwest::Error) -> CloudError {
    let error = error.without_url();
    if error.is_connect() {
        let message = "AWS cannot be reached: the connection fails";
        return CloudError::new(ErrorKind::Unavailable, "CLOUD_UNAVAILABLE", message).caused_by(error);
    }
    unclear(error)
}

/// An answer that says nothing: what was asked may be done.
pub(crate) fn unclear(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CloudError {
    CloudError::new(ErrorKind::Ambiguous, "CLOUD_UNCLEAR", "the answer of AWS got lost").caused_by(cause)
}

/// The vendor's code of an error.
pub(crate) fn code(error: &CloudError) -> &str {
    error.context().and_then(|context| context.vendor_code.as_deref()).unwrap_or_default()
}

fn told(refusal: Refusal<'_>, said: &str) -> CloudError {
    let (kind, retry) = classify(refusal);
    let said: String = said.chars().take(LONGEST).collect();
    let (code, message) = match kind {
        ErrorKind::SignedOut => (
            "SIGNED_OUT",
            "AWS no longer accepts the account's access key: `mikrocloud clouds update` gives it another".to_owned(),
        ),
        ErrorKind::Denied => match action(&said) {
            Some(action) => ("PERMISSION_MISSING", format!("the account lacks the permission {action}: {}", remedy(action))),
            None => ("PERMISSION_MISSING", format!("AWS does not allow it: {said}")),
        },
        ErrorKind::Throttled => ("THROTTLED", "AWS takes no more requests of this account for now".to_owned()),
        ErrorKind::Exhausted => ("QUOTA", format!("a quota of the AWS account is used up ({}): {said}", refusal.code)),
        ErrorKind::Conflict => ("CONFLICT", format!("it exists already, or somebody else changed it meanwhile: {said}")),
        ErrorKind::Busy => ("BUSY", format!("it is still in use: {said}")),
        ErrorKind::Unavailable => ("CLOUD_UNAVAILABLE", format!("AWS does not answer as it should (status {})", refusal.status)),
        ErrorKind::TimedOut => ("CLOUD_TIMED_OUT", "AWS took too long to answer".to_owned()),
        ErrorKind::Unsupported => ("UNSUPPORTED", format!("AWS does not know the request (status {})", refusal.status)),
        ErrorKind::NotFound => ("NOT_FOUND", if said.is_empty() { "it does not exist".to_owned() } else { said }),
        _ => ("REFUSED", format!("AWS refused it ({}): {said}", refusal.code)),
    };
    CloudError::new(kind, code, message).with_retry(retry)
}

/// The action in a text such as `User: .. is not authorized to perform: s3:CreateBucket on resource: ..`.
fn action(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("not authorized to perform: ")?;
    let name = rest.split_whitespace().next()?;
    let is_name = name.contains(':') && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-'));
    is_name.then_some(name)
}

/// `None` for what does not exist.
pub(crate) fn found<T>(result: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// An error after which the work is done again, because somebody else changed the thing meanwhile.
pub(crate) fn is_overtaken(error: &CloudError) -> bool {
    matches!(error.retry, Retry::Reread | Retry::Look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_all_shapes_are_read() {
        let s3 = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>no</Message></Error>";
        let error = refused(StatusCode::NOT_FOUND, &HeaderMap::new(), s3.as_bytes());
        assert_eq!((error.kind, code(&error)), (ErrorKind::NotFound, "NoSuchBucket"));
        let other = "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>FunctionInUse</Code></Error></ErrorResponse>";
        let error = refused(StatusCode::CONFLICT, &HeaderMap::new(), other.as_bytes());
        assert_eq!((error.kind, code(&error)), (ErrorKind::Busy, "FunctionInUse"));
        let headers =
            HeaderMap::from_iter([("x-amzn-errortype".parse().unwrap(), "a.b#ConflictException:http://x".parse().unwrap())]);
        let error = refused(StatusCode::CONFLICT, &headers, b"{\"Message\": \"tag\"}");
        assert_eq!((error.kind, error.retry, code(&error)), (ErrorKind::Conflict, Retry::Reread, "ConflictException"));
    }

    #[test]
    fn a_missing_permission_is_named_with_the_remedy() {
        let body = "<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized to perform: s3:CreateBucket on \
                    resource: y</Message></Error>";
        let error = refused(StatusCode::FORBIDDEN, &HeaderMap::new(), body.as_bytes());
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(error.message.contains("s3:CreateBucket") && error.message.contains("clouds policy aws"), "{error}");
    }

    #[test]
    fn a_page_says_nothing_about_the_thing() {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "text/html; charset=utf-8".parse().unwrap())]);
        let error = refused(StatusCode::NOT_FOUND, &headers, b"<!doctype html>\n<html lang=en>\n<title>404</title>");
        assert_eq!(error.kind, ErrorKind::Unsupported);
    }
}
