//! The team's accounts at vendors of clouds.

mod credential;
mod show;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::arguments::{CloudsCommand, CloudsOptions, ConnectCommand, ConnectPlace, NewCredential, Output};
use crate::client::api::Api;
use crate::client::output::{self, Progress, text};
use server::Failure;

const ACCOUNT: &str =
    "id cloud name identity credentialKind region isDefault state problem principal verifiedAt simulated createdAt";
const DETAILS: &str = "checks { permission outcome remedy } bases { name region state problem } \
                       resources { kind name region state createdAt }";

/// Time for which connecting waits for the look at the account.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Lists, connects, verifies, changes and disconnects accounts.
pub async fn run(options: CloudsOptions) -> Result<(), Failure> {
    let CloudsOptions { command, output } = options;
    // The program itself knows.
    if let Some(CloudsCommand::Policy { cloud }) = &command {
        return policy(cloud);
    }
    let client = Client { api: Api::signed_in()?, output };
    match command.unwrap_or(CloudsCommand::List) {
        CloudsCommand::List => client.list().await,
        CloudsCommand::Regions => client.regions().await,
        CloudsCommand::Capabilities => client.capabilities().await,
        CloudsCommand::Connect(what) => client.connect(what).await,
        CloudsCommand::Show { account } => client.show(&account).await,
        CloudsCommand::Policy { cloud } => policy(&cloud),
        CloudsCommand::Verify { account } => client.verify(&account).await,
        CloudsCommand::Update { account, credential, region, default } => {
            client.update(&account, credential, region, default).await
        }
        CloudsCommand::Disconnect { account } => client.disconnect(&account).await,
    }
}

fn policy(cloud: &str) -> Result<(), Failure> {
    match server::policy(cloud) {
        Some(policy) => {
            print!("{policy}");
            Ok(())
        }
        None => Err(Failure::usage(format!("there is no role for `{cloud}`: `mikrocloud clouds capabilities` lists the clouds"))),
    }
}

struct Client {
    api: Api,
    output: Output,
}

