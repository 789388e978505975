//! The pages for people who come with a browser: plain HTML without scripts.

mod account;
pub(crate) mod notifications;
mod sign_in;

use axum::response::{IntoResponse, Response};
use domain::time::Timestamp;
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use services::ServiceError;

pub(crate) use self::account::{AccountPage, account};
pub(crate) use self::sign_in::{code, device, device_code, invitation, link, link_account, sign_in};
use crate::problem::Problem;
use crate::security_headers::{Nonce, with_policy};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:4rem auto;padding:0 1rem}\
    code,pre{background:#8882;padding:.1rem .3rem;border-radius:.2rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}\
    input,button,select{font:inherit;padding:.3rem .6rem;margin:.2rem 0}\
    table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}th,button{white-space:nowrap}\
    .text{overflow-wrap:anywhere}.problem{border-left:.3rem solid #c33;padding-left:.8rem}.quiet{opacity:.7}form{margin:1rem 0}td form{margin:0}\
    label{display:block;margin:.6rem 0}nav{margin:1rem 0}nav>*{margin-right:.8rem}.code{font-size:1.6rem;letter-spacing:.15rem}";

/// Refresh interval of a page whose content is about to change, in seconds.
const LOOK_AGAIN: u32 = 3;

/// A page. Each time that it is sent its style is under another nonce, and nothing else is taken for a style or a script of it.
pub(crate) struct Page {
    title: String,
    body: Markup,
    looks_again: bool,
}

/// A page with this title.
pub(crate) fn page(title: impl Into<String>, body: Markup) -> Page {
    Page { title: title.into(), body, looks_again: false }
}

impl Page {
    /// Lets the page look again after some seconds, where something that it shows is about to change.
    fn looking_again(self, looks_again: bool) -> Self {
        Self { looks_again, ..self }
    }

    fn html(&self, nonce: &Nonce) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                @if self.looks_again { meta http-equiv="refresh" content=(LOOK_AGAIN); }
                title { (self.title) " - MikroCloud" }
                style nonce=(nonce.text()) { (maud::PreEscaped(STYLE)) }
                h1 { (self.title) }
                (self.body)
            }
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let nonce = Nonce::new();
        let html = self.html(&nonce);
        with_policy(&format!("style-src {}; form-action 'self'", nonce.source()), html)
    }
}

/// The front page of a binary without the dashboard.
pub(crate) fn front() -> Page {
    let body = html! {
        p { "It runs. Deploy a directory or a repository from a terminal:" }
        p { code { "mikrocloud deploy" } }
        p {
            "The API is at " a href="/graphql" { "/graphql" } ". Your account is at " a href="/auth/account" { "/auth/account" }
            ", and what your teams were told of is at " a href="/notifications" { "/notifications" } "."
        }
        p.quiet { "This binary was built without the dashboard: building it takes Node.js 20 and npm (`make up`)." }
    };
    page("MikroCloud", body)
}

/// Renders the reason for a failure above a form that can be sent again. Internal errors get a page of their own.
fn problem(error: Option<&ServiceError>) -> Markup {
    html! { @if let Some(error) = error { p.problem role="alert" { (sentence(&error.to_string())) } } }
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", characters.as_str().trim_end_matches('.').replace('`', "\u{2019}"))
}

/// A moment.
fn time(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A page that says what went wrong. Faults of ours are no page.
pub(crate) fn failed(title: &str, error: ServiceError) -> Response {
    let status = match error {
        ServiceError::Internal(_) => return Problem(error).into_response(),
        ServiceError::NotFound(_) => StatusCode::NOT_FOUND,
        ServiceError::Forbidden(_) | ServiceError::Denied(_) => StatusCode::FORBIDDEN,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let body = html! { (problem(Some(&error))) p { a href="/auth/account" { "Go on" } } };
    (status, page(title, body)).into_response()
}

/// A page with nothing more to do.
pub(crate) fn done(title: &str, text: &str) -> Page {
    page(title, html! { p { (text) } p { a href="/auth/account" { "Your account" } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_text_in_a_page() {
        let page = sign_in("/auth/device?code=\"><script>", "<b>@example.org", &[], None).html(&Nonce::new()).into_string();
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;b&gt;@example.org"), "{page}");
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("address or password is wrong"), "Address or password is wrong.");
        assert_eq!(sentence(""), ".");
    }
}
