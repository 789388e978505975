//! Resource providers, which have to be registered in a subscription.

use serde_json::{Value, json};

use super::error::AzureError;
use super::{Context, Outcome, kind};
use crate::http::Answer;
use crate::world::{Object, State};

/// Kind of a registered provider; what deployments leave does not count them.
pub(super) const KIND: &str = "provider";

/// Providers that every subscription has.
const ALWAYS: [&str; 3] = ["microsoft.resources", "microsoft.authorization", "microsoft.consumption"];

fn key(subscription: &str, namespace: &str) -> String {
    format!("/subscriptions/{subscription}/providers/{namespace}").to_ascii_lowercase()
}

/// Checks that a provider is registered.
pub(super) fn need(state: &State, subscription: &str, namespace: &str) -> Result<(), AzureError> {
    if registration(state, subscription, namespace) == "Registered" {
        return Ok(());
    }
    let message = format!(
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how to register \
         subscriptions."
    );
    Err(AzureError::conflict("MissingSubscriptionRegistration", message))
}

fn registration(state: &State, subscription: &str, namespace: &str) -> &'static str {
    if ALWAYS.contains(&namespace.to_ascii_lowercase().as_str()) {
        return "Registered";
    }
    match state.azure.get(&key(subscription, namespace)) {
        None => "NotRegistered",
        Some(provider) if provider.phase.is_some() => "Registering",
        Some(_) => "Registered",
    }
}

fn describe(context: &Context<'_>, subscription: &str, namespace: &str) -> Result<Value, AzureError> {
    let types: Vec<_> = kind::of_namespace(namespace).collect();
    let canonical = types.first().map(|kind| kind.namespace());
    let canonical = canonical.or_else(|| ALWAYS.contains(&namespace.to_ascii_lowercase().as_str()).then_some(namespace));
    let canonical = canonical.ok_or_else(|| {
        AzureError::not_found("InvalidResourceNamespace", format!("The resource namespace '{namespace}' is invalid."))
    })?;
    Ok(json!({
        "id": format!("/subscriptions/{subscription}/providers/{canonical}"),
        "namespace": canonical,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": registration(context.state, subscription, namespace),
        "resourceTypes": types.iter().map(|kind| json!({"resourceType": kind.short()})).collect::<Vec<_>>(),
    }))
}

/// Lists the providers that the sandbox knows.
pub(super) fn list(context: &mut Context<'_>, subscription: &str) -> Outcome {
    let mut namespaces: Vec<_> = kind::ALL.iter().map(|kind| kind.namespace()).collect();
    namespaces.dedup();
    let providers: Result<Vec<_>, _> =
        namespaces.into_iter().map(|namespace| describe(context, subscription, namespace)).collect();
    Ok(Answer::ok(&json!({"value": providers?})))
}

/// Describes a provider, which counts as a question about its registration.
pub(super) fn get(context: &mut Context<'_>, subscription: &str, namespace: &str) -> Outcome {
    let now = context.state.millis();
    if let Some(provider) = context.state.azure.get_mut(&key(subscription, namespace))
        && provider.phase.as_mut().is_some_and(|phase| phase.poll(now))
    {
        provider.phase = None;
    }
    Ok(Answer::ok(&describe(context, subscription, namespace)?))
}

/// Registers a provider, which takes its time.
pub(super) fn register(context: &mut Context<'_>, subscription: &str, namespace: &str) -> Outcome {
    let body = describe(context, subscription, namespace)?;
    context.need(&format!("{namespace}/register/action"), &format!("/subscriptions/{subscription}"))?;
    if body["registrationState"] == json!("NotRegistered") {
        let mut provider = Object::new(KIND, json!({"namespace": namespace}));
        provider.phase = Some(context.phase(KIND, "registered"));
        context.state.azure.insert(key(subscription, namespace), provider);
    }
    Ok(Answer::ok(&describe(context, subscription, namespace)?))
}
