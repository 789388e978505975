//! The edge's own short pages: not found, not ready, gateway errors.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::body::EdgeBody;

/// Content of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The status it is sent with.
    pub status: StatusCode,
    /// Description of the problem, for people.
    pub message: String,
    /// After how many seconds it makes sense to ask again.
    pub retry_after: Option<u32>,
}

impl Page {
    /// A page with this status and message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }

    /// Something that is not ready, and why.
    pub fn unavailable(message: impl Into<String>, retry_after: u32) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message: message.into(), retry_after: Some(retry_after) }
    }

    /// The answer: a small HTML page for browsers, plain text for everything else.
    pub fn response(&self, request: &HeaderMap) -> Response<EdgeBody> {
        let html = request.get_all(ACCEPT).iter().any(|value| value.as_bytes().windows(9).any(|part| part == b"text/html"));
        let title = self.status.canonical_reason().unwrap_or("Error");
        let (kind, text) = if html {
            ("text/html; charset=utf-8", self.html(title))
        } else {
            ("text/plain; charset=utf-8", format!("{} {title}\n{}\n", self.status.as_u16(), self.message))
        };
        let mut response = Response::new(EdgeBody::from(Bytes::from(text)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn html(&self, title: &str) -> String {
        let (status, message) = (self.status.as_u16(), escape(&self.message));
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{status} {title}</title><style>body{{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:15vh auto;\
             padding:0 1.5rem;color:#222;background:#fff}}h1{{font-size:1.4rem}}p{{white-space:pre-wrap}}@media \
             (prefers-color-scheme:dark){{body{{color:#ddd;background:#161616}}}}</style><h1>{status} {title}</h1>\
             <p>{message}</p></html>\n"
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_become_markup() {
        let page = Page::new(StatusCode::BAD_GATEWAY, "<script>alert(\"x\")</script>");
        assert!(page.html("Bad Gateway").contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
    }

    #[test]
    fn an_unavailable_page_says_when_to_come_back() {
        let response = Page::unavailable("starting", 3).response(&HeaderMap::new());
        assert_eq!(response.headers()[RETRY_AFTER], "3");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    }
}
