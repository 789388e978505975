use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use clouds_contract::Credential;
use domain::secret::Secret;
use services::{AccountChange, NewAccount, ServiceError};

use super::model::CloudAccount;
use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::input::parse_id;

#[derive(Default)]
pub struct CloudMutation;

/// Credential of an account: one of the forms.
#[derive(InputObject)]
struct CloudCredentialInput {
    /// An access key of AWS, by itself or as one that may assume a role.
    aws: Option<AwsCredentialInput>,
    /// A client secret of an application in Microsoft Entra ID.
    azure: Option<AzureCredentialInput>,
    /// A service account key of Google Cloud.
    gcp: Option<GoogleCredentialInput>,
}

#[derive(InputObject)]
struct AwsCredentialInput {
    /// Access key id.
    access_key_id: String,
    /// Secret access key.
    secret_access_key: String,
    /// ARN of the role that the key assumes; none when the key itself may do everything.
    role_arn: Option<String>,
    /// External id that the role's trust policy asks for.
    external_id: Option<String>,
}

#[derive(InputObject)]
struct AzureCredentialInput {
    /// Directory (tenant) id.
    tenant_id: String,
    /// Application (client) id.
    client_id: String,
    /// Client secret.
    client_secret: String,
}

#[derive(InputObject)]
struct GoogleCredentialInput {
    /// Content of the JSON file that Google makes.
    service_account_key: String,
}

#[derive(InputObject)]
struct ConnectCloudAccountInput {
    /// The cloud, such as `gcp`.
    cloud: String,
    /// Its name among the team's accounts of this cloud; `main` when left out.
    name: Option<String>,
    /// The vendor's id of it: the account number of AWS, the subscription id of Azure, the project id of Google Cloud.
    identity: String,
    /// Its credential. It is stored encrypted, and never shown.
    credential: CloudCredentialInput,
    /// Region of deployments that name none.
    region: Option<String>,
    /// Address of a simulated cloud, which whoever runs the server has to allow.
    endpoint: Option<String>,
}

#[derive(InputObject)]
struct UpdateCloudAccountInput {
    /// The account.
    id: ID,
    /// Another credential.
    credential: Option<CloudCredentialInput>,
    /// Region of deployments that name none.
    region: Option<String>,
    /// Makes it the one that is meant where a deployment names the cloud alone.
    make_default: Option<bool>,
}

#[derive(InputObject)]
struct VerifyCloudAccountInput {
    /// The account.
    id: ID,
}

#[derive(InputObject)]
struct DisconnectCloudAccountInput {
    /// The account.
    id: ID,
}

#[derive(SimpleObject)]
struct CloudAccountPayload {
    /// The account, when it went well.
    account: Option<CloudAccount>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct DisconnectCloudAccountPayload {
    /// Indicates that it is disconnected.
    disconnected: bool,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn payload(result: services::Result<domain::cloud::CloudAccount>) -> Result<CloudAccountPayload> {
    let (account, user_errors) = user_errors(result)?;
    Ok(CloudAccountPayload { account: account.map(CloudAccount::from), user_errors })
}

impl CloudCredentialInput {
    fn into_credential(self) -> services::Result<Credential> {
        match (self.aws, self.azure, self.gcp) {
            (Some(aws), None, None) => aws.into_credential(),
            (None, Some(AzureCredentialInput { tenant_id: tenant, client_id: client, client_secret }), None) => {
                Ok(Credential::AzureSecret { tenant, client, secret: Secret::new(client_secret) })
            }
            (None, None, Some(key)) => Ok(Credential::GoogleKey { json: Secret::new(key.service_account_key) }),
            _ => Err(ServiceError::invalid("credential", "ONE_OF", "give exactly one of `aws`, `azure` and `gcp`")),
        }
    }
}

impl AwsCredentialInput {
    fn into_credential(self) -> services::Result<Credential> {
        let Self { access_key_id: id, secret_access_key, role_arn, external_id } = self;
        let secret = Secret::new(secret_access_key);
        match (role_arn, external_id) {
            (None, None) => Ok(Credential::AwsKey { id, secret }),
            (Some(role_arn), Some(external_id)) => {
                Ok(Credential::AwsRole { role_arn, external_id: Secret::new(external_id), id, secret })
            }
            _ => {
                let message = "a role is assumed with the external id that its trust policy asks for: give both `roleArn` and \
                               `externalId`, or neither";
                Err(ServiceError::invalid("externalId", "MISSING", message))
            }
        }
    }
}

#[Object]
impl CloudMutation {
    /// Connects an account at a vendor. It is looked at right after: `verifiedAt` is set once that is done.
    async fn connect_cloud_account(&self, context: &Context<'_>, input: ConnectCloudAccountInput) -> Result<CloudAccountPayload> {
        let (services, actor) = caller(context)?;
        let connected = async {
            let new = NewAccount {
                cloud: input.cloud,
                name: input.name.unwrap_or_else(|| "main".to_owned()),
                identity: input.identity,
                credential: input.credential.into_credential()?,
                region: input.region,
                endpoint: input.endpoint,
            };
            services.cloud_accounts().connect(actor, new).await
        };
        payload(connected.await)
    }

    /// Changes an account. Another credential is looked at right after.
    async fn update_cloud_account(&self, context: &Context<'_>, input: UpdateCloudAccountInput) -> Result<CloudAccountPayload> {
        let (services, actor) = caller(context)?;
        let updated = async {
            let change = AccountChange {
                credential: input.credential.map(CloudCredentialInput::into_credential).transpose()?,
                region: input.region,
                make_default: input.make_default.unwrap_or_default(),
            };
            services.cloud_accounts().update(actor, parse_id("id", &input.id)?, change).await
        };
        payload(updated.await)
    }

    /// Has an account looked at: who we are in it, and what we may do. `verifiedAt` is later once that is done.
    async fn verify_cloud_account(&self, context: &Context<'_>, input: VerifyCloudAccountInput) -> Result<CloudAccountPayload> {
        let (services, actor) = caller(context)?;
        payload(async { services.cloud_accounts().verify(actor, parse_id("id", &input.id)?).await }.await)
    }

    /// Disconnects an account in which nothing of ours is left; its credential is deleted.
    async fn disconnect_cloud_account(
        &self,
        context: &Context<'_>,
        input: DisconnectCloudAccountInput,
    ) -> Result<DisconnectCloudAccountPayload> {
        let (services, actor) = caller(context)?;
        let done = async { services.cloud_accounts().disconnect(actor, parse_id("id", &input.id)?).await }.await;
        let (done, user_errors) = user_errors(done)?;
        Ok(DisconnectCloudAccountPayload { disconnected: done.is_some(), user_errors })
    }
}
