//! The journal of an account and region, as the store keeps it. Every write is refused once the job's lease is another worker's.

use async_trait::async_trait;
use clouds_contract::{CloudError, Entry, EntryState, ErrorKind, Journal, Key, Naming, Operation, Owner, Whose};
use domain::cloud::CloudResource;
use domain::id::{BaseId, CloudAccountId, DeploymentId, PlacementId};
use domain::job::Fence;
use domain::time::now;
use store::{Store, StoreError};
use uuid::Uuid;

/// The journal of an account and region.
pub struct StoreJournal {
    /// The database.
    pub store: Store,
    /// Proves that the worker still has its job.
    pub fence: Fence,
    /// Owner of what is written.
    pub whose: Whose,
    /// The account.
    pub account: CloudAccountId,
    /// The vendor's name of the region.
    pub region: String,
}

#[async_trait]
impl Journal for StoreJournal {
    async fn open(&self, key: &Key, naming: Naming) -> Result<Entry, CloudError> {
        let (at, generation) = (now(), 1);
        let wanted = CloudResource {
            id: Uuid::now_v7(),
            team_id: self.whose.team,
            account_id: self.account,
            region: self.region.clone(),
            placement_id: self.placement(),
            owner_kind: kind_of(key.owner).to_owned(),
            owner_id: key.owner.uuid(),
            kind: key.kind.to_owned(),
            purpose: key.purpose.clone(),
            name: naming.name(&self.whose, key, generation),
            generation,
            state: name_of(EntryState::Intended).to_owned(),
            token: Uuid::new_v4(),
            external_id: None,
            operation: None,
            outputs: std::collections::BTreeMap::new(),
            revision: 0,
            created_at: at,
            changed_at: at,
        };
        let mut tx = self.store.begin().await.map_err(failed)?;
        tx.job_fence(self.fence).await.map_err(failed)?;
        let row = tx.cloud_resource_open(&wanted).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        read(row)
    }

    async fn save(&self, entry: &Entry) -> Result<Entry, CloudError> {
        let row = self.row_of(entry).await?;
        let mut tx = self.store.begin().await.map_err(failed)?;
        tx.job_fence(self.fence).await.map_err(failed)?;
        tx.cloud_resource_put(&row).await.map_err(failed)?;
        tx.commit().await.map_err(failed)?;
        Ok(Entry { revision: entry.revision + 1, ..entry.clone() })
    }

    async fn strike(&self, entry: &Entry) -> Result<(), CloudError> {
        let row = self.row_of(entry).await?;
        let mut tx = self.store.begin().await.map_err(failed)?;
        tx.job_fence(self.fence).await.map_err(failed)?;
        tx.cloud_resource_delete(&row).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn entries(&self, owner: Owner) -> Result<Vec<Entry>, CloudError> {
        self.rows(owner).await?.into_iter().map(read).collect()
    }
}

impl StoreJournal {
    fn placement(&self) -> Option<PlacementId> {
        self.whose.environment.as_ref().map(|place| place.placement)
    }

    async fn rows(&self, owner: Owner) -> Result<Vec<CloudResource>, CloudError> {
        let found = self.store.cloud_resource_list_of(self.whose.team, self.account, &self.region, owner.uuid()).await;
        found.map_err(failed)
    }

    /// The row of an entry, with what the entry says.
    async fn row_of(&self, entry: &Entry) -> Result<CloudResource, CloudError> {
        let rows = self.rows(entry.owner).await?;
        let row = rows.into_iter().find(|row| row.kind == entry.kind && row.purpose == entry.purpose);
        let row = row.ok_or_else(|| failed(StoreError::Changed))?;
        Ok(CloudResource {
            name: entry.name.clone(),
            generation: entry.generation,
            state: name_of(entry.state).to_owned(),
            token: entry.token,
            external_id: entry.external_id.clone(),
            operation: entry.operation.clone().map(|operation| operation.0),
            outputs: entry.outputs.clone(),
            revision: entry.revision,
            ..row
        })
    }
}

fn read(row: CloudResource) -> Result<Entry, CloudError> {
    let state = [EntryState::Intended, EntryState::Asked, EntryState::There, EntryState::Going];
    let state = state.into_iter().find(|state| name_of(*state) == row.state).unwrap_or(EntryState::Asked);
    let owner = match row.owner_kind.as_str() {
        "base" => Owner::Base(BaseId::from(row.owner_id)),
        "placement" => Owner::Placement(PlacementId::from(row.owner_id)),
        "deployment" => Owner::Deployment(DeploymentId::from(row.owner_id)),
        other => {
            let message =
                format!("an entry of the journal is of an owner of the kind `{other}`, which this program does not know");
            return Err(CloudError::new(ErrorKind::Internal, "INTERNAL", message));
        }
    };
    Ok(Entry {
        kind: row.kind,
        purpose: row.purpose,
        owner,
        name: row.name,
        generation: row.generation,
        token: row.token,
        state,
        external_id: row.external_id,
        operation: row.operation.map(Operation),
        outputs: row.outputs,
        revision: row.revision,
    })
}

fn kind_of(owner: Owner) -> &'static str {
    match owner {
        Owner::Base(_) => "base",
        Owner::Placement(_) => "placement",
        Owner::Deployment(_) => "deployment",
    }
}

fn name_of(state: EntryState) -> &'static str {
    match state {
        EntryState::Intended => "intended",
        EntryState::Asked => "asked",
        EntryState::There => "there",
        EntryState::Going => "going",
    }
}

/// A fault of the database; work whose lease is lost stops.
fn failed(error: StoreError) -> CloudError {
    match error {
        StoreError::LeaseLost => CloudError::new(ErrorKind::Cancelled, "LEASE_LOST", "the work is another worker's now"),
        StoreError::Changed => CloudError::new(ErrorKind::Conflict, "CHANGED", "somebody else wrote to the journal meanwhile"),
        error => CloudError::internal("the journal could not be written", error),
    }
}
