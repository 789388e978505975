use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use services::audit::NewExport;

use super::model::AuditFormat;
use crate::context::caller;
use crate::error::{UserError, user_errors};

#[derive(Default)]
pub struct AuditMutation;

#[derive(InputObject)]
struct BeginAuditExportInput {
    /// The form.
    format: AuditFormat,
    /// Not before this moment.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
}

/// Export that was started.
#[derive(SimpleObject)]
struct AuditExportPayload {
    /// The first line of the file; null for events.
    head: Option<String>,
    /// After which entry it begins: where `auditExport` begins.
    after: Option<i64>,
    /// With which entry it ends.
    to: Option<i64>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[Object]
impl AuditMutation {
    /// Begins an export of the audit log, which is an entry itself. What can be verified begins and ends with a checkpoint: a little before,
    /// and a little after, what was asked for.
    async fn begin_audit_export(&self, context: &Context<'_>, input: BeginAuditExportInput) -> Result<AuditExportPayload> {
        let (services, actor) = caller(context)?;
        let BeginAuditExportInput { format, since, until } = input;
        let (begun, user_errors) =
            user_errors(services.audit().begin_export(actor, NewExport { format: format.into(), since, until }).await)?;
        let (after, to) = (begun.as_ref().map(|begun| begun.after), begun.as_ref().map(|begun| begun.to));
        Ok(AuditExportPayload { head: begun.and_then(|begun| begun.head), after, to, user_errors })
    }
}
