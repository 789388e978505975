//! Signing in: a session with a password, or the key of a command line that a browser lets in.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use domain::secret::Secret;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api::Api;
use super::credentials::Credentials;
use super::output::{Progress, text};
use server::Failure;

/// A session that a command is done with when it ends.
pub struct Session {
    /// The server, as this session.
    pub api: Api,
    refresh_token: Secret,
}

/// A command line that waits to be let in.
pub struct Waiting {
    /// Code that the user types in.
    pub user_code: String,
    /// Address of the page to open.
    pub page: String,
    /// Address of the page, with the code.
    pub page_with_code: String,
    device_code: Secret,
    expires: Instant,
}

/// Asks for something that must not be seen; a line of standard input where there is no terminal.
pub fn ask(prompt: &str) -> Result<Secret, Failure> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{prompt}: "))
            .map(Secret::new)
            .map_err(|error| anyhow::Error::from(error).into());
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(anyhow::Error::from)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

/// A server that nobody is signed in to.
pub fn stranger(url: &str) -> Result<Api, Failure> {
    Api::with(Credentials::new(url, Secret::new("")))
}

fn refused(answer: &Value) -> Failure {
    Failure::not_signed_in(answer["detail"].as_str().unwrap_or("the server did not sign you in").to_owned())
}

impl Session {
    /// Signs in with a password, and a code where one is asked for.
    pub async fn begin(url: &str, email: &str, password: &Secret) -> Result<Self, Failure> {
        let api = stranger(url)?;
        let (_, mut answer) = api.post("/auth/sign-in", &json!({"email": email, "password": password.expose()})).await?;
        if answer["reason"] == "SECOND_FACTOR_NEEDED" {
            let code = ask("Code of your authenticator, or a recovery code")?;
            let body = json!({"challenge": answer["challenge"], "code": code.expose()});
            answer = api.post("/auth/second-factor", &body).await?.1;
        }
        let (Some(access), Some(refresh)) = (answer["access_token"].as_str(), answer["refresh_token"].as_str()) else {
            return Err(refused(&answer));
        };
        Ok(Self { api: Api::with(Credentials::new(url, Secret::new(access)))?, refresh_token: Secret::new(refresh) })
    }

    /// Ends it. That it cannot be ended is no failure of what was done in it.
    pub async fn end(self) {
        let _ = self.api.post("/auth/sign-out", &json!({"refresh_token": self.refresh_token.expose()})).await;
    }

    /// Lets a command line in, in a team or in the first that there is.
    pub async fn allow(&self, waiting: &Waiting, team: Option<&str>) -> Result<(), Failure> {
        let body = json!({"user_code": waiting.user_code, "decision": "allow", "team": team});
        let (status, answer) = self.api.post("/auth/device", &body).await?;
        if status.is_success() { Ok(()) } else { Err(refused(&answer)) }
    }
}

impl Waiting {
    /// Begins to wait.
    pub async fn begin(api: &Api) -> Result<Self, Failure> {
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (status, answer) = api.post("/auth/device/code", &json!({"name": name})).await?;
        if status != StatusCode::OK {
            return Err(refused(&answer));
        }
        let lifetime = Duration::from_secs(answer["expires_in"].as_u64().unwrap_or(900));
        Ok(Self {
            user_code: text(&answer["user_code"]),
            page: text(&answer["verification_uri"]),
            page_with_code: text(&answer["verification_uri_complete"]),
            device_code: Secret::new(text(&answer["device_code"])),
            expires: Instant::now() + lifetime,
        })
    }

    /// Waits until somebody decides: the key of this command line.
    pub async fn decided(self, api: &Api, progress: &Progress) -> Result<Secret, Failure> {
        progress.status("waiting for you to sign in there");
        let body = json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": self.device_code.expose(),
        });
        let mut pause = Duration::from_secs(2);
        while Instant::now() < self.expires {
            // A server that is restarted meanwhile still knows this code.
            if let Ok((_, answer)) = api.post("/auth/token", &body).await {
                match (answer["access_token"].as_str(), answer["error"].as_str()) {
                    (Some(key), _) => return Ok(Secret::new(key)),
                    (None, Some("slow_down")) => pause += Duration::from_secs(1),
                    (None, Some("access_denied")) => return Err(Failure::not_signed_in("this was denied in the browser")),
                    (None, Some("expired_token")) => break,
                    _ => {}
                }
            }
            sleep(pause).await;
        }
        Err(Failure::not_signed_in("the code has expired: begin again with `mikrocloud login`"))
    }
}

/// Says where to go, above the progress.
pub fn say_where(waiting: &Waiting) {
    let mut err = std::io::stderr();
    let _ = writeln!(err, "Open {}\nand check that it shows this code: {}", waiting.page_with_code, waiting.user_code);
    let _ = writeln!(err, "(On another device: {} asks for the code.)", waiting.page);
}
