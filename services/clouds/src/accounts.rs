//! Accounts: connected, changed, disconnected.

use clouds_contract::Credential;
use domain::access::{Actor, Permission};
use domain::cloud::{CloudAccount, CloudAccountState, CloudBase, CloudResource};
use domain::id::CloudAccountId;
use domain::name::EnvironmentName;
use domain::region;
use domain::time::now;
use jobs::payload::VerifyAccountJob;
use serde_json::{Value, json};
use services_core::audit::{Action, AuditEntry, record};
use services_core::{Result, ServiceError, require};
use store::StoreError;

use crate::CloudAccounts;
use crate::open::credential_identity;

/// The most accounts that a team may have.
const MAX_ACCOUNTS: usize = 50;

/// The longest id of an account at a vendor, in characters.
const MAX_IDENTITY: usize = 100;

/// An account to be connected.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The cloud, such as `gcp`.
    pub cloud: String,
    /// Its name among the team's accounts of this cloud.
    pub name: String,
    /// The vendor's id of it.
    pub identity: String,
    /// The credential.
    pub credential: Credential,
    /// Region of deployments that name none; the vendor's first when absent.
    pub region: Option<String>,
    /// Address of a simulated cloud.
    pub endpoint: Option<String>,
}

/// A change of an account. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Another credential.
    pub credential: Option<Credential>,
    /// Region of deployments that name none.
    pub region: Option<String>,
    /// It is to be the one that is meant where a deployment names the cloud alone.
    pub make_default: bool,
}

/// Builds the audit log's details of an account. No part of the credential is among them.
fn logged(account: &CloudAccount) -> Value {
    json!({
        "cloud": account.cloud, "name": account.name, "identity": account.identity, "credential": account.credential_kind,
        "region": account.region, "default": account.is_default, "simulatedAt": account.endpoint,
    })
}

