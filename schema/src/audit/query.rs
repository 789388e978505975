use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, ID, Object, Result};
use services::ServiceError;

use super::model::{AuditEntry, AuditExportPage, AuditFilter, AuditFormat, AuditPublicKey};
use crate::connection::connection;
use crate::context::caller;
use crate::error::to_graphql;
use crate::paging::page_size;

#[derive(Default)]
pub struct AuditQuery;

/// Maximum complexity of a page of an export.
const PAGE_COMPLEXITY: usize = 200;

fn number(field: &'static str, id: &ID) -> Result<i64> {
    let wrong = || to_graphql(ServiceError::invalid(field, "INVALID_ID", "give the number of an entry"));
    id.parse().map_err(|_| wrong())
}

#[Object]
impl AuditQuery {
    /// The team's audit log, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(20)).unwrap_or(0) * child_complexity")]
    async fn audit_log(
        &self,
        context: &Context<'_>,
        filter: Option<AuditFilter>,
        first: Option<i32>,
        after: Option<ID>,
    ) -> Result<Connection<String, AuditEntry, EmptyFields, EmptyFields>> {
        let (services, actor) = caller(context)?;
        let before = after.as_ref().map(|id| number("after", id)).transpose()?;
        let query = filter.unwrap_or_default().into();
        let page = services.audit().list(actor, &query, before, page_size(first)?).await.map_err(to_graphql)?;
        Ok(connection(page, before.is_none(), |record| (record.entry.sequence.to_string(), AuditEntry::from(record))))
    }

    /// The keys by which the audit log's checkpoints and exports are checked, oldest first.
    async fn audit_keys(&self, context: &Context<'_>) -> Result<Vec<AuditPublicKey>> {
        let (services, actor) = caller(context)?;
        Ok(services.audit().keys(actor).await.map_err(to_graphql)?.into_iter().map(AuditPublicKey::from).collect())
    }

    /// A page of an export that `beginAuditExport` began: the lines after an entry and up to another.
    #[graphql(complexity = "PAGE_COMPLEXITY + child_complexity")]
    async fn audit_export(&self, context: &Context<'_>, format: AuditFormat, after: i64, to: i64) -> Result<AuditExportPage> {
        let (services, actor) = caller(context)?;
        Ok(services.audit().export_page(actor, format.into(), after, to).await.map_err(to_graphql)?.into())
    }
}
