//! Sealing anew what another key sealed.

use store::Store;
use store::sealed::{SealedBy, SealedColumn, SealedRow};
use zeroize::Zeroizing;

use super::form::{open, seal};
use super::{Sealer, TEAM_KEYS, seal_under, version_of};
use crate::{Result, ServiceError};

impl Sealer {
    /// A row's value under the present keys; `None` when it is that already.
    pub async fn sealed_anew(
        &self,
        store: &Store,
        column: &SealedColumn,
        row: &SealedRow,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let identity = column.identity(row);
        match column.by {
            SealedBy::TeamKeys => self.by_master_anew(TEAM_KEYS, &identity, sealed),
            SealedBy::MasterKey => self.by_master_anew("own", &identity, sealed),
            SealedBy::TeamKey => {
                let team = row.team.ok_or_else(|| ServiceError::internal("a row without its team"))?;
                let (newest, key) = self.newest_data_key(store, team, self.ring().generation).await?;
                if version_of(sealed)?.0 == newest {
                    return Ok(None);
                }
                let text = self.open_bytes(store, team, &identity, sealed).await?;
                seal_under(newest, &key, &text, &identity).map(Some)
            }
        }
    }

    fn by_master_anew(&self, purpose: &str, identity: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>> {
        let ring = self.ring();
        let current = ring.current.derive(purpose);
        let Err(error) = open(&current, sealed, identity.as_bytes()) else { return Ok(None) };
        let other = ring.other.as_ref().ok_or(error)?;
        let text: Zeroizing<Vec<u8>> = open(&other.derive(purpose), sealed, identity.as_bytes())?;
        seal(&current, &text, identity.as_bytes()).map(Some)
    }
}