impl CloudAccounts {
    /// The team's accounts, by cloud and name.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<CloudAccount>> {
        require(actor, Permission::CloudRead)?;
        Ok(self.store().cloud_account_list(actor.team_id).await?)
    }

    /// An account of the team.
    pub async fn get(&self, actor: &Actor, id: CloudAccountId) -> Result<CloudAccount> {
        require(actor, Permission::CloudRead)?;
        self.store().cloud_account_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("cloud account"))
    }

    /// Things that environments in an account share, by region and name.
    pub async fn bases(&self, actor: &Actor, id: CloudAccountId) -> Result<Vec<CloudBase>> {
        require(actor, Permission::CloudRead)?;
        Ok(self.store().cloud_base_list(actor.team_id, id).await?)
    }

    /// Things that exist in an account because of us, newest first.
    pub async fn resources(&self, actor: &Actor, id: CloudAccountId, limit: i64) -> Result<Vec<CloudResource>> {
        require(actor, Permission::CloudRead)?;
        Ok(self.store().cloud_resource_list(actor.team_id, id, None, limit).await?.items)
    }

    /// Connects an account. It is looked at by a job right after; the first of a cloud is the team's default there.
    pub async fn connect(&self, actor: &Actor, new: NewAccount) -> Result<CloudAccount> {
        let entry = AuditEntry::new(Action::CloudConnect);
        self.audit_denial(actor, &entry, require(actor, Permission::CloudWrite)).await?;
        let regions = self.vendor(&new.cloud)?.about().regions;
        let name = check_name(&new.name)?;
        check_credential(&new.cloud, &new.credential)?;
        let endpoint = self.check_endpoint(new.endpoint)?;
        let region = match &new.region {
            Some(region) => check_region(regions, &new.cloud, region)?,
            None => regions.first().map(|(neutral, _)| (*neutral).to_owned()).unwrap_or_default(),
        };
        let accounts = self.store().cloud_account_list(actor.team_id).await?;
        if accounts.len() >= MAX_ACCOUNTS {
            let message = format!("your team has {MAX_ACCOUNTS} cloud accounts, the most it may: disconnect one");
            return Err(ServiceError::invalid("name", "TOO_MANY", message));
        }
        let account = CloudAccount {
            id: CloudAccountId::new(),
            team_id: actor.team_id,
            name,
            identity: check_identity(&new.identity)?,
            credential_kind: new.credential.kind().to_owned(),
            credential_version: 1,
            region,
            endpoint,
            state: CloudAccountState::Unverified,
            problem: None,
            principal: None,
            checks: Vec::new(),
            verified_at: None,
            next_check_at: None,
            is_default: !accounts.iter().any(|account| account.cloud == new.cloud && account.is_default),
            created_by: actor.user_id,
            created_at: now(),
            cloud: new.cloud,
        };
        self.check_opens(&account, &new.credential).await?;
        let sealed = self.seal_credential(&account, &new.credential).await?;
        let mut tx = self.begin().await?;
        tx.cloud_account_insert(&account, &sealed).await.map_err(|error| match error {
            StoreError::Exists => {
                let message = format!(
                    "your team has a cloud account `{}` of {} already: choose another name, or give that one another credential",
                    account.name, account.cloud
                );
                ServiceError::invalid("name", "TAKEN", message)
            }
            error => error.into(),
        })?;
        tx.enqueue(&VerifyAccountJob { version: 1, team_id: actor.team_id, account_id: account.id }).await?;
        record(&mut tx, actor, entry.on("cloud account", account.id).named(&account.name).after(logged(&account))).await?;
        tx.commit().await?;
        self.get_own(actor, account.id).await
    }

    /// Changes an account; another credential is looked at by a job right after.
    pub async fn update(&self, actor: &Actor, id: CloudAccountId, change: AccountChange) -> Result<CloudAccount> {
        let entry = AuditEntry::new(Action::CloudUpdate).on("cloud account", id);
        self.audit_denial(actor, &entry, require(actor, Permission::CloudWrite)).await?;
        let before = self.get_own(actor, id).await?;
        let regions = self.vendor(&before.cloud)?.about().regions;
        let region = change.region.map(|region| check_region(regions, &before.cloud, &region)).transpose()?;
        let sealed = match &change.credential {
            Some(credential) => {
                check_credential(&before.cloud, credential)?;
                self.check_opens(&before, credential).await?;
                Some((credential.kind(), self.seal_credential(&before, credential).await?))
            }
            None => None,
        };
        let mut tx = self.begin().await?;
        tx.cloud_account_lock(actor.team_id, id).await?.ok_or(ServiceError::NotFound("cloud account"))?;
        if let Some((kind, sealed)) = &sealed {
            tx.cloud_account_put_credential(actor.team_id, id, kind, sealed).await?;
            tx.enqueue(&VerifyAccountJob { version: 1, team_id: actor.team_id, account_id: id }).await?;
        }
        if let Some(region) = &region {
            tx.cloud_account_set_region(actor.team_id, id, region).await?;
        }
        if change.make_default {
            tx.cloud_account_make_default(actor.team_id, &before.cloud, id).await?;
        }
        let after = tx.cloud_account_lock(actor.team_id, id).await?.ok_or(ServiceError::NotFound("cloud account"))?;
        record(&mut tx, actor, entry.named(&before.name).between(logged(&before), logged(&after))).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Has an account looked at now. A job does it: what it found is there once `verified_at` is later.
    pub async fn verify(&self, actor: &Actor, id: CloudAccountId) -> Result<CloudAccount> {
        let entry = AuditEntry::new(Action::CloudVerify).on("cloud account", id);
        self.audit_denial(actor, &entry, require(actor, Permission::CloudWrite)).await?;
        let account = self.get_own(actor, id).await?;
        let mut tx = self.begin().await?;
        tx.enqueue(&VerifyAccountJob { version: 1, team_id: actor.team_id, account_id: id }).await?;
        record(&mut tx, actor, entry.named(&account.name)).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// Disconnects an account in which nothing of ours is left. The credential is deleted with it.
    pub async fn disconnect(&self, actor: &Actor, id: CloudAccountId) -> Result<()> {
        let entry = AuditEntry::new(Action::CloudDisconnect).on("cloud account", id);
        self.audit_denial(actor, &entry, require(actor, Permission::CloudWrite)).await?;
        let account = self.get_own(actor, id).await?;
        if let Some(used_by) = self.uses(&account).await? {
            return Err(ServiceError::invalid("id", "IN_USE", used_by));
        }
        let mut tx = self.begin().await?;
        tx.cloud_account_lock(actor.team_id, id).await?.ok_or(ServiceError::NotFound("cloud account"))?;
        tx.cloud_account_delete(actor.team_id, id).await?;
        record(&mut tx, actor, entry.named(&account.name).before(logged(&account))).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Users of an account that stand in the way of disconnecting it, with the remedy.
    async fn uses(&self, account: &CloudAccount) -> Result<Option<String>> {
        let placements = self.store().placement_list_of_account(account.team_id, account.id).await?;
        let mut labels: Vec<_> = placements.iter().map(|placement| placement.label.as_str()).collect();
        labels.sort_unstable();
        labels.dedup();
        if !labels.is_empty() {
            return Ok(Some(format!(
                "these use the cloud account `{}`: {}. Deploy them to another cloud, or delete them, and try again",
                account.name,
                labels.join(", ")
            )));
        }
        let left = self.store().cloud_account_uses(account.team_id, account.id).await?;
        Ok((left > 0).then(|| {
            format!(
                "{left} things of ours are still being removed from the cloud account `{}`: try again in some minutes",
                account.name
            )
        }))
    }

    async fn get_own(&self, actor: &Actor, id: CloudAccountId) -> Result<CloudAccount> {
        self.store().cloud_account_get(actor.team_id, id).await?.ok_or(ServiceError::NotFound("cloud account"))
    }

    async fn seal_credential(&self, account: &CloudAccount, credential: &Credential) -> Result<Vec<u8>> {
        let identity = credential_identity(account.id);
        self.sealer().seal(self.store(), account.team_id, &identity, &credential.to_stored()).await
    }

    /// Refuses a credential whose form the vendor does not know, such as a key file that is cut off.
    async fn check_opens(&self, account: &CloudAccount, credential: &Credential) -> Result<()> {
        let opened = self.vendor(&account.cloud)?.open(self.access(account, credential.clone()).await?);
        opened.map(drop).map_err(|error| ServiceError::invalid("credential", "BAD_CREDENTIAL", error.message))
    }

    fn check_endpoint(&self, endpoint: Option<String>) -> Result<Option<String>> {
        let Some(endpoint) = endpoint else { return Ok(None) };
        let wanted = endpoint.trim_end_matches('/');
        if self.endpoints().iter().any(|allowed| allowed.trim_end_matches('/') == wanted) {
            return Ok(Some(wanted.to_owned()));
        }
        let message = "this server talks to vendors' own addresses only: whoever runs it allows a simulated cloud with \
                       `--allow-cloud-endpoint URL`, or starts a trial with `mikrocloud up --sandbox`";
        Err(ServiceError::invalid("endpoint", "NOT_ALLOWED", message))
    }
}

fn check_name(name: &str) -> Result<String> {
    // The alphabet of environments: it stands after a colon on the command line.
    let name: EnvironmentName = name.parse().map_err(|error| ServiceError::invalid("name", "BAD_NAME", error))?;
    Ok(name.as_str().to_owned())
}

fn check_identity(identity: &str) -> Result<String> {
    let identity = identity.trim();
    let is_plain = identity.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.'));
    if identity.is_empty() || identity.len() > MAX_IDENTITY || !is_plain {
        let message = "give the vendor's id of the account: the account number of AWS, the subscription id of Azure, the project id of Google \
                       Cloud";
        return Err(ServiceError::invalid("identity", "BAD_IDENTITY", message));
    }
    Ok(identity.to_owned())
}

fn check_credential(cloud: &str, credential: &Credential) -> Result<()> {
    if credential.vendor() == cloud {
        return Ok(());
    }
    let message =
        format!("this is a credential of `{}`, and the account is one of `{cloud}`: give that cloud's form", credential.vendor());
    Err(ServiceError::invalid("credential", "WRONG_CLOUD", message))
}

/// The neutral name of a region.
fn check_region(regions: &[region::Region], cloud: &str, name: &str) -> Result<String> {
    region::named(regions, name).map(|(neutral, _)| neutral.to_owned()).ok_or_else(|| {
        let known: Vec<_> = regions.iter().map(|(neutral, _)| *neutral).collect();
        let message = format!("`{cloud}` has no region `{}` here: use one of {}", name.escape_debug(), known.join(", "));
        ServiceError::invalid("region", "UNKNOWN_REGION", message)
    })
}