impl Client {
    async fn all(&self) -> Result<Vec<Value>, Failure> {
        let query = format!("{{ cloudAccounts {{ {ACCOUNT} }} }}");
        let mut accounts = self.api.run(&query, Value::Null).await?["cloudAccounts"].take();
        Ok(accounts.as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// The one account of this name, id, or cloud and name; a cloud alone means its default account.
    async fn find(&self, given: &str) -> Result<Value, Failure> {
        let is_meant = |account: &Value| {
            let (cloud, name) = (text(&account["cloud"]), text(&account["name"]));
            let is_default = cloud == given && account["isDefault"] == true;
            account["id"] == given || name == given || is_default || format!("{cloud}:{name}") == given
        };
        let found: Vec<_> = self.all().await?.into_iter().filter(is_meant).collect();
        match <[Value; 1]>::try_from(found) {
            Ok([account]) => Ok(account),
            Err(none) if none.is_empty() => {
                let message = format!("your team has no cloud account `{given}`: `mikrocloud clouds` lists them");
                Err(Failure::failed("NOT_FOUND", message))
            }
            Err(_) => {
                let message = format!("several clouds have an account `{given}`: name the cloud, too, such as gcp:{given}");
                Err(Failure::failed("AMBIGUOUS", message))
            }
        }
    }

    async fn details(&self, id: &str) -> Result<Value, Failure> {
        let query = format!("query($id: ID!) {{ cloudAccount(id: $id) {{ {ACCOUNT} {DETAILS} }} }}");
        let account = self.api.run(&query, json!({"id": id})).await?["cloudAccount"].take();
        if account.is_null() {
            return Err(Failure::failed("NOT_FOUND", "the cloud account was disconnected meanwhile"));
        }
        Ok(account)
    }

    async fn list(&self) -> Result<(), Failure> {
        show::accounts(&self.all().await?, self.output);
        Ok(())
    }

    async fn regions(&self) -> Result<(), Failure> {
        let clouds = self.api.run("{ clouds { name title regions { neutral vendor } } }", Value::Null).await?["clouds"].take();
        show::regions(&clouds, self.output);
        Ok(())
    }

    async fn capabilities(&self) -> Result<(), Failure> {
        let query = "{ clouds { name title capabilities { name switch ownAddress bases idle { item per } proven { group cases against day } } } }";
        let clouds = self.api.run(query, Value::Null).await?["clouds"].take();
        show::capabilities(&clouds, self.output);
        Ok(())
    }

    async fn show(&self, account: &str) -> Result<(), Failure> {
        let id = text(&self.find(account).await?["id"]);
        show::account(&self.details(&id).await?, self.output);
        Ok(())
    }

    async fn connect(&self, what: ConnectCommand) -> Result<(), Failure> {
        let (cloud, found, place) = match what {
            ConnectCommand::Aws { account, access_key, role_arn, external_id, place } => {
                let found = match account.zip(access_key) {
                    Some((account, key)) => Some((account, credential::aws(&key, role_arn.as_deref(), external_id.as_deref())?)),
                    None => None,
                };
                ("aws", found, place)
            }
            ConnectCommand::Azure { subscription, tenant, client, place } => {
                let found = match subscription.zip(tenant.zip(client)) {
                    Some((subscription, (tenant, client))) => Some((subscription, credential::azure(&tenant, &client)?)),
                    None => None,
                };
                ("azure", found, place)
            }
            ConnectCommand::Gcp { key_file, project, place } => {
                ("gcp", key_file.map(|file| credential::google_project(&file, project)).transpose()?, place)
            }
        };
        let (identity, credential) = match (found, &place.sandbox) {
            (Some(found), _) => found,
            (None, Some(sandbox)) => credential::simulated(sandbox, cloud).await?,
            (None, None) => {
                return Err(Failure::usage("a credential is missing: `mikrocloud clouds connect --help` lists its parts"));
            }
        };
        let ConnectPlace { name, region, sandbox } = place;
        let input = json!({
            "cloud": cloud, "name": name, "identity": identity, "credential": credential, "region": region, "endpoint": sandbox,
        });
        let fields = format!("account {{ {ACCOUNT} }}");
        let made = self.api.mutate("connectCloudAccount", "ConnectCloudAccountInput", input, &fields).await?;
        self.looked_at(&made["account"], &Value::Null).await
    }

    async fn verify(&self, account: &str) -> Result<(), Failure> {
        let before = self.find(account).await?;
        self.change("verifyCloudAccount", "VerifyCloudAccountInput", json!({"id": before["id"]})).await?;
        self.looked_at(&before, &before["verifiedAt"]).await
    }

    async fn update(
        &self,
        account: &str,
        credential: NewCredential,
        region: Option<String>,
        default: bool,
    ) -> Result<(), Failure> {
        let before = self.find(account).await?;
        let credential = credential::other(credential)?;
        if credential.is_none() && region.is_none() && !default {
            return Err(Failure::usage("nothing to change: give a credential, --region or --default"));
        }
        let is_looked_at = credential.is_some();
        let input = json!({"id": before["id"], "credential": credential, "region": region, "makeDefault": default});
        let after = self.change("updateCloudAccount", "UpdateCloudAccountInput", input).await?;
        if is_looked_at {
            return self.looked_at(&after, &before["verifiedAt"]).await;
        }
        show::account(&self.details(&text(&after["id"])).await?, self.output);
        Ok(())
    }

    async fn change(&self, mutation: &str, input_type: &str, input: Value) -> Result<Value, Failure> {
        let fields = format!("account {{ {ACCOUNT} }}");
        Ok(self.api.mutate(mutation, input_type, input, &fields).await?["account"].take())
    }

    async fn disconnect(&self, account: &str) -> Result<(), Failure> {
        let account = self.find(account).await?;
        let input = json!({"id": account["id"]});
        self.api.mutate("disconnectCloudAccount", "DisconnectCloudAccountInput", input, "disconnected").await?;
        let said = format!("Disconnected {}:{}. Its credential is deleted.", text(&account["cloud"]), text(&account["name"]));
        output::say(&json!({"account": account["id"], "disconnected": true}), &said, self.output);
        Ok(())
    }

    /// Waits until an account was looked at since this moment, and shows what was found.
    async fn looked_at(&self, account: &Value, before: &Value) -> Result<(), Failure> {
        let id = text(&account["id"]);
        let progress = Progress::new(self.output.json);
        progress.status(&format!("looking at {}:{}", text(&account["cloud"]), text(&account["name"])));
        let until = Instant::now() + PATIENCE;
        let found = loop {
            let found = self.details(&id).await?;
            if found["verifiedAt"] != *before && !found["verifiedAt"].is_null() {
                break found;
            }
            if Instant::now() >= until {
                progress.finish();
                let message = format!(
                    "the account is connected, but nobody looked at it yet: is a worker running? `mikrocloud clouds show {}` says more",
                    text(&account["name"])
                );
                return Err(Failure::failed("NOT_VERIFIED", message));
            }
            sleep(LOOK_EVERY).await;
        };
        progress.finish();
        show::account(&found, self.output);
        if found["state"] == "CONNECTED" && found["problem"].is_null() {
            return Ok(());
        }
        let mut failure = Failure::failed("NOT_USABLE", text(&found["problem"]));
        failure.printed = self.output.json;
        Err(failure)
    }
}
