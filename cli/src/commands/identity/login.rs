//! Signing in and out.

use domain::secret::Secret;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::teams;
use crate::arguments::{LoginOptions, Output};
use crate::client::api::Api;
use crate::client::credentials::Credentials;
use crate::client::output::{self, Progress};
use crate::client::sign_in::{self, Session, Waiting};
use server::Failure;

const ME: &str = "{ me { user { id email name } team { id name } role permissions } }";

/// Signs in through a browser, with address and password, or with an API key.
pub async fn login(options: LoginOptions) -> Result<(), Failure> {
    if options.link {
        return link(options).await;
    }
    let url = options.url.trim_end_matches('/');
    let credentials = match (options.token, options.email) {
        (Some(token), _) => Credentials::new(url, Secret::new(token)),
        (None, Some(email)) => {
            Credentials { login: true, ..Credentials::new(url, by_password(url, &email, options.team.as_deref()).await?) }
        }
        (None, None) => Credentials { login: true, ..Credentials::new(url, by_browser(url, options.output).await?) },
    };
    let me = Api::with(credentials.clone())?.run(ME, json!({})).await?;
    credentials.save()?;
    show(&me["me"], &credentials.url, options.output);
    Ok(())
}

async fn by_browser(url: &str, output: Output) -> Result<Secret, Failure> {
    let api = sign_in::stranger(url)?;
    let waiting = Waiting::begin(&api).await?;
    sign_in::say_where(&waiting);
    let progress = Progress::new(output.json);
    let key = waiting.decided(&api, &progress).await;
    progress.finish();
    key
}

/// A key for this command line, which somebody lets in by their password.
async fn by_password(url: &str, email: &str, team: Option<&str>) -> Result<Secret, Failure> {
    let session = Session::begin(url, email, &sign_in::ask("Password")?).await?;
    let key = let_in(&session, url, team).await;
    session.end().await;
    key
}

async fn let_in(session: &Session, url: &str, team: Option<&str>) -> Result<Secret, Failure> {
    let team = match team {
        Some(team) => Some(teams::find(&session.api, team).await?),
        None => None,
    };
    let api = sign_in::stranger(url)?;
    let waiting = Waiting::begin(&api).await?;
    session.allow(&waiting, team.as_deref()).await?;
    waiting.decided(&api, &Progress::new(true)).await
}

/// Forgets the credential. The key of a command line that signed in is revoked; others may be in use elsewhere.
pub async fn logout(output: Output) -> Result<(), Failure> {
    let mut said = "Signed out: the credential of this machine user is removed.".to_owned();
    if let Some(credentials) = Credentials::stored()?.filter(|stored| stored.login) {
        let revoked = Api::with(credentials)?.post("/auth/sign-out", &json!({})).await;
        if !matches!(revoked, Ok((status, _)) if status.is_success() || status == StatusCode::UNAUTHORIZED) {
            said.push_str(" The server could not be told: revoke its key with `mikrocloud keys revoke` once it is there.");
        }
    }
    Credentials::forget()?;
    if output.json {
        output::json(&json!({"signedIn": false}));
    } else {
        println!("{said}");
    }
    Ok(())
}

/// Shows who is signed in, and where.
pub async fn whoami(output: Output) -> Result<(), Failure> {
    let api = Api::signed_in()?;
    let me = api.run(ME, json!({})).await?;
    show(&me["me"], &api.url(""), output);
    Ok(())
}

fn show(me: &Value, url: &str, output: Output) {
    if output.json {
        output::json(
            &json!({"url": url, "user": me["user"], "team": me["team"], "role": me["role"], "permissions": me["permissions"]}),
        );
    } else {
        let text = |value: &Value| output::text(value);
        println!(
            "{} <{}>, {} of {} at {url}",
            text(&me["user"]["name"]),
            text(&me["user"]["email"]),
            if me["role"].is_null() { "member".to_owned() } else { text(&me["role"]).to_lowercase() },
            text(&me["team"]["name"])
        );
    }
}

async fn link(options: LoginOptions) -> Result<(), Failure> {
    let token = server::owner_link(options.database_url.as_ref(), options.data.directory).await?;
    let link = format!("{}/auth/link?token={}", options.url.trim_end_matches('/'), token.expose());
    if options.output.json {
        output::json(&json!({"link": link}));
    } else {
        println!("{link}");
    }
    Ok(())
}
