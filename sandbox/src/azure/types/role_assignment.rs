//! Assignments of roles. They decide what identities of workloads may do; what callers may do is told to the sandbox.

use serde_json::json;

use super::{IDENTITY, text};
use crate::azure::Context;
use crate::azure::error::AzureError;
use crate::azure::id::Id;
use crate::azure::kind::{Change, Kind, Style};
use crate::login::Vendor;
use crate::world::State;

/// Assignments of roles: `Microsoft.Authorization/roleAssignments`, at any scope.
pub(in crate::azure) const ROLE_ASSIGNMENT: Kind = Kind {
    name: "Microsoft.Authorization/roleAssignments",
    located: false,
    delete: Change { style: Style::Now, status: 200, body: true },
    required: &["/properties/roleDefinitionId", "/properties/principalId"],
    check: |context, id, wanted, before| {
        if uuid::Uuid::parse_str(id.name()).is_err() {
            let message = format!("The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.", id.name());
            return Err(AzureError::invalid("InvalidRoleAssignmentId", message));
        }
        check_scope(context, id)?;
        let (role, principal) = (text(wanted, "/properties/roleDefinitionId"), text(wanted, "/properties/principalId"));
        if !is_principal(context.state, principal) {
            let message = format!("Principal {} does not exist in the directory.", principal.replace('-', ""));
            return Err(AzureError::invalid("PrincipalNotFound", message));
        }
        let exists = before.is_none() && of_scope(context.state, &id.scope, principal).any(|held| same_role(&held, role));
        if exists {
            return Err(AzureError::conflict("RoleAssignmentExists", "The role assignment already exists."));
        }
        Ok(())
    },
    outputs: |_, id, object| {
        let made = object.hidden["made"].clone();
        let properties = &mut object.body["properties"];
        properties["scope"] = json!(id.scope);
        properties["createdOn"] = made.clone();
        properties["updatedOn"] = made;
        if properties["principalType"].is_null() {
            properties["principalType"] = json!("ServicePrincipal");
        }
    },
    ..Kind::PLAIN
};

/// The resource that a role is given on has to exist.
fn check_scope(context: &Context<'_>, id: &Id) -> Result<(), AzureError> {
    let Some(scope) = Id::of(&id.scope) else { return Ok(()) };
    if context.state.azure.contains(&scope.key()) {
        return Ok(());
    }
    Err(AzureError::missing(&scope.kind(), scope.name(), scope.group.as_deref().unwrap_or_default()))
}

/// Returns true if an identity or application has this object id. As long as no application is registered, anyone may be one.
fn is_principal(state: &State, principal: &str) -> bool {
    let is_identity =
        |object: &crate::world::Object| object.kind == IDENTITY.name && object.text("/properties/principalId") == principal;
    let mut registered = state.principals.list().into_iter().filter(|principal| principal.cloud == Vendor::Azure).peekable();
    let is_open = registered.peek().is_none();
    is_open
        || registered.any(|known| known.about.get("object").is_some_and(|object| object == principal))
        || state.azure.iter().any(|(_, object)| is_identity(object))
}

/// Roles that a principal has at exactly this scope.
fn of_scope<'s>(state: &'s State, scope: &str, principal: &str) -> impl Iterator<Item = String> + use<'s> {
    let prefix = format!("{scope}/providers/microsoft.authorization/roleassignments/").to_ascii_lowercase();
    let principal = principal.to_owned();
    let held = state
        .azure
        .children(&prefix)
        .filter(move |(_, object)| object.text("/properties/principalId").eq_ignore_ascii_case(&principal));
    held.map(|(_, object)| object.text("/properties/roleDefinitionId").to_owned())
}

fn same_role(one: &str, other: &str) -> bool {
    let last = |role: &str| role.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    last(one) == last(other)
}

/// Returns true if a principal has a role at a resource, its group or its subscription.
pub(in crate::azure) fn has_role(state: &State, resource: &str, principal: &str, roles: &[&str]) -> bool {
    let scopes = resource.match_indices('/').map(|(at, _)| &resource[..at]).chain([resource]).filter(|scope| !scope.is_empty());
    scopes.into_iter().any(|scope| of_scope(state, scope, principal).any(|held| roles.iter().any(|role| same_role(&held, role))))
}
