//! The pages for people who come with a browser: plain HTML without scripts.

use axum::response::{IntoResponse, Response};
use domain::id::SessionId;
use domain::session::{SecurityEvent, SecurityEventKind, Session};
use http::StatusCode;
use maud::{DOCTYPE, Markup, html};
use services::auth::{LinkQuestion, ProviderInfo, SecondFactorState, WaitingDevice};
use services::{InvitationQuestion, ServiceError};

use crate::problem::Problem;

pub(crate) const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:4rem auto;padding:0 1rem}\
    code{background:#8882;padding:.1rem .3rem;border-radius:.2rem}input,button,select{font:inherit;padding:.3rem .6rem;margin:.2rem 0}\
    table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}\
    .problem{border-left:.3rem solid #c33;padding-left:.8rem}.quiet{opacity:.7}form{margin:1rem 0}label{display:block;margin:.6rem 0}\
    .code{font-size:1.6rem;letter-spacing:.15rem}";

/// A page.
pub(crate) fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width";
            title { (title) " - MikroCloud" }
            style { (maud::PreEscaped(STYLE)) }
            h1 { (title) }
            (body)
        }
    }
}

/// The front page.
pub(crate) async fn front() -> Markup {
    let body = html! {
        p { "It runs. Deploy a directory or a repository from a terminal:" }
        p { code { "mikrocloud deploy" } }
        p { "The API is at " a href="/graphql" { "/graphql" } ". Your account is at " a href="/auth/account" { "/auth/account" } "." }
    };
    page("MikroCloud", &body)
}

/// Why something did not happen, above a form that can be sent again; faults of ours as a page of their own.
fn problem(error: Option<&ServiceError>) -> Markup {
    html! { @if let Some(error) = error { p.problem role="alert" { (sentence(&error.to_string())) } } }
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", characters.as_str().trim_end_matches('.').replace('`', "\u{2019}"))
}

/// A page that says what went wrong. Faults of ours are no page, and neither is what is not there.
pub(crate) fn failed(title: &str, error: ServiceError) -> Response {
    if matches!(error, ServiceError::Internal(_) | ServiceError::NotFound(_)) {
        return Problem(error).into_response();
    }
    let body = html! { (problem(Some(&error))) p { a href="/auth/account" { "Go on" } } };
    (StatusCode::UNPROCESSABLE_ENTITY, page(title, &body)).into_response()
}

/// The form to sign in with; `next` is where to go on.
pub(crate) fn sign_in(next: &str, email: &str, providers: &[ProviderInfo], error: Option<&ServiceError>) -> Markup {
    let body = html! {
        (problem(error))
        @for provider in providers {
            p { a href=(provider.start_path(next)) { "Sign in with " (provider.label) } }
        }
        form method="post" action="/auth/sign-in" {
            input type="hidden" name="next" value=(next);
            label { "E-mail address" br; input type="email" name="email" value=(email) required autofocus autocomplete="username"; }
            label { "Password" br; input type="password" name="password" required autocomplete="current-password"; }
            button { "Sign in" }
        }
        p.quiet { "No password, or a forgotten one? Whoever runs this MikroCloud makes a link to set one." }
    };
    page("Sign in", &body)
}

/// The form for a code of a second factor.
pub(crate) fn code(token: &str, next: &str, error: Option<&ServiceError>) -> Markup {
    let body = html! {
        (problem(error))
        form method="post" action="/auth/second-factor" {
            input type="hidden" name="challenge" value=(token);
            input type="hidden" name="next" value=(next);
            label {
                "The code that your authenticator shows, or a recovery code" br;
                input name="code" required autofocus autocomplete="one-time-code";
            }
            button { "Sign in" }
        }
    };
    page("One more step", &body)
}

/// The form of a sign-in link.
pub(crate) fn link(token: &str, error: Option<&ServiceError>) -> Markup {
    let body = html! {
        (problem(error))
        p { "Choose the password you will sign in with from now on." }
        form method="post" action="/auth/link" {
            input type="hidden" name="token" value=(token);
            label {
                "Password (12 characters or more)" br;
                input type="password" name="password" minlength="12" required autofocus autocomplete="new-password";
            }
            button { "Sign in" }
        }
    };
    page("Sign in", &body)
}

/// The form for the code of a command line.
pub(crate) fn device_code(error: Option<&ServiceError>) -> Markup {
    let body = html! {
        (problem(error))
        form method="get" action="/auth/device" {
            label { "The code that your terminal shows" br; input.code name="code" required autofocus autocomplete="off" placeholder="BCDF-GHJK"; }
            button { "Go on" }
        }
    };
    page("Sign a command line in", &body)
}

/// Whether a command line may be signed in.
pub(crate) fn device(device: &WaitingDevice, email: &str, teams: &[(String, String)]) -> Markup {
    let body = html! {
        p { "A command line on " strong { (device.name) } " (" (device.address) ") wants to be signed in as " strong { (email) } "." }
        p { "Its terminal has to show this code: " span.code { (device.user_code) } }
        p.problem { "Go on only if you have just begun this yourself. Somebody who sent you here would act as you." }
        form method="post" action="/auth/device" {
            input type="hidden" name="user_code" value=(device.user_code);
            @if teams.len() > 1 {
                label { "Team" br; select name="team" { @for (id, name) in teams { option value=(id) { (name) } } } }
            }
            button name="decision" value="allow" { "Sign it in" } " "
            button name="decision" value="deny" { "Deny" }
        }
    };
    page("Sign a command line in", &body)
}

