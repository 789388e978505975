//! The account with an authority, whose key is sealed in the database.

use instant_acme::{Account, AccountCredentials, Error, NewAccount};
use services_core::ServiceError;
use zeroize::Zeroizing;

use super::client::Requests;
use super::order::OrderError;
use super::{AcmeSettings, Certificates, account_identity};

/// Returns true if an authority has no such account, or no longer: it lost its data, or somebody closed the account.
pub(super) fn is_unknown(error: &Error) -> bool {
    let Error::Api(problem) = error else { return false };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
}

impl Certificates {
    /// The account with the authority, which is made when there is none. Another one than that of the id `gone`, which the authority does
    /// not know.
    pub(super) async fn account(&self, gone: Option<&str>) -> Result<Account, OrderError> {
        let is_good = |account: &Account| Some(account.id()) != gone;
        if let Some(account) = self.known_account().await?.filter(is_good) {
            return Ok(account);
        }
        let _one_at_a_time = self.making_account.lock().await;
        // Another order may have made one meanwhile.
        match self.known_account().await?.filter(is_good) {
            Some(account) => Ok(account),
            None => self.new_account().await,
        }
    }

    /// The account that is known, if one is.
    async fn known_account(&self) -> Result<Option<Account>, OrderError> {
        let (services, directory) = (&self.services, &self.own.name.directory);
        let Some(sealed) = services.store().acme_account_get(directory).await.map_err(ServiceError::from)? else {
            return Ok(None);
        };
        let opened = services.sealer().open_own(services.store(), &account_identity(directory), &sealed).await?;
        let credentials: AccountCredentials = serde_json::from_slice(&opened).map_err(ServiceError::internal)?;
        let builder = Account::builder_with_http(Box::new(Requests(self.http.clone())));
        Ok(Some(builder.from_credentials(credentials).await?))
    }

    /// A new account, in the place of an earlier one.
    async fn new_account(&self) -> Result<Account, OrderError> {
        let AcmeSettings { email, directory, .. } = &self.settings;
        let contact = email.as_ref().map(|email| format!("mailto:{email}"));
        let contact: Vec<_> = contact.iter().map(String::as_str).collect();
        let asked = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let builder = Account::builder_with_http(Box::new(Requests(self.http.clone())));
        let (account, credentials) = builder.create(&asked, directory.to_string(), None).await?;
        let credentials = Zeroizing::new(serde_json::to_vec(&credentials).map_err(ServiceError::internal)?);
        self.keep_account(&credentials).await?;
        Ok(account)
    }

    async fn keep_account(&self, credentials: &[u8]) -> Result<(), ServiceError> {
        let (services, directory) = (&self.services, &self.own.name.directory);
        let sealed = services.sealer().seal_own(services.store(), &account_identity(directory), credentials).await?;
        let mut tx = services.store().begin().await?;
        tx.acme_account_put(directory, &sealed).await?;
        Ok(tx.commit().await?)
    }
}
