//! One's own account. The credential of a command line is not enough for it: each command signs in with the password.

use domain::secret::Secret;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};

use crate::arguments::{AccountCommand, AccountOptions, Output, SecondFactorCommand};
use crate::client::api::Api;
use crate::client::credentials::Credentials;
use crate::client::output::{self, moment, text};
use crate::client::sign_in::{Session, ask};
use server::Failure;

const ACCOUNT: &str = "{ me { user { email } account { secondFactor { enabled recoveryCodes } identities { provider email usedAt } \
    sessions { id method address agent createdAt usedAt endsAt current } securityEvents { kind address createdAt seenAt } } } }";

/// Runs a command about one's account.
pub async fn run(options: AccountOptions) -> Result<(), Failure> {
    let credentials = Credentials::load()?;
    let url = credentials.url.clone();
    let email = match options.email {
        Some(email) => email,
        None => text(&Api::with(credentials)?.run("{ me { user { email } } }", json!({})).await?["me"]["user"]["email"]),
    };
    let password = ask(&format!("Password of {email}"))?;
    let session = Session::begin(&url, &email, &password).await?;
    let done = command(&session.api, options.command.unwrap_or(AccountCommand::Show), &password, options.output).await;
    session.end().await;
    done
}

async fn command(api: &Api, command: AccountCommand, password: &Secret, output: Output) -> Result<(), Failure> {
    let password = password.expose();
    match command {
        AccountCommand::Show => show(api, output).await,
        AccountCommand::Password => {
            let new = ask("New password")?;
            let input = json!({"password": password, "newPassword": new.expose()});
            api.mutate("changePassword", "ChangePasswordInput", input, "done").await?;
            output::say(&json!({"changed": true}), "The password is changed. All other sessions are ended.", output);
            Ok(())
        }
        AccountCommand::SecondFactor { command } => second_factor(api, command, password, output).await,
        AccountCommand::RevokeSession { session } => {
            api.mutate("revokeSession", "RevokeSessionInput", json!({"sessionId": session}), "done").await?;
            output::say(&json!({"revoked": session}), "The session is ended.", output);
            Ok(())
        }
        AccountCommand::Unlink { provider } => {
            let input = json!({"provider": provider, "password": password});
            api.mutate("unlinkIdentity", "UnlinkIdentityInput", input, "done").await?;
            output::say(&json!({"unlinked": provider}), &format!("{provider} signs you in no longer."), output);
            Ok(())
        }
        AccountCommand::SignOutEverywhere => {
            let query = "mutation { signOutEverywhere { done userErrors { message code } } }";
            api.change(query, "signOutEverywhere", Value::Null).await?;
            if Credentials::stored()?.is_some_and(|stored| stored.login) {
                Credentials::forget()?;
            }
            output::say(&json!({"signedOut": true}), "All sessions are ended, and all command lines are signed out.", output);
            Ok(())
        }
    }
}

async fn second_factor(api: &Api, command: SecondFactorCommand, password: &str, output: Output) -> Result<(), Failure> {
    match command {
        SecondFactorCommand::Enable => {
            let input = json!({"password": password});
            let begun = api.mutate("beginSecondFactor", "BeginSecondFactorInput", input, "secret address").await?;
            // What has to be seen before the code is typed in does not belong to the outcome.
            if let Ok(code) = QrCode::new(text(&begun["address"])) {
                eprintln!("{}", code.render::<Dense1x2>().build());
            }
            eprintln!("Scan this with your authenticator, or type in its secret: {}", text(&begun["secret"]));
            let input = json!({"code": ask("Code that it shows")?.expose()});
            let confirmed = api.mutate("confirmSecondFactor", "SecondFactorCodeInput", input, "codes").await?;
            recovery_codes(&confirmed["codes"], "A code is asked for at each sign-in from now on.", output);
        }
        SecondFactorCommand::Disable => {
            let input = json!({"code": ask("Another code of your authenticator, or a recovery code")?.expose()});
            api.mutate("disableSecondFactor", "SecondFactorCodeInput", input, "done").await?;
            output::say(&json!({"enabled": false}), "Codes are asked for no longer.", output);
        }
        SecondFactorCommand::RecoveryCodes => {
            let input = json!({"code": ask("Another code of your authenticator, or a recovery code")?.expose()});
            let renewed = api.mutate("renewRecoveryCodes", "SecondFactorCodeInput", input, "codes").await?;
            recovery_codes(&renewed["codes"], "The recovery codes of before are no longer good.", output);
        }
    }
    Ok(())
}

fn recovery_codes(codes: &Value, said: &str, output: Output) {
    if output.json {
        output::json(&json!({"enabled": true, "recoveryCodes": codes}));
        return;
    }
    println!("{said}\nKeep these recovery codes; each signs you in once when you lose the authenticator:");
    for code in codes.as_array().into_iter().flatten() {
        println!("  {}", text(code));
    }
}

async fn show(api: &Api, output: Output) -> Result<(), Failure> {
    let account = api.run(ACCOUNT, json!({})).await?["me"]["account"].take();
    if output.json {
        output::json(&account);
        return Ok(());
    }
    let factor = &account["secondFactor"];
    match factor["enabled"].as_bool() {
        Some(true) => println!("Second factor: asked for. Recovery codes left: {}", factor["recoveryCodes"]),
        _ => println!("Second factor: none (`mikrocloud account second-factor enable`)"),
    }
    let list = |key: &str| account[key].as_array().cloned().unwrap_or_default();
    for identity in list("identities") {
        println!("Signs you in, too: {} ({})", text(&identity["provider"]), text(&identity["email"]));
    }
    println!();
    let sessions = list("sessions").into_iter().map(|session| {
        let this = if session["current"] == true { "this one" } else { "" };
        let shown = ["method", "address", "agent"].map(|key| text(&session[key]));
        [
            vec![text(&session["id"]), moment(&session["usedAt"]), moment(&session["endsAt"])],
            shown.to_vec(),
            vec![this.to_owned()],
        ]
        .concat()
    });
    output::table(&["SESSION", "LAST USED", "ENDS", "BY", "FROM", "WITH", ""], sessions.collect(), "No sessions.");
    println!();
    let events = list("securityEvents").into_iter().map(|event| {
        let kind = text(&event["kind"]).to_lowercase().replace('_', " ");
        vec![moment(&event["createdAt"]), kind, text(&event["address"])]
    });
    output::table(&["WHEN", "WHAT", "FROM"], events.collect(), "Nothing happened that you should know of.");
    Ok(())
}
