//! Subscriptions, which exist as soon as somebody names them.

use serde_json::{Value, json};

use super::{Context, Outcome};
use crate::http::Answer;
use crate::login::Vendor;

fn describe(context: &Context<'_>, subscription: &str) -> Value {
    let tenant = context
        .state
        .principals
        .about(Vendor::Azure, &context.subject, "tenant")
        .unwrap_or("00000000-0000-0000-0000-000000000000");
    json!({
        "id": format!("/subscriptions/{subscription}"), "subscriptionId": subscription, "tenantId": tenant,
        "displayName": "Sandbox", "state": "Enabled", "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
    })
}

/// Lists the subscription of the caller.
pub(super) fn list(context: &mut Context<'_>) -> Answer {
    let own = context.state.principals.about(Vendor::Azure, &context.subject, "subscription");
    let listed: Vec<_> = own.map(|own| describe(context, own)).into_iter().collect();
    Answer::ok(&json!({"count": {"type": "Total", "value": listed.len()}, "value": listed}))
}

/// Describes a subscription.
pub(super) fn get(context: &mut Context<'_>, subscription: &str) -> Outcome {
    context.need("Microsoft.Resources/subscriptions/read", &format!("/subscriptions/{subscription}"))?;
    Ok(Answer::ok(&describe(context, subscription)))
}
