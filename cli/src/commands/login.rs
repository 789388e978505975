//! Signing in and out.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use domain::secret::Secret;
use serde_json::{Value, json};

use crate::arguments::{LoginOptions, Output};
use crate::client::api::Api;
use crate::client::credentials::Credentials;
use crate::client::output;
use crate::failure::Failure;
use crate::server::{DATABASE, default_directory};

const ME: &str = "{ me { user { id email name } team { id name } role permissions } }";

/// Signs in with an API key, or with address and password, for which a key of this machine's own is made.
pub async fn login(options: LoginOptions) -> Result<(), Failure> {
    if options.link {
        return link(options).await;
    }
    let token = match (options.token, options.email) {
        (Some(token), _) => Secret::new(token),
        (None, Some(email)) => key_for_password(&options.url, &email).await?,
        (None, None) => {
            return Err(Failure::usage(
                "say who you are with --email ADDRESS, or give an API key with --token or MIKROCLOUD_TOKEN",
            ));
        }
    };
    let credentials = Credentials { url: options.url, token, data: None };
    let me = Api::with(credentials.clone())?.run(ME, json!({})).await?;
    credentials.save()?;
    show(&me["me"], &credentials.url, options.output);
    Ok(())
}

/// Forgets the credential. A key that this command line made is left to `revokeApiKey`: other copies of it may be in use.
pub fn logout(output: Output) -> Result<(), Failure> {
    Credentials::forget()?;
    if output.json {
        output::json(&json!({"signedIn": false}));
    } else {
        println!("Signed out: the credential of this machine user is removed.");
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

async fn key_for_password(url: &str, email: &str) -> Result<Secret, Failure> {
    let password = if std::io::stdin().is_terminal() {
        rpassword::prompt_password("Password: ").map_err(anyhow::Error::from)?
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(anyhow::Error::from)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    let api = Api::with(Credentials { url: url.to_owned(), token: Secret::new(""), data: None })?;
    let access = api.sign_in(email, &password).await?;
    let api = Api::with(Credentials { url: url.to_owned(), token: access, data: None })?;
    let query = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message code } } }";
    let made = api.change(query, "createApiKey", json!({"name": format!("mikrocloud login of {email}")})).await?;
    Ok(Secret::new(output::text(&made["secret"])))
}

/// The database of the embedded form.
async fn embedded_store(directory: Option<PathBuf>) -> Result<store::Store, Failure> {
    let directory = directory.map_or_else(default_directory, Ok)?;
    let path = directory.join(DATABASE);
    if !path.exists() {
        return Err(Failure::failed(
            "DATABASE",
            format!("there is no MikroCloud in {}: say where its state is with --data DIR", directory.display()),
        ));
    }
    Ok(store::Store::sqlite(&path).await.map_err(anyhow::Error::from)?)
}

async fn link(options: LoginOptions) -> Result<(), Failure> {
    let store = match &options.database_url {
        Some(url) => store::Store::postgres(url.expose(), 1).await.map_err(anyhow::Error::from)?,
        None => embedded_store(options.data.directory).await?,
    };
    let token = services::owner_link(&store).await.map_err(anyhow::Error::from)?;
    store.close().await;
    let token = token.ok_or_else(|| {
        Failure::failed(
            "NOT_SET_UP",
            "this MikroCloud has no owner yet: start it once with `mikrocloud up`, or run `mikrocloud migrate`",
        )
    })?;
    let link = format!("{}/auth/link?token={}", options.url.trim_end_matches('/'), token.expose());
    if options.output.json {
        output::json(&json!({"link": link}));
    } else {
        println!("{link}");
    }
    Ok(())
}
