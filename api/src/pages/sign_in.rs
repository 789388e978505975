//! The pages on which people sign in, sign command lines in, link accounts and join teams.

use maud::html;
use services::auth::{LinkQuestion, ProviderInfo, WaitingDevice};
use services::{InvitationQuestion, ServiceError};

use super::{Page, page, problem};

/// The form to sign in with; `next` is where to go on.
pub(crate) fn sign_in(next: &str, email: &str, providers: &[ProviderInfo], error: Option<&ServiceError>) -> Page {
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
    page("Sign in", body)
}

/// The form for a code of a second factor.
pub(crate) fn code(token: &str, next: &str, error: Option<&ServiceError>) -> Page {
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
    page("One more step", body)
}

/// The form of a sign-in link.
pub(crate) fn link(token: &str, error: Option<&ServiceError>) -> Page {
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
    page("Sign in", body)
}

/// The form for the code of a command line.
pub(crate) fn device_code(error: Option<&ServiceError>) -> Page {
    let body = html! {
        (problem(error))
        form method="get" action="/auth/device" {
            label { "The code that your terminal shows" br; input.code name="code" required autofocus autocomplete="off" placeholder="BCDF-GHJK"; }
            button { "Go on" }
        }
    };
    page("Sign a command line in", body)
}

/// Renders the confirmation page for signing in a command line.
pub(crate) fn device(device: &WaitingDevice, email: &str, teams: &[(String, String)]) -> Page {
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
    page("Sign a command line in", body)
}

/// Renders the confirmation page for linking an account of a provider.
pub(crate) fn link_account(token: &str, question: &LinkQuestion, error: Option<&ServiceError>) -> Page {
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
    page("Link your account", body)
}

/// Renders the confirmation page for joining a team.
pub(crate) fn invitation(token: &str, question: &InvitationQuestion, email: &str) -> Page {
    let InvitationQuestion { team, role, invited_by } = question;
    let body = html! {
        p { (invited_by) " invites you, " strong { (email) } ", to the team " strong { (team) } " as " strong { (role) } "." }
        form method="post" action="/auth/invitation" {
            input type="hidden" name="token" value=(token);
            button name="reply" value="accept" { "Join" } " "
            button name="reply" value="decline" { "Decline" }
        }
    };
    page("Invitation", body)
}
