use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use services::NewGrantInput;

use super::teams::{DonePayload, done};
use crate::context::caller;
use crate::error::{UserError, user_errors};
use crate::identity::model::roles::{Grant, RoleDefinition, role_choice};
use crate::identity::model::team::Role;
use crate::input::parse_id;

#[derive(Default)]
pub struct AccessMutation;

#[derive(InputObject)]
struct CreateRoleInput {
    /// Its name: 1 to 40 of a-z, 0-9 and hyphens.
    name: String,
    /// Permissions that it includes, such as `deployment-write`; only those that you have yourself.
    permissions: Vec<String>,
}

#[derive(InputObject)]
struct UpdateRoleInput {
    /// The role.
    role_id: ID,
    /// The new name.
    name: Option<String>,
    /// New permissions of the role.
    permissions: Option<Vec<String>>,
}

#[derive(InputObject)]
struct DeleteRoleInput {
    /// The role.
    role_id: ID,
}

#[derive(InputObject)]
struct GrantRoleInput {
    /// User who receives the role.
    user_id: ID,
    /// The built-in role.
    role: Option<Role>,
    /// Or a role that the team made.
    custom_role_id: Option<ID>,
    /// Project on which it is granted.
    project_id: ID,
    /// Environment of the project, created if the project has none of that name; the whole project if omitted.
    environment: Option<String>,
}

#[derive(InputObject)]
struct RevokeGrantInput {
    /// The grant.
    grant_id: ID,
}

#[derive(SimpleObject)]
struct RolePayload {
    /// The role, when it went well.
    role: Option<RoleDefinition>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

#[derive(SimpleObject)]
struct GrantPayload {
    /// The grant, when it went well.
    grant: Option<Grant>,
    /// Errors in the input, for the caller to fix.
    user_errors: Vec<UserError>,
}

fn role(result: services::Result<domain::access::CustomRole>) -> Result<RolePayload> {
    let (role, user_errors) = user_errors(result)?;
    Ok(RolePayload { role: role.map(RoleDefinition::from), user_errors })
}

#[Object]
impl AccessMutation {
    /// Makes a role from permissions.
    async fn create_role(&self, context: &Context<'_>, input: CreateRoleInput) -> Result<RolePayload> {
        let (services, actor) = caller(context)?;
        role(services.roles().create(actor, &input.name, &input.permissions).await)
    }

    /// Changes a role for all who have it; fields that are left out stay.
    async fn update_role(&self, context: &Context<'_>, input: UpdateRoleInput) -> Result<RolePayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let id = parse_id("roleId", &input.role_id)?;
            services.roles().update(actor, id, input.name.as_deref(), input.permissions.as_deref()).await
        };
        role(change.await)
    }

    /// Deletes a role that nobody has.
    async fn delete_role(&self, context: &Context<'_>, input: DeleteRoleInput) -> Result<DonePayload> {
        let (services, actor) = caller(context)?;
        done(async { services.roles().delete(actor, parse_id("roleId", &input.role_id)?).await }.await)
    }

    /// Gives a member a role on a project or one of its environments, instead of the one it had there.
    async fn grant_role(&self, context: &Context<'_>, input: GrantRoleInput) -> Result<GrantPayload> {
        let (services, actor) = caller(context)?;
        let change = async {
            let new = NewGrantInput {
                user: parse_id("userId", &input.user_id)?,
                role: role_choice(input.role, input.custom_role_id.as_ref())?,
                project: parse_id("projectId", &input.project_id)?,
                environment: input.environment,
            };
            services.roles().grant(actor, new).await
        };
        let (grant, user_errors) = user_errors(change.await)?;
        Ok(GrantPayload { grant: grant.as_ref().map(Grant::from), user_errors })
    }

    /// Takes a grant back.
    async fn revoke_grant(&self, context: &Context<'_>, input: RevokeGrantInput) -> Result<DonePayload> {
        let (services, actor) = caller(context)?;
        done(async { services.roles().revoke(actor, parse_id("grantId", &input.grant_id)?).await }.await)
    }
}