/// Whether an account of a provider is linked.
pub(crate) fn link_account(token: &str, question: &LinkQuestion, error: Option<&ServiceError>) -> Markup {
    let LinkQuestion { provider, email, needs_password, needs_code } = question;
    let body = html! {
        (problem(error))
        p { "There is an account of " strong { (email) } " here. If it is yours, link it: from then on " (provider) " signs you in." }
        form method="post" action="/auth/link-account" {
            input type="hidden" name="token" value=(token);
            @if *needs_password {
                label { "Your password here" br; input type="password" name="password" required autofocus autocomplete="current-password"; }
            }
            @if *needs_code {
                label { "The code that your authenticator shows" br; input name="code" required autocomplete="one-time-code"; }
            }
            button { "Link and sign in" }
        }
        p { a href="/auth/sign-in" { "Not now" } }
    };
    page("Link your account", &body)
}

/// Whether to join a team.
pub(crate) fn invitation(token: &str, question: &InvitationQuestion, email: &str) -> Markup {
    let InvitationQuestion { team, role, invited_by } = question;
    let body = html! {
        p { (invited_by) " invites you, " strong { (email) } ", to the team " strong { (team) } " as " strong { (role) } "." }
        form method="post" action="/auth/invitation" {
            input type="hidden" name="token" value=(token);
            button name="reply" value="accept" { "Join" } " "
            button name="reply" value="decline" { "Decline" }
        }
    };
    page("Invitation", &body)
}

/// A page with nothing more to do.
pub(crate) fn done(title: &str, text: &str) -> Markup {
    page(title, &html! { p { (text) } p { a href="/auth/account" { "Your account" } } })
}

/// What the page of an account shows.
pub(crate) struct AccountPage {
    pub email: String,
    pub session: SessionId,
    pub sessions: Vec<Session>,
    pub second_factor: SecondFactorState,
    pub identities: Vec<String>,
    pub events: Vec<SecurityEvent>,
    pub providers: Vec<ProviderInfo>,
}

fn event_text(kind: SecurityEventKind) -> &'static str {
    match kind {
        SecurityEventKind::TokenReused => {
            "A refresh token was used twice, so somebody may have had a copy. That session was ended. Change your password if you do not know why"
        }
        SecurityEventKind::PasswordChanged => "Your password was set, and other sessions were ended",
        SecurityEventKind::SecondFactorEnabled => "A second factor is asked for from now on",
        SecurityEventKind::SecondFactorDisabled => "A second factor is asked for no longer",
        SecurityEventKind::RecoveryCodeUsed => "A recovery code was used to sign in",
        SecurityEventKind::IdentityLinked => "An account of a provider was linked to yours",
        SecurityEventKind::IdentityUnlinked => "An account of a provider was unlinked",
        SecurityEventKind::SignedOutEverywhere => "You were signed out everywhere",
        SecurityEventKind::AttemptsThrottled => "Somebody tried to sign in as you and failed several times in a row",
        SecurityEventKind::DeviceApproved => "A command line was signed in",
    }
}

/// The page of an account.
pub(crate) fn account(account: &AccountPage) -> Markup {
    let time = |at: domain::time::Timestamp| at.format("%Y-%m-%d %H:%M UTC").to_string();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let body = html! {
        p { "Signed in as " strong { (account.email) } "." }
        form method="post" action="/auth/sign-out" { button { "Sign out" } }
        h2 { "Sessions" }
        table {
            tr { th { "Last used" } th { "By" } th { "From" } th { "With" } }
            @for session in &account.sessions {
                tr {
                    td { (time(session.used_at)) @if session.id == account.session { " (this one)" } }
                    td { (text(&session.method)) } td { (text(&session.address)) } td { (text(&session.agent)) }
                }
            }
        }
        form method="post" action="/auth/sign-out-everywhere" {
            button { "Sign out everywhere" } " "
            span.quiet { "Ends all sessions and signs all command lines out; API keys that you made yourself stay." }
        }
        h2 { "Protection" }
        @if account.second_factor.enabled {
            p { "A code is asked for at each sign-in. Recovery codes left: " (account.second_factor.recovery_codes) "." }
        } @else {
            p { "No second factor. Add one with " code { "mikrocloud account second-factor enable" } "." }
        }
        @for provider in &account.providers {
            @if account.identities.contains(&provider.name) {
                p { (provider.label) " signs you in." }
            } @else {
                p { a href=(provider.start_path("/auth/account")) { "Link your account at " (provider.label) } }
            }
        }
        h2 { "What happened" }
        @if account.events.is_empty() { p { "Nothing that you should know of." } }
        table {
            @for event in &account.events {
                tr { td { (time(event.created_at)) } td { (event_text(event.kind)) "." } td.quiet { (text(&event.address)) } }
            }
        }
    };
    page("Your account", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_text_in_a_page() {
        let page = sign_in("/auth/device?code=\"><script>", "<b>@example.org", &[], None).into_string();
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;b&gt;@example.org"), "{page}");
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("address or password is wrong"), "Address or password is wrong.");
        assert_eq!(sentence(""), ".");
    }
}
