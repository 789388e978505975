//! The pages for people who come with a browser.

use axum::response::{Html, IntoResponse};
use http::StatusCode;
use services::ServiceError;

use crate::problem::Problem;

/// A page in MikroCloud's plain style. Both texts are HTML.
pub(super) fn html_page(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} - MikroCloud</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}\
         code{{background:#8882;padding:.1rem .3rem;border-radius:.2rem}}input,button{{font:inherit;padding:.3rem .6rem}}</style>\
         <h1>{title}</h1>{body}</html>"
    ))
}

/// The front page.
pub async fn page() -> Html<String> {
    html_page(
        "MikroCloud",
        "<p>It runs. Deploy a directory or a repository from a terminal:</p><p><code>mikrocloud deploy</code></p>\
         <p>The API is at <a href=\"/graphql\">/graphql</a>.</p>",
    )
}

/// Everything else.
pub async fn not_found() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, Problem(ServiceError::NotFound("page")))
}
