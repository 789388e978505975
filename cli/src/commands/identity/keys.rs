//! API keys.

use serde_json::json;

use super::members;
use crate::arguments::{KeysCommand, KeysOptions, Output};
use crate::client::api::Api;
use crate::client::output::{self, moment, text};
use server::Failure;

const KEY: &str = "id userId name prefix scopes expiresAt revokedAt createdAt";

/// Lists, makes and revokes keys.
pub async fn run(options: KeysOptions) -> Result<(), Failure> {
    let command = options.command.unwrap_or(KeysCommand::List);
    if let KeysCommand::Rotate(rotation) = command {
        return server::rotate_keys(*rotation, options.output.json).await;
    }
    let api = Api::signed_in()?;
    match command {
        KeysCommand::List | KeysCommand::Rotate(_) => list(&api, options.output).await,
        KeysCommand::Create { name, scopes, service_account, expires_in_days } => {
            let account = match service_account {
                Some(account) => Some(members::find(&api, &account).await?),
                None => None,
            };
            let input = json!({"name": name, "scopes": scopes, "serviceAccountId": account, "expiresInDays": expires_in_days});
            let payload = api.mutate("createApiKey", "CreateApiKeyInput", input, &format!("secret apiKey {{ {KEY} }}")).await?;
            if options.output.json {
                output::json(&json!({"secret": payload["secret"], "apiKey": payload["apiKey"]}));
            } else {
                println!("{}", text(&payload["secret"]));
                eprintln!("This is the only time that the key is shown.");
            }
            Ok(())
        }
        KeysCommand::Revoke { key } => {
            api.mutate("revokeApiKey", "RevokeApiKeyInput", json!({"apiKeyId": key}), "done").await?;
            if options.output.json {
                output::json(&json!({"revoked": key}));
            } else {
                println!("Revoked {key}.");
            }
            Ok(())
        }
    }
}

async fn list(api: &Api, output: Output) -> Result<(), Failure> {
    let mut me = api.run(&format!("{{ me {{ apiKeys {{ {KEY} }} }} }}"), json!({})).await?;
    let keys = me["me"]["apiKeys"].take();
    if output.json {
        output::json(&keys);
        return Ok(());
    }
    let rows = keys.as_array().into_iter().flatten().map(|key| {
        let scopes: Vec<_> = key["scopes"].as_array().into_iter().flatten().map(text).collect();
        let state = if key["revokedAt"].is_null() { moment(&key["expiresAt"]) } else { "revoked".to_owned() };
        vec![text(&key["id"]), text(&key["name"]), text(&key["prefix"]), text(&key["userId"]), state, scopes.join(" ")]
    });
    output::table(&["KEY", "NAME", "BEGINS WITH", "ACTS AS", "UNTIL (UTC)", "SCOPES"], rows.collect(), "No keys");
    Ok(())
}
