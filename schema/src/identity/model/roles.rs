use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use domain::access::{self, CustomRole, RoleRef, Target};
use services::ServiceError;

use super::team::Role;
use crate::input::parse_id;

/// A role: a built-in one, or one that the team made.
#[derive(SimpleObject)]
pub struct RoleDefinition {
    /// Identity; null for a built-in role.
    pub id: Option<ID>,
    /// Its name.
    pub name: String,
    /// Permissions that it includes, such as `deployment-write`.
    pub permissions: Vec<&'static str>,
    /// Creation time; null for a built-in role.
    pub created_at: Option<DateTime<Utc>>,
}

impl From<access::Role> for RoleDefinition {
    fn from(role: access::Role) -> Self {
        Self { id: None, name: role.name().to_owned(), permissions: role.permissions().names(), created_at: None }
    }
}

impl From<CustomRole> for RoleDefinition {
    fn from(role: CustomRole) -> Self {
        let (id, permissions) = (Some(role.id.to_string().into()), role.permissions.names());
        Self { id, name: role.name, permissions, created_at: Some(role.created_at) }
    }
}

/// A role that a member has on a project or an environment.
#[derive(SimpleObject)]
pub struct Grant {
    /// Identity.
    pub id: ID,
    /// The built-in role; null when it is one that the team made.
    pub role: Option<Role>,
    /// The id of the role, when it is one that the team made.
    pub custom_role_id: Option<ID>,
    /// Permissions that it grants there.
    pub permissions: Vec<&'static str>,
    /// The project.
    pub project_id: Option<ID>,
    /// The environment; null for all of the project.
    pub environment_id: Option<ID>,
}

impl From<&access::Grant> for Grant {
    fn from(grant: &access::Grant) -> Self {
        let environment_id = match grant.target {
            Target::Environment(_, environment) => Some(environment.to_string().into()),
            Target::Team | Target::Project(_) => None,
        };
        Self {
            id: grant.id.to_string().into(),
            role: grant.role.built_in(),
            custom_role_id: grant.role.custom().map(|id| id.to_string().into()),
            permissions: grant.permissions.names(),
            project_id: grant.target.project().map(|id| id.to_string().into()),
            environment_id,
        }
    }
}

/// The one role that the two fields of an input name.
pub fn role_choice(role: Option<Role>, custom: Option<&ID>) -> services::Result<RoleRef> {
    match (role, custom) {
        (Some(role), None) => Ok(RoleRef::BuiltIn(role)),
        (None, Some(id)) => Ok(RoleRef::Custom(parse_id("customRoleId", id)?)),
        _ => Err(ServiceError::invalid("role", "ONE_OF", "give either `role` or `customRoleId`")),
    }
}
