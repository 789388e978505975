//! The page of an account.

use domain::id::SessionId;
use domain::session::{SecurityEvent, SecurityEventKind, Session};
use maud::html;
use services::auth::{ProviderInfo, SecondFactorState};

use super::{Page, page, time};

/// Content of an account's page.
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
pub(crate) fn account(account: &AccountPage) -> Page {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let body = html! {
        p { "Signed in as " strong { (account.email) } "." }
        form method="post" action="/auth/sign-out" { button { "Sign out" } }
        h2 { "Sessions" }
        table {
            tr { th { "Last used" } th { "By" } th { "From" } th { "With" } }
            @for session in &account.sessions {
                tr {
                    td {
                        (time(session.used_at))
                        @if session.id == account.session { " (this one)" }
                        @if let Some(at) = session.ends_at { ", until " (time(at)) }
                    }
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
    page("Your account", body)
}
