//! Opening accounts: from the stored credential to a cloud that can be worked with.

use std::sync::PoisonError;

use clouds_contract::{Access, Cloud, Credential, Endpoint};
use domain::cloud::{CloudAccount, CloudAccountState};
use domain::id::{CloudAccountId, TeamId};
use domain::secret::Secret;
use services_core::{Result, ServiceError};
use store::StoreError;

use crate::CloudServices;

/// The fact about the installation that tells its things in clouds from those of others.
const INSTALLATION: &str = "cloud_installation";

/// Percentage of each wait between two looks at a simulated cloud.
const SIMULATED_PACE: u8 = 5;

/// Identity that an account's sealed credential is bound to.
pub(crate) fn credential_identity(id: CloudAccountId) -> String {
    format!("{id}:credential")
}

impl CloudServices {
    /// The installation's own name in tags and names of things in clouds: 12 hexadecimal digits, made with the first account.
    pub async fn installation_tag(&self) -> Result<String> {
        if let Some(tag) = self.store().installation_get(INSTALLATION).await? {
            return Ok(tag);
        }
        let tag = hex::encode(rand::random::<[u8; 6]>());
        let mut tx = self.begin().await?;
        match tx.installation_insert(INSTALLATION, &tag).await {
            Ok(()) => tx.commit().await?,
            Err(StoreError::Exists) => drop(tx),
            Err(error) => return Err(error.into()),
        }
        self.store().installation_get(INSTALLATION).await?.ok_or(ServiceError::NotFound("installation"))
    }

    /// Opens an account. The same one stays open until it gets another credential.
    pub async fn open_account(&self, account: &CloudAccount) -> Result<Cloud> {
        let known = self.opened().lock().unwrap_or_else(PoisonError::into_inner).get(&account.id).cloned();
        if let Some((version, cloud)) = known
            && version == account.credential_version
        {
            return Ok(cloud);
        }
        let credential = self.stored_credential(account.team_id, account.id).await?;
        let access = self.access(account, credential).await?;
        let cloud = self.vendor(&account.cloud)?.open(access).map_err(|error| {
            ServiceError::invalid(
                "credential",
                "BAD_CREDENTIAL",
                format!("the credential of `{}` cannot be used: {error}", account.name),
            )
        })?;
        let opened = (account.credential_version, cloud.clone());
        self.opened().lock().unwrap_or_else(PoisonError::into_inner).insert(account.id, opened);
        Ok(cloud)
    }

    /// Everything that opens an account with this credential.
    pub(crate) async fn access(&self, account: &CloudAccount, credential: Credential) -> Result<Access> {
        Ok(Access {
            account: account.id,
            identity: account.identity.clone(),
            credential,
            endpoint: account.endpoint.clone().map(|url| Endpoint { url, pace_percent: SIMULATED_PACE }),
            installation: self.installation_tag().await?,
        })
    }

    async fn stored_credential(&self, team: TeamId, id: CloudAccountId) -> Result<Credential> {
        let sealed = self.store().cloud_account_credential(team, id).await?.ok_or(ServiceError::NotFound("cloud account"))?;
        let text: Secret = self.sealer().open(self.store(), team, &credential_identity(id), &sealed).await?;
        serde_json::from_str(text.expose()).map_err(|_| {
            ServiceError::Unavailable("the stored credential of a cloud account cannot be read: connect it again".to_owned())
        })
    }
}

/// Refuses to work in an account that cannot be used, with its state and the remedy.
pub(crate) fn check_usable(account: &CloudAccount) -> Result<(), String> {
    let name = format!("{}:{}", account.cloud, account.name);
    match account.state {
        CloudAccountState::Unverified | CloudAccountState::Connected => Ok(()),
        CloudAccountState::Reconnect => Err(format!(
            "the cloud account `{name}` no longer accepts its credential: `mikrocloud clouds update {name}` gives it another"
        )),
        CloudAccountState::Paused => Err(format!(
            "the cloud account `{name}` is paused, since another installation may be using it after a restore: \
             `mikrocloud clouds verify {name}` takes it over"
        )),
        CloudAccountState::Disconnecting => Err(format!("the cloud account `{name}` is being disconnected: use another")),
    }
}
