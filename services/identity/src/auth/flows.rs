//! Sign-ins that wait for something: who shows the token goes on where it stands. The state is sealed in the database, so that any
//! process can go on with it.

use chrono::TimeDelta;
use domain::secret::Secret;
use domain::time::now;
use serde::Serialize;
use serde::de::DeserializeOwned;
use services_core::{Result, ServiceError};
use store::{SignInFlow, Tx};

use super::{random_token, token_hash};
use crate::Sessions;

/// State of a sign-in that waits, with its timeout.
pub(super) trait Flow: Serialize + DeserializeOwned {
    const KIND: &'static str;
    const LIFETIME: TimeDelta;
}

impl Sessions {
    /// Keeps a state and returns the token that goes on from it.
    pub(super) async fn begin_flow<F: Flow>(&self, state: &F) -> Result<Secret> {
        let token = random_token("");
        let hash = token_hash(token.expose());
        let state = serde_json::to_vec(state).map_err(ServiceError::internal)?;
        let sealed = self.sealer().seal_own(self.store(), &hash, &state).await?;
        let mut tx = self.begin().await?;
        tx.sign_in_flow_insert(&SignInFlow { hash: &hash, kind: F::KIND, sealed: &sealed, expires_at: now() + F::LIFETIME })
            .await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The state that a token stands for, if it stands for one of this kind.
    pub(super) async fn flow<F: Flow>(&self, token: &str) -> Result<Option<F>> {
        let hash = token_hash(token);
        let Some(sealed) = self.store().sign_in_flow_get(&hash, F::KIND).await? else { return Ok(None) };
        let state = self.sealer().open_own(self.store(), &hash, &sealed).await?;
        serde_json::from_slice(&state).map(Some).map_err(ServiceError::internal)
    }

    /// Uses a token up; `false` when somebody else has.
    pub(super) async fn end_flow<F: Flow>(&self, tx: &mut Tx, token: &str) -> Result<bool> {
        Ok(tx.sign_in_flow_use(&token_hash(token), F::KIND).await?)
    }
}
